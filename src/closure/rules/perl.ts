import { ascii, asciiList } from '../../bytes/bytes.ts';
import { baseOf, join, type Path, parentOf, cleanPath, rootPath } from '../../bytes/path.ts';
import { uses } from '../../trace/trace.ts';
import type { ClosureContext, ClosureRule, Need } from '../rule.ts';
import { KiB } from '../../units.ts';

/** The small tables of Unicode that say where all others are. */
const indexes = asciiList('Heavy.pl', 'UCD.pl', 'Name.pm', 'version', 'Name.pl');

/** Perl's modules load their compiled and their rarer halves when they are first called. */
export const perlRule: ClosureRule = {
  name: 'perl',
  describe:
    'Of a module that stays: its compiled part (auto/…/X.so) and autoloaded subroutines, its rarer half (X/Heavy.pm, X_heavy.pl), and Config_heavy.pl with Config.pm. Tables of Unicode where one was used: all of them where the granularity is not "file".',
  *follow(path, context): Generator<Need> {
    if (path.endsWith('.pm')) yield* modules(path, context);
    const [, home] = path.match(/^((?:.*\/)?(?:perl[^/]*|[\d.]+)\/unicore)\//) ?? [];
    if (home !== undefined && (context.usesOf(path) & uses.open) !== 0)
      yield* unicode(cleanPath(home), path, context);
  },
};

function* modules(path: Path, { fs }: ClosureContext): Generator<Need> {
  const detail = ascii`loaded late by /${path}`;
  const stem = path.slice(0, -3);
  const directory = parentOf(path);
  const beside = [rootPath`${stem}/Heavy.pm`, rootPath`${stem}_heavy.pl`];
  if (baseOf(path) === 'Config.pm') beside.push(join(directory, ascii`Config_git.pl`));
  if (baseOf(path) === 'XSLoader.pm') beside.push(join(directory, ascii`DynaLoader.pm`));
  if (baseOf(path) === 'DynaLoader.pm')
    beside.push(join(directory, ascii`Config.pm`), join(directory, ascii`AutoLoader.pm`));
  for (const other of beside) if (fs.kind(other) !== null) yield { path: other, detail };
  if (!path.includes('perl')) return;
  // LIB/A/B.pm has its compiled part in LIB/auto/A/B/B.so; where LIB ends, only the directory "auto" can tell.
  for (let library = directory; library !== ''; library = parentOf(library)) {
    if (fs.kind(join(library, ascii`auto`)) !== 'directory') continue;
    const part = join(library, ascii`auto/${stem.slice(library.length + 1)}`);
    const compiled = rootPath`${part}/${baseOf(stem)}.so`;
    if (fs.kind(compiled) !== null) yield { path: compiled, detail: ascii`the compiled part of /${path}` };
    for (const child of fs.children(part)) if (/\.(?:al|ix)$/.test(child)) yield { path: child, detail };
  }
}

function* unicode(home: Path, path: Path, { fs, granularity }: ClosureContext): Generator<Need> {
  if (granularity !== 'file') {
    yield { path: home, detail: ascii`tables of Unicode, since /${path} was used`, below: true };
    return;
  }
  for (const name of indexes)
    if (fs.size(join(home, name)) < 256 * KiB && fs.kind(join(home, name)) !== null)
      yield {
        path: join(home, name),
        detail: ascii`says where tables of Unicode are, and /${path} was used`,
      };
}
