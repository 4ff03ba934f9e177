/** The formats of bills of materials, as data. The command `sbom` and the option `--sbom` read it; a format is loaded when it is written. */
import type { Bill } from '../../analyze/bill.ts';
import type { BillStyle } from './facts.ts';

/** A format of bills. */
export interface BillFormat {
  /** What names of files in this format end in. */
  readonly suffix: string;
  /** Renders a bill as text, piece by piece. */
  readonly render: (bill: Bill, style: BillStyle) => Promise<Iterable<string>>;
}

export const billFormats = {
  cyclonedx: {
    suffix: '.cdx.json',
    render: async (bill, style) => (await import('./cyclonedx.ts')).renderCycloneDx(bill, style),
  },
  spdx: {
    suffix: '.spdx.json',
    render: async (bill, style) => (await import('./spdx.ts')).renderSpdx(bill, style),
  },
} as const satisfies Readonly<Record<string, BillFormat>>;

export type BillFormatName = keyof typeof billFormats;

/** The names of the formats. The first is the default. */
export const billFormatNames = Object.keys(billFormats) as readonly BillFormatName[];

/** Returns the format that the name of a file asks for: CycloneDX unless it ends in `.spdx.json`. */
export function formatOfFile(file: string | null): BillFormatName {
  return file?.toLowerCase().endsWith(billFormats.spdx.suffix) === true ? 'spdx' : 'cyclonedx';
}
