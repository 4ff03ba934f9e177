import { asciiList, type ByteString } from '../../bytes/bytes.ts';
import type { Elf } from '../../rootfs/facts/facts.ts';
import type { Filesystem } from '../../rootfs/filesystem.ts';
import { oncePer } from '../../rootfs/once-per.ts';
import { baseOf, join, type Path } from '../../bytes/path.ts';
import type { ClosureContext } from '../rule.ts';

/** The directories of libraries that systems of all kinds have. */
export const commonLibraryDirectories = asciiList(
  'lib',
  'usr/lib',
  'lib64',
  'usr/lib64',
  'lib32',
  'usr/lib32',
);

/** The directories to look in, with those for programs that were built in the image. */
const tops = [...commonLibraryDirectories, ...asciiList('usr/local/lib', 'usr/local/lib64')];
/** Directories of one architecture, as Debian has them: "x86_64-linux-gnu". */
const multiarch = /^[a-z0-9_]+-linux-[a-z0-9]+$/;

/** Returns the directories in which distributions put libraries, free of symlinks: those that the image has. */
export const libraryDirectories = oncePer((fs: Filesystem): readonly Path[] => {
  const found = new Set<Path>();
  for (const top of tops) {
    const { path } = fs.resolve(top);
    if (path === null || fs.kind(path) !== 'directory') continue;
    found.add(path);
    for (const child of fs.children(path))
      if (multiarch.test(baseOf(child)) && fs.kind(child) === 'directory') found.add(child);
  }
  return [...found];
});

/** Yields the paths of this name below the library directories that the image has. It follows no symlink. */
export function* inLibraryDirectories(fs: Filesystem, name: ByteString): Generator<Path> {
  for (const directory of libraryDirectories(fs)) {
    const path = join(directory, name);
    if (fs.kind(path) !== null) yield path;
  }
}

/** Yields the paths of a library of this file name that an ELF file could load: those for its machine. */
export function* librariesFor(
  { machine }: Elf,
  name: ByteString,
  { fs, facts }: Pick<ClosureContext, 'fs' | 'facts'>,
): Generator<Path> {
  for (const library of inLibraryDirectories(fs, name)) {
    const { path } = fs.resolve(library);
    if (path !== null && facts.elf(path)?.machine === machine) yield library;
  }
}
