import { baseOf } from '../../bytes/path.ts';
import { readByteString, utf8Bytes, ascii, noBytes, asciiList } from '../../bytes/bytes.ts';
import { loaderSettingsProbe } from '../libraries/loader-settings.ts';
import { librarySearch } from '../libraries/search.ts';
import type { ClosureRule } from '../rule.ts';

/** Keeps the files that dynamic loaders read before they run a program (ld.so(8), "Files"). */
export const ldSoRule: ClosureRule = {
  name: 'ld-so',
  describe:
    'For a dynamically linked program: etc/ld.so.cache, or without it etc/ld.so.conf and etc/ld.so.conf.d; etc/ld.so.preload and the libraries it names; the path file of musl; the libraries that LD_PRELOAD and LD_AUDIT name.',
  reads: loaderSettingsProbe,
  *follow(path, context) {
    const { fs, facts, runtime } = context;
    const elf = facts.elf(path);
    if (elf === null || elf.interpreter === null) return;
    const musl = baseOf(elf.interpreter).match(/^ld-musl-(.+)\.so\.1$/)?.[1];
    if (musl !== undefined) {
      yield { path: ascii`etc/ld-musl-${musl}.path`, detail: ascii`where the loader looks for libraries` };
    } else if (fs.resolve(ascii`etc/ld.so.cache`).path !== null) {
      yield { path: ascii`etc/ld.so.cache`, detail: ascii`where the loader looks for libraries` };
    } else {
      // ldconfig(8) makes the cache from these.
      for (const path of asciiList('etc/ld.so.conf', 'etc/ld.so.conf.d'))
        yield { path, detail: ascii`where ldconfig looks for libraries`, below: true };
    }
    yield { path: ascii`etc/ld.so.preload`, detail: ascii`read by the loader` };

    // Preloaded libraries are searched for like needed ones, with the paths of the program.
    const program = { path, elf, loaders: [] };
    const search = librarySearch(context);
    const preload = fs.resolve(ascii`etc/ld.so.preload`).path;
    const contents = preload === null ? null : facts.contents(preload);
    const listed = contents === null ? noBytes : readByteString(contents).replaceAll(/#.*/g, '');
    for (const place of search.preloaded(listed, program))
      yield { path: place, detail: ascii`named by ld.so.preload` };
    for (const name of asciiList('LD_PRELOAD', 'LD_AUDIT'))
      for (const place of search.preloaded(utf8Bytes(runtime.environment.get(name) ?? ''), program))
        yield { path: place, detail: ascii`named by ${name}` };
  },
};
