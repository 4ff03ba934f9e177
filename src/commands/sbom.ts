/** Runs `sbom`: opens the image, lists what it is made of, and writes the bill in its format. */
import type { Bill } from '../analyze/bill.ts';
import { billImage } from '../jobs/analyze/bill-image.ts';
import { readSource } from '../jobs/read-reference.ts';
import { OcislimError } from '../errors.ts';
import { billFormats, type BillFormatName, formatOfFile } from '../report/sbom/formats.ts';
import type { SbomSettings } from '../settings/tables/sbom.ts';
import { warnOfUnread } from './bill-warnings.ts';
import { imageNameOf } from './image-name.ts';
import type { Surroundings } from './surroundings.ts';
import { version } from './version.ts';
import { Workspace } from './workspace.ts';

/** A bill of materials, and its text. */
export interface SbomOutcome {
  readonly bill: Bill;
  readonly format: BillFormatName;
  /** The text in pieces, since that of a large image is long. */
  readonly document: readonly string[];
}

/** Makes the bill of materials of one image. @throws OcislimError */
export async function sbomOf(
  source: string,
  settings: SbomSettings,
  surroundings: Surroundings,
): Promise<SbomOutcome> {
  const reference = await readSource(source);
  const [platform = null, ...more] = settings.platform;
  if (more.length > 0)
    throw new OcislimError('USAGE', 'a bill of materials is of one image: give one --platform');
  await using workspace = new Workspace(settings, surroundings);
  const cache = await workspace.openCache();
  const { jobs, disk: maxScratch, limits, listener, signal } = workspace;
  const bill = await billImage({
    source: await workspace.openSource(reference),
    platform,
    jobs,
    maxScratch,
    limits,
    cache,
    listener,
    signal,
    name: imageNameOf(reference),
    epoch: settings.sourceDateEpoch,
  });
  warnOfUnread(bill, listener);
  const format = settings.format ?? formatOfFile(settings.output);
  const pieces = await billFormats[format].render(bill, { version, files: settings.files });
  return { bill, format, document: [...pieces] };
}
