import { baseOf, join, type Path, parentOf } from '../../bytes/path.ts';
import { readByteString, ascii, asciiList, asByteString } from '../../bytes/bytes.ts';
import type { ClosureContext, Need } from '../rule.ts';
import { PerClosure } from './spreading.ts';
import { MiB } from '../../units.ts';

const metadata = /\.(?:dist-info|egg-info)$/;
const listing = /\.(?:dist-info|egg-info)\/(RECORD|top_level\.txt|installed-files\.txt)$/;

/** What importlib.metadata and pkg_resources read; licences and signatures are none of it. */
const read = new Set([
  'METADATA',
  'PKG-INFO',
  'RECORD',
  'INSTALLER',
  'WHEEL',
  'REQUESTED',
  'direct_url.json',
  'entry_points.txt',
  'top_level.txt',
  'requires.txt',
  'namespace_packages.txt',
  'installed-files.txt',
]);

/** Distributions whose metadata were asked for already, with the strength. */
const done = new PerClosure<string>();

/** By directory of packages: which distributions' metadata belong to a file or directory in it. */
const known = new WeakMap<ClosureContext, Map<Path, ReadonlyMap<string, readonly Path[]>>>();

/** Is this path itself metadata of a distribution? */
export function isDistribution(path: Path): boolean {
  return metadata.test(path) || metadata.test(parentOf(path));
}

/** The lists of a distribution's files; those of large ones have megabytes. */
export function readsDistribution(path: Path): number {
  return listing.test(path) ? 8 * MiB : 0;
}

/** The metadata of the distributions that a module or any file of its package belongs to. */
export function* metadataOf(path: Path, context: ClosureContext): Generator<Need> {
  let top = baseOf(path);
  for (let site = parentOf(path); site !== ''; top = baseOf(site), site = parentOf(site)) {
    if (top === '__pycache__') continue;
    const stem = top.replace(/\.(?:py|pyc|so|pyd|cpython-.*|abi3\.so)$/, '').replace(/\.cpython-.*$/, '');
    for (const home of distributionsIn(site, context).get(stem) ?? []) {
      const asked = ascii`${home}\0${asByteString(context.strengthOf(path) ?? '')}`;
      if (done.of(context).has(asked)) continue;
      done.of(context).add(asked);
      const detail = ascii`metadata of the distribution that /${path} belongs to`;
      if (context.fs.kind(home) !== 'directory') yield { path: home, detail };
      else
        for (const file of context.fs.children(home))
          if (read.has(baseOf(file))) yield { path: file, detail };
    }
  }
}

function distributionsIn(site: Path, context: ClosureContext): ReadonlyMap<string, readonly Path[]> {
  let sites = known.get(context);
  if (sites === undefined) {
    sites = new Map();
    known.set(context, sites);
  }
  const before = sites.get(site);
  if (before !== undefined) return before;
  const found = new Map<string, Path[]>();
  for (const home of context.fs.children(site)) {
    if (!metadata.test(home)) continue;
    for (const top of topLevelsOf(home, context)) {
      const homes = found.get(top);
      if (homes === undefined) found.set(top, [home]);
      else homes.push(home);
    }
  }
  sites.set(site, found);
  return found;
}

/** The names right in the directory of packages that a distribution brings, without extensions. */
function topLevelsOf(home: Path, { facts }: ClosureContext): ReadonlySet<string> {
  // Distributions without any list (those of Debian may have none): most have the name of their package.
  const name = baseOf(home).replace(metadata, '').replace(/-.*/, '');
  const tops = new Set([name, name.toLowerCase().replace(/[.-]/g, '_')]);
  for (const list of asciiList('RECORD', 'installed-files.txt', 'top_level.txt')) {
    const bytes = facts.contents(join(home, list));
    if (bytes === null) continue;
    for (const line of readByteString(bytes).split('\n')) {
      const file = line.trim().replace(/^"/, '');
      const inside = list === 'installed-files.txt' ? file.replace(/^\.\.\//, '') : file;
      const top = inside.split(/[/,]/, 1)[0]?.replace(/\.(?:py|cpython-.*|abi3\.so|so)$/, '') ?? '';
      if (top !== '' && top !== '..' && top !== '__pycache__' && !metadata.test(top)) tops.add(top);
    }
  }
  return tops;
}
