import { baseOf, join, type Path, parentOf } from '../../bytes/path.ts';
import { uses } from '../../trace/trace.ts';
import type { ClosureContext, ClosureRule, Need } from '../rule.ts';
import { KiB } from '../../units.ts';

/** The small tables of Unicode that say where all others are. */
const indexes = ['Heavy.pl', 'UCD.pl', 'Name.pm', 'version', 'Name.pl'] as const;

/** Perl's modules load their compiled and their rarer halves when they are first called. */
export const perlRule: ClosureRule = {
  name: 'perl',
  describe:
    'Of a module that stays: its compiled part (auto/…/X.so) and autoloaded subroutines, its rarer half (X/Heavy.pm, X_heavy.pl), and Config_heavy.pl with Config.pm. Tables of Unicode where one was used: all of them where the granularity is not "file".',
  *follow(path, context): Generator<Need> {
    if (path.endsWith('.pm')) yield* modules(path, context);
    const [, home] = /^((?:.*\/)?(?:perl[^/]*|[\d.]+)\/unicore)\//.exec(path) ?? [];
    if (home !== undefined && (context.usesOf(path) & uses.open) !== 0) yield* unicode(home, path, context);
  },
};

function* modules(path: Path, { fs }: ClosureContext): Generator<Need> {
  const detail = `loaded late by /${path}`;
  const stem = path.slice(0, -3);
  const directory = parentOf(path);
  const beside = [`${stem}/Heavy.pm`, `${stem}_heavy.pl`];
  if (baseOf(path) === 'Config.pm') beside.push(join(directory, 'Config_git.pl'));
  if (baseOf(path) === 'XSLoader.pm') beside.push(join(directory, 'DynaLoader.pm'));
  if (baseOf(path) === 'DynaLoader.pm')
    beside.push(join(directory, 'Config.pm'), join(directory, 'AutoLoader.pm'));
  for (const other of beside) if (fs.kind(other) !== null) yield { path: other, detail };
  if (!path.includes('perl')) return;
  // LIB/A/B.pm has its compiled part in LIB/auto/A/B/B.so; where LIB ends, only the directory "auto" can tell.
  for (let library = directory; library !== ''; library = parentOf(library)) {
    if (fs.kind(join(library, 'auto')) !== 'directory') continue;
    const part = join(library, `auto/${stem.slice(library.length + 1)}`);
    const compiled = `${part}/${baseOf(stem)}.so`;
    if (fs.kind(compiled) !== null) yield { path: compiled, detail: `the compiled part of /${path}` };
    for (const child of fs.children(part)) if (/\.(?:al|ix)$/.test(child)) yield { path: child, detail };
  }
}

function* unicode(home: Path, path: Path, { fs, granularity }: ClosureContext): Generator<Need> {
  if (granularity !== 'file') {
    yield { path: home, detail: `tables of Unicode, since /${path} was used`, below: true };
    return;
  }
  for (const name of indexes)
    if (fs.size(join(home, name)) < 256 * KiB && fs.kind(join(home, name)) !== null)
      yield { path: join(home, name), detail: `says where tables of Unicode are, and /${path} was used` };
}
