/**
 * This room makes layers of files of this machine: of a directory, of one file, of a tar. It writes tars, and knows neither images nor
 * where they go; the layer writer packs what it yields.
 */
import type { Addition, Placement } from '../image/addition.ts';
import type { ByteStream } from '../stream/byte-stream.ts';
import type { Adding } from './adding.ts';

export type { Adding } from './adding.ts';

/**
 * Opens the tar of a layer that is added. Every call reads the files, and gives the same bytes as long as these stay the same.
 * @throws IO, LAYER_INVALID, TAR_INVALID, CODEC, LIMIT
 */
export async function* openAddition(addition: Addition, placement: Placement, adding: Adding): ByteStream {
  // Loaded where a layer is made: the other commands, which load this file too, make none.
  if (addition.kind === 'tar') yield* (await import('./pass-tar.ts')).passTar(addition, placement, adding);
  else yield* (await import('./write-files.ts')).writeFiles(addition, placement, adding);
}
