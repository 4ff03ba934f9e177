import { asciiList, type ByteString, asByteString } from '../../bytes/bytes.ts';
import type { Filesystem } from '../../rootfs/filesystem.ts';
import { baseOf, join, type Path } from '../../bytes/path.ts';
import type { Elf } from '../../rootfs/facts/facts.ts';

const known = new WeakMap<Filesystem, readonly Path[]>();
const tops = asciiList(
  'lib',
  'usr/lib',
  'lib64',
  'usr/lib64',
  'lib32',
  'usr/lib32',
  'usr/local/lib',
  'usr/local/lib64',
);
const multiarch = /^[a-z0-9_]+-linux-[a-z0-9]+$/;

/** The directories, free of symlinks, in which distributions put libraries: those that the image has. */
export function libraryDirectories(fs: Filesystem): readonly Path[] {
  const before = known.get(fs);
  if (before !== undefined) return before;
  const found = new Set<Path>();
  for (const top of tops) {
    const { path } = fs.resolve(top);
    if (path === null || fs.kind(path) !== 'directory') continue;
    found.add(path);
    for (const child of fs.children(path))
      if (multiarch.test(baseOf(child)) && fs.kind(child) === 'directory') found.add(child);
  }
  const directories = [...found];
  known.set(fs, directories);
  return directories;
}

/** What the image has under this name, relative to any of its library directories, symlinks not yet followed. */
export function* inLibraryDirectories(fs: Filesystem, name: ByteString): Generator<Path> {
  for (const directory of libraryDirectories(fs)) {
    const path = join(directory, name);
    if (fs.kind(path) !== null) yield path;
  }
}

/** The first of these functions that a program or library imports; where nobody can tell, the first of them all. */
export function importOf(elf: Elf | null, functions: ReadonlySet<string>): ByteString | null {
  if (elf === null) return null;
  for (const name of elf.imports) if (functions.has(name)) return asByteString(name);
  if (elf.trouble === null || (elf.needed.length === 0 && elf.interpreter === null)) return null;
  const [first] = functions;
  return first === undefined ? null : asByteString(first);
}
