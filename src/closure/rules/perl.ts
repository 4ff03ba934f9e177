import { ascii, asciiList } from '../../bytes/bytes.ts';
import { baseOf, join, type Path, parentOf, cleanPath, rootPath } from '../../bytes/path.ts';
import { uses } from '../../trace/trace.ts';
import type { ClosureContext, ClosureRule, Need } from '../rule.ts';
import { present, presentIn } from './present.ts';
import { KiB } from '../../units.ts';

/** The small tables of Unicode that list all others. */
const largestIndex = 256 * KiB;
const indexes = asciiList('Heavy.pl', 'UCD.pl', 'Name.pm', 'version', 'Name.pl');

/** Perl's modules load their compiled part, and subroutines that are rarely used, when these are first called. */
export const perlRule: ClosureRule = {
  name: 'perl',
  describe:
    'For a module: its compiled part (auto/…/X.so), its autoloaded subroutines, and its rarely used half (X/Heavy.pm, X_heavy.pl). If a table of Unicode was used: all tables, or with the granularity `file` those that list the others.',
  *follow(path, context): Generator<Need> {
    if (path.endsWith('.pm')) yield* modules(path, context);
    const [, home] = path.match(/^((?:.*\/)?(?:perl[^/]*|[\d.]+)\/unicore)\//) ?? [];
    if (home !== undefined && (context.usesOf(path) & uses.open) !== 0)
      yield* unicode(cleanPath(home), path, context);
  },
};

/** Yields the files that a module loads late. */
function* modules(path: Path, { fs }: ClosureContext): Generator<Need> {
  const detail = ascii`loaded late by /${path}`;
  const stem = path.slice(0, -3);
  const directory = parentOf(path);
  const beside = [rootPath`${stem}/Heavy.pm`, rootPath`${stem}_heavy.pl`];
  if (baseOf(path) === 'Config.pm') beside.push(join(directory, ascii`Config_git.pl`));
  if (baseOf(path) === 'XSLoader.pm') beside.push(join(directory, ascii`DynaLoader.pm`));
  if (baseOf(path) === 'DynaLoader.pm')
    beside.push(join(directory, ascii`Config.pm`), join(directory, ascii`AutoLoader.pm`));
  for (const other of present(fs, beside)) yield { path: other, detail };
  if (!path.includes('perl')) return;
  // LIB/A/B.pm has its compiled part in LIB/auto/A/B/B.so. Only the directory `auto` tells where LIB ends.
  for (let library = directory; library !== ''; library = parentOf(library)) {
    if (fs.kind(join(library, ascii`auto`)) !== 'directory') continue;
    const part = join(library, ascii`auto/${stem.slice(library.length + 1)}`);
    for (const compiled of presentIn(fs, part, [ascii`${baseOf(stem)}.so`]))
      yield { path: compiled, detail: ascii`the compiled part of /${path}` };
    for (const child of fs.children(part)) if (/\.(?:al|ix)$/.test(child)) yield { path: child, detail };
  }
}

/** Yields the tables of Unicode: Perl opens one by a name that it computes from a property. */
function* unicode(home: Path, path: Path, { fs, granularity }: ClosureContext): Generator<Need> {
  if (granularity !== 'file') {
    yield { path: home, detail: ascii`tables of Unicode, since /${path} was used`, below: true };
    return;
  }
  for (const index of presentIn(fs, home, indexes))
    if (fs.size(index) < largestIndex)
      yield { path: index, detail: ascii`lists tables of Unicode, and /${path} was used` };
}
