import { baseOf } from '../../bytes/path.ts';
import { readByteString, utf8Bytes, ascii, noBytes, asciiList } from '../../bytes/bytes.ts';
import { loaderSettingsProbe } from '../libraries/loader-settings.ts';
import { librarySearch } from '../libraries/search.ts';
import type { ClosureRule } from '../rule.ts';

/** What dynamic loaders read before they run a program. */
export const ldSo: ClosureRule = {
  name: 'ld-so',
  describe:
    'With a dynamically linked program: etc/ld.so.cache (without it, etc/ld.so.conf and what that includes), etc/ld.so.preload with what it names, musl’s path file, and what LD_PRELOAD and LD_AUDIT name.',
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
      yield { path: ascii`etc/ld.so.conf`, detail: ascii`what the loader’s cache would be made of` };
      yield {
        path: ascii`etc/ld.so.conf.d`,
        detail: ascii`what the loader’s cache would be made of`,
        below: true,
      };
    }
    yield { path: ascii`etc/ld.so.preload`, detail: ascii`read by the loader` };

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
