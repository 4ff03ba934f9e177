/**
 * The contents of a file as they pass by in a tar: pieces with their offsets, so that the holes of sparse files stay holes. The unpacker
 * writes them, and `ocislim cat` fills the holes with zeros.
 */
import { OcislimError } from '../../errors.ts';
import { exceeded, type Limits } from '../../limits.ts';
import type { ByteStream } from '../../stream/byte-stream.ts';
import { readAttributes } from '../../tar/attributes.ts';
import type { TarEntry } from '../../tar/entry.ts';
import { TarReader } from '../../tar/reader.ts';
import { SparseMapReader, type SparseForm, type SparsePiece } from '../../tar/sparse.ts';
import { KiB } from '../../units.ts';

/** Bytes of a file, and where they stand in it. */
interface FilePiece {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/**
 * Yields the contents of one file of a layer, by the number of its entry, with zeros for holes. With `verify` the tar is read to its end,
 * so that it has been checked when the contents end. @throws LIMIT, TAR_INVALID, and what the stream throws
 */
export async function* contentsOfEntry(
  stream: ByteStream,
  number: number,
  { verify, limits }: { readonly verify: boolean; readonly limits: Limits },
): ByteStream {
  const tar = new TarReader(stream);
  try {
    const entry = await entryAt(tar, number);
    if (entry.length > limits['layer-bytes'])
      throw exceeded('layer-bytes', limits, 'the file is too long', {
        says: `it has ${entry.length} bytes with its holes`,
        needed: entry.length,
      });
    yield* withoutHoles(piecesOf(tar, entry), entry.length);
    if (verify) while ((tar.nextNow() ?? (await tar.next())) !== null);
  } finally {
    await tar.cancel();
  }
}

/** Reads up to an entry. @throws INTERNAL where the tar has fewer */
async function entryAt(tar: TarReader, number: number): Promise<TarEntry> {
  for (let at = 0; ; at++) {
    const entry = tar.nextNow() ?? (await tar.next());
    if (entry === null)
      throw new OcislimError('INTERNAL', `a layer has no entry ${number}, which its index has`);
    if (at === number) return entry;
  }
}

/** Yields the contents of the file whose entry the reader stands at, without its holes. @throws TAR_INVALID */
export async function* piecesOf(reader: TarReader, entry: TarEntry): AsyncGenerator<FilePiece> {
  const { sparse } = readAttributes(entry);
  if (sparse !== null) {
    yield* sparsePieces(reader, entry, sparse);
    return;
  }
  let offset = 0;
  while (offset < entry.size) {
    const chunk = reader.takeBodyNow() ?? (await reader.takeBody());
    if (chunk === null) return;
    const bytes = chunk.subarray(0, entry.size - offset);
    yield { offset, bytes };
    offset += bytes.length;
  }
}

/** Yields the whole contents of a file of this length, with zeros for holes. */
async function* withoutHoles(pieces: AsyncIterable<FilePiece>, length: number): ByteStream {
  let at = 0;
  for await (const { offset, bytes } of pieces) {
    yield* zeros(offset - at);
    yield bytes;
    at = offset + bytes.length;
  }
  yield* zeros(length - at);
}

const zeroBlock = new Uint8Array(64 * KiB);

function* zeros(count: number): Generator<Uint8Array> {
  for (let left = count; left > 0; left -= zeroBlock.length) yield zeroBlock.subarray(0, left);
}

async function* sparsePieces(
  reader: TarReader,
  { size }: TarEntry,
  { pieces: stated }: SparseForm,
): AsyncGenerator<FilePiece> {
  const map = stated === null ? new SparseMapReader() : null;
  let places: Places | null = stated === null ? null : new Places(stated);
  let left = size;
  while (left > 0) {
    const chunk = reader.takeBodyNow() ?? (await reader.takeBody());
    if (chunk === null) return;
    let bytes = chunk.subarray(0, left);
    left -= bytes.length;
    if (map !== null && places === null) {
      bytes = bytes.subarray(map.take(bytes));
      if (!map.ended) continue;
      places = new Places(map.pieces());
    }
    if (places !== null) yield* places.take(bytes);
  }
}

/** Gives stored bytes their places in a sparse file, one after the other. */
class Places {
  readonly #pieces: readonly SparsePiece[];
  #at = 0;
  #taken = 0;

  constructor(pieces: readonly SparsePiece[]) {
    this.#pieces = pieces;
  }

  *take(bytes: Uint8Array): Generator<FilePiece> {
    let rest = bytes;
    while (rest.length > 0) {
      const piece = this.#pieces[this.#at];
      // The reader of the tar has checked that the pieces are as long as what is stored.
      if (piece === undefined) return;
      const part = rest.subarray(0, piece.length - this.#taken);
      if (part.length > 0) yield { offset: piece.offset + this.#taken, bytes: part };
      this.#taken += part.length;
      rest = rest.subarray(part.length);
      if (this.#taken < piece.length) continue;
      this.#at++;
      this.#taken = 0;
    }
  }
}
