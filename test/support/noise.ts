/** Rebuilds of a tar or of files in which nothing but times differs. The tests of noise make them. */
import { TarReader } from '../../src/tar/reader.ts';
import { retimeHead, tarEnd } from '../../src/tar/head.ts';
import { concat } from '../../src/stream/collect.ts';

/** Returns a tar whose entries have other times, in whole seconds, by their number. Global headers stay as they are. */
export async function retimed(
  tar: Uint8Array,
  timeOf: (entry: number, before: number) => number,
): Promise<Uint8Array> {
  async function* whole() {
    yield tar;
  }
  const reader = new TarReader(whole());
  const pieces: Uint8Array[] = [];
  for (let number = 0; ; number++) {
    const entry = await reader.next();
    if (entry === null) break;
    const time = timeOf(number, entry.mtime);
    const isKept = entry.kind === 'global' || time === entry.mtime;
    pieces.push((isKept ? entry.head : retimeHead(entry.head, time)).slice());
    for (let part = await reader.takeBody(); part !== null; part = await reader.takeBody())
      pieces.push(part.slice());
  }
  return concat([...pieces, tarEnd]);
}

/** A compiled module of Python 3.11 (PEP 552). */
export interface CompiledModule {
  /** The time and size of its source. Absent: it is known by the hash of its source. */
  readonly of?: { readonly time: number; readonly size: number };
  readonly code: string;
}

/** Returns the bytes of a compiled module. */
export function compiledModule({ of, code }: CompiledModule): Uint8Array {
  const head = Buffer.alloc(16);
  head.writeUInt16LE(3495, 0);
  head.write('\r\n', 2, 'latin1');
  head.writeUInt32LE(of === undefined ? 1 : 0, 4);
  if (of === undefined) head.write('hashhash', 8, 'latin1');
  else {
    head.writeUInt32LE(of.time, 8);
    head.writeUInt32LE(of.size, 12);
  }
  return Buffer.concat([head, Buffer.from(code, 'latin1')]);
}
