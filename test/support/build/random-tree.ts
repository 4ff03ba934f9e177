/**
 * Random trees of files in a folder of this machine: names of any bytes, hard links, symlinks, modes and times. The tests of the room
 * `build` write them in different orders, and make layers of them.
 */
import { chmodSync, linkSync, lutimesSync, mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import fc from 'fast-check';

/** A file of a tree. The path has one character for each byte. */
export interface TreeFile {
  readonly path: string;
  readonly kind: 'file' | 'directory' | 'symlink';
  readonly mode: number;
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly content: Uint8Array;
  /** The path of the file that this one is another name of. */
  readonly link: string | null;
}

const names = ['a', 'b', 'a-b', 'a.b', 'B', '\xff', '\xc3\xa9', 'x'.repeat(120), 'line\nend', '-'];

/** Returns random trees: files with all directories above them, parents first. */
export function randomTree(): fc.Arbitrary<readonly TreeFile[]> {
  const path = fc
    .array(fc.constantFrom(...names), { minLength: 1, maxLength: 3 })
    .map((parts) => parts.join('/'));
  const file = fc.record({
    path,
    kind: fc.constantFrom('file' as const, 'file' as const, 'directory' as const, 'symlink' as const),
    mode: fc.constantFrom(0o644, 0o755, 0o600, 0o4755, 0o2750, 0o1777),
    time: fc.constantFrom(0, 1_500_000_000_123, 1_700_000_000_000),
    content: fc.uint8Array({ maxLength: 600, size: 'max' }),
    linked: fc.nat({ max: 8 }),
  });
  return fc.array(file, { maxLength: 12 }).map(consistent);
}

/** Leaves out what cannot be beside what came before, and adds the directories above. */
function consistent(
  wanted: readonly (Omit<TreeFile, 'link'> & { readonly linked: number })[],
): readonly TreeFile[] {
  const tree = new Map<string, TreeFile>();
  for (const { linked, ...file } of wanted) {
    const above = file.path
      .split('/')
      .slice(0, -1)
      .map((_, i, parts) => parts.slice(0, i + 1).join('/'));
    if (above.some((each) => (tree.get(each)?.kind ?? 'directory') !== 'directory') || tree.has(file.path))
      continue;
    for (const each of above)
      if (!tree.has(each))
        tree.set(each, { ...file, path: each, kind: 'directory', mode: 0o755, link: null });
    const first = [...tree.values()].filter(({ kind, link }) => kind === 'file' && link === null)[linked];
    tree.set(
      file.path,
      file.kind === 'file' && first !== undefined
        ? { ...first, path: file.path, link: first.path }
        : { ...file, link: null },
    );
  }
  return [...tree.values()];
}

/** Writes a tree into an empty folder. Siblings are made in the order of the tree, or in the other one. */
export function writeTree(folder: string, tree: readonly TreeFile[], reversed = false): void {
  const at = (path: string) => Buffer.from(`${Buffer.from(folder).toString('latin1')}/${path}`, 'latin1');
  const depth = ({ path }: TreeFile) => path.split('/').length;
  const ordered = (reversed ? tree.toReversed() : tree).toSorted((a, b) => depth(a) - depth(b));
  for (const file of ordered) if (file.link === null) makeFile(file, at(file.path));
  for (const { link, path } of ordered) if (link !== null) linkSync(at(link), at(path));
  // A directory gets its time when nothing more is made in it.
  for (const { kind, path, time, mode } of ordered.toReversed()) {
    if (kind === 'symlink') lutimesSync(at(path), time / 1000, time / 1000);
    else {
      chmodSync(at(path), mode);
      utimesSync(at(path), time / 1000, time / 1000);
    }
  }
}

function makeFile({ kind, content }: TreeFile, place: Buffer): void {
  switch (kind) {
    case 'directory':
      return mkdirSync(place);
    case 'symlink':
      return symlinkSync(Buffer.from('../\xff', 'latin1'), place);
    case 'file':
      return writeFileSync(place, content);
  }
}
