import { ascii, type ByteString } from '../../bytes/bytes.ts';
import { baseOf } from '../../bytes/path.ts';
import { inLibraryDirectories, libraryDirectories } from '../libraries/directories.ts';
import { librarySearch } from '../libraries/search.ts';
import { libcOf } from '../architecture.ts';
import type { ClosureContext, ClosureRule, Need } from '../rule.ts';

/** Tools that name libraries of which they load none. */
const others = /^(?:ldconfig(?:\.real)?|ld(?:\.\w+)?|gdb|lib(?:c|pthread|dl)[.-].*)$/;

/**
 * A program that loads a library by name works without it until it needs it: the JVM opens libfontconfig when it draws. At the granularity
 * `file`, only libraries that were loaded in the trace stay.
 */
export const dlopenRule: ClosureRule = {
  name: 'dlopen',
  describe:
    'Unless the granularity is `file`: the libraries that strings in an ELF file name (libfontconfig.so.1) and that its loader would find, and those that a source in Python or Ruby loads (find_library, CDLL, ffi_lib).',
  *follow(path, context): Generator<Need> {
    if (context.granularity === 'file') return;
    const named = context.facts.mentions(path).filter((name) => name.startsWith('lib'));
    if (named.length === 0 || libcOf(path) !== null || others.test(baseOf(path))) return;
    const elf = context.facts.elf(path);
    for (const name of named) {
      const places =
        elf === null
          ? placesOf(name, context)
          : librarySearch(context).find(name, { path, elf, loaders: [] });
      for (const place of places)
        yield { path: place, detail: ascii`/${path} names ${name}, and may load it`, strength: 'whole' };
    }
  },
};

/** Yields the libraries of a name; one that ends in a star stands for all versions. */
function* placesOf(name: ByteString, { fs }: ClosureContext): Generator<ByteString> {
  if (!name.endsWith('*')) {
    yield* inLibraryDirectories(fs, name);
    return;
  }
  const stem = name.slice(0, -1);
  for (const directory of libraryDirectories(fs))
    for (const file of fs.children(directory)) {
      const base = baseOf(file);
      if (base === stem || base.startsWith(`${stem}.`)) yield file;
    }
}
