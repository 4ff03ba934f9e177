import { ascii } from '../../bytes/bytes.ts';
import type { Path } from '../../bytes/path.ts';
import { loaderSettingsProbe } from '../libraries/loader-settings.ts';
import { type Loaded, librarySearch } from '../libraries/search.ts';
import type { ClosureContext, ClosureRule, Need } from '../rule.ts';

/** Keeps the libraries that ELF files name. A library is an ELF file itself, so that its own libraries follow. */
export const elfNeededRule: ClosureRule = {
  name: 'elf-needed',
  describe:
    'The shared libraries that an ELF file needs (DT_NEEDED), searched for like ld.so(8) and musl do: RPATH, LD_LIBRARY_PATH, RUNPATH, ld.so.cache, default directories. Variants for other processors are included.',
  reads: loaderSettingsProbe,
  *follow(path, context) {
    const elf = context.facts.elf(path);
    if (elf === null) return;
    const search = librarySearch(context);
    for (const name of elf.needed)
      for (const place of search.find(name, { path, elf, loaders: [] }))
        yield { path: place, detail: ascii`needed as ${name}` };
    // Each library follows its own needs when it is kept. Only inherited paths require a walk from the top.
    if (search.inherits(elf)) yield* inherited({ path, elf, loaders: [] }, context);
  },
};

/** Yields the libraries of libraries that are found by the search path of `top`: its RPATH, and with musl its RUNPATH. */
function* inherited(top: Loaded, context: ClosureContext): Generator<Need> {
  const search = librarySearch(context);
  const seen = new Set<Path>([top.path]);
  const ahead: Loaded[] = [top];
  for (let object = ahead.shift(); object !== undefined; object = ahead.shift()) {
    for (const name of object.elf.needed) {
      for (const place of search.find(name, object)) {
        if (object !== top) yield { path: place, detail: ascii`needed as ${name} by one of its libraries` };
        const { path } = context.fs.resolve(place);
        const elf = path === null ? null : context.facts.elf(path);
        if (path === null || elf === null || seen.has(path)) continue;
        seen.add(path);
        ahead.push({
          path,
          elf,
          loaders: [{ path: object.path, elf: object.elf }, ...object.loaders],
        });
      }
    }
  }
}
