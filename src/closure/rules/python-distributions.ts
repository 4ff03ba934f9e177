/**
 * The metadata of Python distributions (dist-info, egg-info), which programs read by importlib.metadata and pkg_resources. The rule
 * in `python.ts` asks for those of every module that stays.
 */
import { baseOf, join, type Path, parentOf } from '../../bytes/path.ts';
import { readByteString, ascii, asciiList } from '../../bytes/bytes.ts';
import type { ClosureContext, Need } from '../rule.ts';
import { oncePer } from '../../rootfs/once-per.ts';
import { PerClosure } from './spreading.ts';
import { MiB } from '../../units.ts';

const metadata = /\.(?:dist-info|egg-info)$/;
const listing = /\.(?:dist-info|egg-info)\/(RECORD|top_level\.txt|installed-files\.txt)$/;

/** The files that importlib.metadata and pkg_resources read. Licences and signatures are not among them. */
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

/** Directories of metadata that were kept, with the strength. */
const kept = new PerClosure<string>();

/** Directories of metadata by the module that they belong to, by the directory of packages. */
const sitesOf = oncePer<ClosureContext, Map<Path, ReadonlyMap<string, readonly Path[]>>>(() => new Map());

/** Returns whether a path is metadata of a distribution itself. */
export function isDistribution(path: Path): boolean {
  return metadata.test(path) || metadata.test(parentOf(path));
}

/** Returns how many bytes of a file are needed: all of the lists of files, which may have megabytes. */
export function readsDistribution(path: Path): number {
  return listing.test(path) ? 8 * MiB : 0;
}

/** Yields the metadata of the distributions that a file belongs to, by the module or package that it is in. */
export function* metadataOf(path: Path, context: ClosureContext): Generator<Need> {
  for (const home of distributionsOf(path, context)) {
    // Metadata that stayed for a weaker reason are asked for again.
    if (!kept.isNew(`${home}\0${context.strengthOf(path)}`, context)) continue;
    const detail = ascii`metadata of the distribution that /${path} belongs to`;
    if (context.fs.kind(home) !== 'directory') yield { path: home, detail };
    else
      for (const file of context.fs.children(home)) if (read.has(baseOf(file))) yield { path: file, detail };
  }
}

/** Yields the directories of metadata (or the files, as Debian has some) of the distributions that a file belongs to. */
export function* distributionsOf(path: Path, context: ClosureContext): Generator<Path> {
  if (metadata.test(parentOf(path))) yield parentOf(path);
  let top = baseOf(path);
  for (let site = parentOf(path); site !== ''; top = baseOf(site), site = parentOf(site)) {
    if (top === '__pycache__') continue;
    const stem = top.replace(/\.(?:py|pyc|so|pyd|cpython-.*|abi3\.so)$/, '').replace(/\.cpython-.*$/, '');
    yield* distributionsIn(site, context).get(stem) ?? [];
  }
}

/** Returns the directories of metadata in a directory of packages, by the names of modules and packages in it. */
function distributionsIn(site: Path, context: ClosureContext): ReadonlyMap<string, readonly Path[]> {
  const sites = sitesOf(context);
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

/** Returns the names of the modules and packages of a distribution, without extensions. */
function topLevelsOf(home: Path, { facts }: ClosureContext): ReadonlySet<string> {
  // Those of Debian may have no list. Most distributions have the name of their package.
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
