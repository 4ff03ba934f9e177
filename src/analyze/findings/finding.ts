/**
 * What a kind of finding is made of: what it looks at, and helpers to say where the bytes lie and which instruction is meant. Every
 * family of findings calls it.
 */
import type { Path } from '../../bytes/path.ts';
import type { LayerIndex } from '../../changeset/layer-index.ts';
import type { Image } from '../../image/image.ts';
import type { FileFacts } from '../../rootfs/facts/facts.ts';
import type { ContentPrints } from '../../rootfs/facts/prints.ts';
import type { Filesystem } from '../../rootfs/filesystem.ts';
import type { PackageIndex } from '../../rootfs/packages/package.ts';
import type { Steps } from '../../steps.ts';
import type { SizedPath, WasteFinding } from '../analysis.ts';
import type { Duplicates } from '../duplicates.ts';
import type { LayeredImage } from '../entries.ts';
import { type Instruction, shortInstruction } from '../instruction.ts';
import { maskSecrets } from '../instruction-secrets.ts';
import type { SecretFile } from './secret-files.ts';

/** What findings are made from. */
export interface FindingContext extends LayeredImage {
  readonly image: Image;
  readonly fs: Filesystem;
  readonly facts: FileFacts;
  /** By layer number. */
  readonly prints: ReadonlyMap<number, ContentPrints>;
  /** Returns the contents of an entry, if the scan kept them, whatever became of it. */
  contents(layer: number, entry: number): Uint8Array | null;
  /** The instructions of the layers, the lowest first; null where the history does not tell. */
  readonly instructions: readonly (Instruction | null)[];
  readonly packages: PackageIndex;
  readonly duplicates: Duplicates;
  readonly secretFiles: readonly SecretFile[];
}

/** A family of findings: a row of the table in `all.ts`. */
export type FindingFamily = (context: FindingContext) => Steps<readonly WasteFinding[]>;

/** Bytes below which waste is not worth a line. Findings about security have no bytes. */
export const leastBytes = 1000;

/** Names of places in a finding. */
const mostPlaces = 5;

/** Names a layer by its instruction: "layer 3 (RUN apt-get update)". */
export function nameLayer({ instructions }: FindingContext, layer: number): string {
  const instruction = instructions[layer - 1] ?? null;
  return instruction === null
    ? `layer ${layer}`
    : `layer ${layer} (${shortInstruction(maskSecrets(instruction.text), 60)})`;
}

/** Counts things: "1 file", "2 files". */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** Adds up bytes by place, and keeps the layers that carry them. */
export class Places {
  readonly #sums = new Map<Path, { bytes: number; files: number; layer: number | null }>();
  readonly #layers = new Map<number, number>();
  bytes = 0;
  files = 0;

  add(place: Path, bytes: number, layer: number): void {
    this.bytes += bytes;
    this.files++;
    this.#layers.set(layer, (this.#layers.get(layer) ?? 0) + bytes);
    const sum = this.#sums.get(place);
    if (sum === undefined) {
      this.#sums.set(place, { bytes, files: 1, layer });
      return;
    }
    sum.bytes += bytes;
    sum.files++;
    if (sum.layer !== layer) sum.layer = null;
  }

  /** The layer that carries all; null for several. */
  get layer(): number | null {
    const [first, ...others] = this.#layers.keys();
    return first === undefined || others.length > 0 ? null : first;
  }

  /** The layer that carries most, the lowest of equal ones; null for no bytes at all. */
  get heaviestLayer(): number | null {
    const sorted = [...this.#layers].sort(([a, x], [b, y]) => y - x || a - b);
    return sorted[0]?.[0] ?? null;
  }

  /** The heaviest places, at most five. */
  heaviest(): readonly SizedPath[] {
    return [...this.#sums]
      .sort(([a, x], [b, y]) => y.bytes - x.bytes || (a < b ? -1 : 1))
      .slice(0, mostPlaces)
      .map(([path, sum]) => ({ path, ...sum }));
  }
}

/** Returns the bytes of the stored body of an entry. */
export function sizeOf(indexes: ReadonlyMap<number, LayerIndex>, layer: number, entry: number): number {
  return indexes.get(layer)?.sizes[entry] ?? 0;
}
