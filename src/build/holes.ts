/**
 * Finds the holes of sparse files by what is in them, so that the same contents give the same layer on every file system. `file-body.ts`
 * asks for files that take less of their disk than they are long.
 */
import type { FileHandle } from 'node:fs/promises';
import { readRange } from '../files/file-bytes.ts';
import type { SparsePiece } from '../tar/sparse.ts';
import { KiB } from '../units.ts';

/** Bytes of a block: what is zero is looked at in such pieces, from the beginning of the file. */
const unit = 4 * KiB;
/** Holes of fewer bytes together are not worth a map. */
export const leastHoles = 64 * KiB;
/** The most pieces of a map: readers refuse maps of more than 1 MiB (Go, GNU tar). */
const mostPieces = 16_384;

const zeros = Buffer.alloc(unit);

/** Returns the pieces of a file that are not zero; null for a file with so few zeros that it is stored whole. @throws IO */
export async function findPieces(
  handle: FileHandle,
  size: number,
  signal: AbortSignal,
): Promise<readonly SparsePiece[] | null> {
  const runs = new Runs();
  let at = 0;
  let rest: Uint8Array = new Uint8Array(0);
  for await (const chunk of readRange(handle, 0, size, signal)) {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const whole = bytes.length - (bytes.length % unit);
    for (let from = 0; from < whole; from += unit)
      runs.add(at + from, isZero(bytes.subarray(from, from + unit)) ? 0 : unit);
    rest = bytes.subarray(whole);
    at += whole;
  }
  if (rest.length > 0) runs.add(at, isZero(rest) ? 0 : rest.length);
  return runs.pieces(at + rest.length);
}

function isZero(bytes: Uint8Array): boolean {
  return Buffer.compare(bytes, zeros.subarray(0, bytes.length)) === 0;
}

/** Gathers what is stored. Where there are too many pieces, smaller holes are filled. */
class Runs {
  #list: SparsePiece[] = [];
  #least = unit;

  add(offset: number, length: number): void {
    if (length === 0) return;
    const last = this.#list.at(-1);
    if (last !== undefined && offset - (last.offset + last.length) < this.#least) {
      this.#list[this.#list.length - 1] = { offset: last.offset, length: offset + length - last.offset };
      return;
    }
    this.#list.push({ offset, length });
    while (this.#list.length > mostPieces) this.#join();
  }

  #join(): void {
    this.#least *= 2;
    const all = this.#list;
    this.#list = [];
    for (const { offset, length } of all) this.add(offset, length);
  }

  /** Returns the pieces of a file of this length. A hole at the end is told by an empty piece, as GNU tar does. */
  pieces(size: number): readonly SparsePiece[] | null {
    const stored = this.#list.reduce((sum, { length }) => sum + length, 0);
    if (size - stored < leastHoles) return null;
    const last = this.#list.at(-1);
    const isOpen = last === undefined || last.offset + last.length < size;
    return isOpen ? [...this.#list, { offset: size, length: 0 }] : this.#list;
  }
}
