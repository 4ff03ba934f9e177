/**
 * Packs collected files for a page: plain data, which goes from a job to the renderer beside the report. `commands/rewrite.ts` and the
 * commands that look into images call it.
 */
import { encode } from '../../codec/encode.ts';
import { createEncoderPool } from '../../codec/encoder-pool.ts';
import { inTurns } from '../../steps.ts';
import type { CollectedFiles } from './collect-files.ts';
import type { Fate } from './page.ts';
import { encode85 } from './packed/base85.ts';
import type { FileTable } from './packed/file-table.ts';
import { packSteps } from './packed/pack.ts';
import { exactRows } from './packed/sizes.ts';

/** Sums of one side. */
export interface FileSums {
  /** Regular files and hard links. */
  readonly files: number;
  readonly bytes: number;
}

/** The files of one image as plain data. */
export interface PackedFiles {
  readonly fates: readonly Fate[];
  readonly before: FileSums;
  readonly after: FileSums;
  /** Bytes of the files of each fate. */
  readonly fateBytes: readonly number[];
  /** Whether small sizes are rounded. */
  readonly rounded: boolean;
  /** The table of files: columns, as gzip, in base 85. */
  readonly text: string;
}

/** Packs files. @throws the reason of the signal */
export async function packFiles({ table, fates }: CollectedFiles, signal: AbortSignal): Promise<PackedFiles> {
  const columns = await inTurns(packSteps(table), signal);
  const packed = await gzip(columns, signal);
  return {
    fates,
    before: sumsOf(table, fates, 'before'),
    after: sumsOf(table, fates, 'after'),
    fateBytes: bytesByFate(table, fates.length),
    rounded: table.nodes.length > exactRows,
    text: [...encode85(packed)].join(''),
  };
}

/** Packs bytes as small as gzip gets. */
async function gzip(bytes: Uint8Array, signal: AbortSignal): Promise<Uint8Array> {
  await using pool = createEncoderPool({ jobs: 1 });
  const pieces: Uint8Array[] = [];
  const stream = encode(once(bytes), { kind: 'gzip', level: 12, engine: 'libdeflate' }, { pool, signal });
  for await (const piece of stream) pieces.push(piece);
  return Buffer.concat(pieces);
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

function sumsOf(table: FileTable, fates: readonly Fate[], side: 'before' | 'after'): FileSums {
  let [files, bytes] = [0, 0];
  for (let row = 0; row < table.nodes.length; row++) {
    if (fates[table.fates[row] as number]?.[side] !== true) continue;
    bytes += table.sizes[row] as number;
    // Files and hard links, in the order of `rowKinds`.
    if (table.kinds[row] === 0 || table.kinds[row] === 3) files++;
  }
  return { files, bytes };
}

function bytesByFate(table: FileTable, count: number): readonly number[] {
  const bytes = Array.from({ length: count }, () => 0);
  for (let row = 0; row < table.nodes.length; row++)
    (bytes[table.fates[row] as number] as number) += table.sizes[row] as number;
  return bytes;
}
