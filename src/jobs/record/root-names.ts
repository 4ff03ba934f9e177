/**
 * The names in a root filesystem on this disk, as they were before a recording. `trace record --root` takes them, to tell afterwards what the
 * command opened that the image does not have.
 */
import { readdir, readlink } from 'node:fs/promises';
import { ascii, type ByteString, joinBytes, noBytes, readByteString } from '../../bytes/bytes.ts';

/** The most symlinks that Linux follows in one walk (fs/namei.c, MAXSYMLINKS). */
const maxLinks = 40;

/** What runtimes mount: nothing in there is of the image. */
const mounted: ReadonlySet<string> = new Set(['proc', 'sys', 'dev']);

/** Reads all names below a root. Folders that cannot be read count as empty. @throws the signal's reason */
export async function readRootNames(root: string, signal: AbortSignal): Promise<RootNames> {
  const names = new Map<ByteString, ByteString | null>();
  const open: (readonly [folder: Buffer, name: ByteString])[] = [[Buffer.from(root), noBytes]];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const [folder, above] = next;
    signal.throwIfAborted();
    const entries = await readdir(folder, { withFileTypes: true, encoding: 'buffer' }).catch(() => []);
    for (const entry of entries) {
      const name = readByteString(entry.name);
      const path = above === '' ? name : ascii`${above}/${name}`;
      const place = Buffer.concat([folder, Buffer.from('/'), entry.name]);
      names.set(path, entry.isSymbolicLink() ? await targetOf(place) : null);
      if (entry.isDirectory() && !(above === '' && mounted.has(name))) open.push([place, path]);
    }
  }
  return new RootNames(names);
}

async function targetOf(link: Buffer): Promise<ByteString> {
  return readByteString(await readlink(link, { encoding: 'buffer' }).catch(() => Buffer.alloc(0)));
}

export class RootNames {
  /** By path: the target of a symlink, null for anything else. */
  readonly #names: ReadonlyMap<ByteString, ByteString | null>;

  constructor(names: ReadonlyMap<ByteString, ByteString | null>) {
    this.#names = names;
  }

  /** Lists all names, each with the target of a symlink or null. */
  entries(): readonly (readonly [ByteString, ByteString | null])[] {
    return [...this.#names];
  }

  /** Returns whether the root has a path, through symlinks, as a program in it would find it. */
  has(path: ByteString): boolean {
    const left = path.split('/').reverse();
    let at: ByteString[] = [];
    for (let links = 0; left.length > 0; ) {
      const name = left.pop() ?? noBytes;
      if (name === '' || name === '.') continue;
      if (name === '..') {
        at.pop();
        continue;
      }
      const target = this.#names.get(joinBytes([...at, name], '/'));
      if (target === undefined) return false;
      if (target === null) at.push(name);
      else if (++links > maxLinks) return false;
      else {
        if (target.startsWith('/')) at = [];
        for (const each of target.split('/').reverse()) left.push(each);
      }
    }
    return true;
  }
}
