/**
 * The rules for applications that are put together as one: PyInstaller's folders, and the applications of Erlang and Elixir.
 * `families.ts` lists them.
 */
import { ascii, asByteString } from '../../bytes/bytes.ts';
import { baseOf, join, type Path, parentOf } from '../../bytes/path.ts';
import { KiB } from '../../units.ts';
import { oncePer } from '../../rootfs/once-per.ts';
import type { ClosureContext, ClosureRule, Need } from '../rule.ts';
import { linesOf } from './configuration.ts';

/** The program of such a folder unpacks nothing and imports by itself: what of its folder it uses depends on its input. */
export const bundleRule: ClosureRule = {
  name: 'bundle',
  describe:
    'Unless the granularity is `file`: for a program of PyInstaller, its folder (`_internal`, or everything beside `base_library.zip`).',
  *follow(path, { facts, fs, granularity }): Generator<Need> {
    if (granularity === 'file' || facts.elf(path) === null) return;
    const folder = parentOf(path);
    const inner = join(folder, ascii`_internal`);
    const top = fs.kind(join(inner, ascii`base_library.zip`)) !== null ? inner : folder;
    if (top === '' || fs.kind(join(top, ascii`base_library.zip`)) === null) return;
    yield { path: top, detail: ascii`the folder of /${path}`, below: true, strength: 'whole' };
  },
};

/** Compiled modules and descriptions of applications, in their directories. */
const beam = /(?:^|\/)ebin\/[^/]+\.(?:beam|app)$/;

/** Erlang loads a module of an application by name when it is first called. */
export const erlangRule: ClosureRule = {
  name: 'erlang',
  describe:
    'Unless the granularity is `file`: for a module of Erlang or Elixir, its whole application (ebin and priv), and the applications that its .app file names.',
  reads: (path) => (/(?:^|\/)ebin\/[^/]+\.app$/.test(path) ? 64 * KiB : 0),
  *follow(path, context): Generator<Need> {
    if (context.granularity === 'file' || !beam.test(path)) return;
    const ebin = parentOf(path);
    const detail = ascii`of the application of /${path}`;
    for (const directory of [ebin, join(parentOf(ebin), ascii`priv`)])
      if (context.fs.kind(directory) !== null)
        yield { path: directory, detail, below: true, strength: 'whole' };
    if (!path.endsWith('.app')) return;
    const text = linesOf(path, context, /^%/).join(' ');
    for (const [, list = ''] of text.matchAll(/\{\s*(?:included_)?applications\s*,\s*\[([^\]]*)\]/g))
      for (const [name] of list.matchAll(/\w+/g))
        for (const other of applications(context).get(asByteString(name)) ?? [])
          yield {
            path: other,
            detail: ascii`an application that /${path} names`,
            below: true,
            strength: 'whole',
          };
  },
};

/** The directories of compiled modules by the names of their applications: lib/ssl-11.1/ebin is of ssl. */
const applications = oncePer(({ fs }: ClosureContext): ReadonlyMap<string, readonly Path[]> => {
  const found = new Map<string, Path[]>();
  for (const path of fs.all()) {
    if (!/(?:^|\/)ebin\/[^/]+\.app$/.test(path)) continue;
    const name = baseOf(path).slice(0, -'.app'.length);
    found.set(name, [...(found.get(name) ?? []), parentOf(path)]);
  }
  return found;
});
