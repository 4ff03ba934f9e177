/**
 * This room makes layers of files of this machine: of a directory, of one file, of a tar. It writes tars, and knows neither images nor
 * where they go; the layer writer packs what it yields.
 */
import type { Addition, Placement } from '../image/addition.ts';
import type { ByteStream } from '../stream/byte-stream.ts';
import type { Adding } from './adding.ts';
import { passTar } from './pass-tar.ts';
import { writeFiles } from './write-files.ts';

export type { Adding } from './adding.ts';

/**
 * Opens the tar of a layer that is added. Every call reads the files, and gives the same bytes as long as these stay the same.
 * @throws IO, LAYER_INVALID, TAR_INVALID, CODEC, LIMIT
 */
export function openAddition(addition: Addition, placement: Placement, adding: Adding): ByteStream {
  return addition.kind === 'tar'
    ? passTar(addition, placement, adding)
    : writeFiles(addition, placement, adding);
}
