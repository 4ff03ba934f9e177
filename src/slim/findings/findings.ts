/**
 * Finds what is heavy in an image and could go, or need be there once only: what the preset `cuda` names, the caches of pip and uv,
 * and copies of shared libraries. `resolve` asks after a pruning, about what is left, and reports show the answer.
 */
import { ascii, type ByteString, utf8Bytes } from '../../bytes/bytes.ts';
import { baseOf, join, type Path, parentOf } from '../../bytes/path.ts';
import { architectureOf } from '../../closure/architecture.ts';
import type { Runtime } from '../../oci/runtime.ts';
import type { Filesystem } from '../../rootfs/filesystem.ts';
import { createMatcher, type Matcher } from '../../rules/rules.ts';
import { itemsPerStep, type Steps } from '../../steps.ts';
import { expandPresets } from '../presets.ts';
import { libraryName } from './library-name.ts';
import { type Place, Tally } from './tally.ts';

/** What was found. `copies`: of one library. */
type FindingKind = 'gpu-development' | CacheKind | 'copies';

/** The presets of caches that may lie elsewhere than these presets say. */
type CacheKind = 'pip-cache' | 'uv-cache';

/** Something heavy that an image could do without. */
export interface Finding {
  readonly kind: FindingKind;
  /** The library that there are copies of: `libcublas`. Null for other kinds. */
  readonly library: ByteString | null;
  readonly files: number;
  /** Bytes of the files that could go; of copies, of all but the largest. */
  readonly bytes: number;
  /** What removes it. Null where a rule cannot tell which files may go. */
  readonly option: { readonly name: '--preset' | '--rule'; readonly value: string } | null;
  /** Where it lies, the heaviest place first. */
  readonly places: readonly Place[];
}

/** What findings depend on apart from the filesystem. */
interface FindingContext {
  readonly runtime: Runtime;
  /** As images name it: `amd64`. Null: unknown. */
  readonly architecture: string | null;
}

/** Bytes below which a finding is not worth a line; of copies of one library, fewer. */
const leastBytes = 1_000_000;
const leastCopies = 256_000;
/** Bytes of the smallest library of which copies count. */
const leastLibrary = 64_000;

/** Finds what is heavy in a root filesystem, the heaviest first, in one walk. */
export function* findingSteps(fs: Filesystem, context: FindingContext): Steps<readonly Finding[]> {
  const search = new Search(fs, context);
  let seen = 0;
  for (const path of fs.all()) {
    if (++seen % itemsPerStep === 0) yield;
    search.look(path);
  }
  yield;
  return search.findings();
}

/** A walk through a root filesystem. */
class Search {
  readonly #fs: Filesystem;
  readonly #architecture: string | null;
  /** Caches that the environment of the image names. */
  readonly #named: ReadonlyMap<Path, CacheKind>;
  readonly #isDevelopment: Matcher = createMatcher(expandPresets(['cuda']).remove);
  readonly #development: Tally;
  readonly #caches: { readonly kind: CacheKind; readonly folder: Path; readonly tally: Tally }[] = [];
  /** Libraries by name: one path, or several. Most are there once. */
  readonly #libraries = new Map<ByteString, Path | Path[]>();
  readonly #presets = new Map<CacheKind, Matcher>();
  /** The highest directory of development files that the walk is in. */
  #top: Path | null = null;

  constructor(fs: Filesystem, { runtime, architecture }: FindingContext) {
    this.#fs = fs;
    this.#architecture = architecture;
    this.#named = namedCaches(fs, runtime);
    this.#development = new Tally(fs);
  }

  /** Looks at the next path of the walk: a directory before what is in it. */
  look(path: Path): void {
    const kind = this.#fs.kind(path);
    if (kind !== 'file' && kind !== 'directory') return;
    const cache = this.#cacheOf(path, kind);
    if (cache !== null) {
      if (kind === 'file') cache.tally.add(path, cache.folder);
    } else if (this.#isDevelopment(path, kind) !== null) {
      if (this.#top === null || !isBelow(path, this.#top))
        this.#top = kind === 'directory' ? path : parentOf(path);
      if (kind === 'file') this.#development.add(path, this.#top);
    } else if (kind === 'file') this.#lookAtLibrary(path);
  }

  /** Returns the cache that the walk is in: the last that began, if the path lies below it. */
  #cacheOf(path: Path, kind: 'file' | 'directory') {
    const last = this.#caches.at(-1);
    if (last !== undefined && isBelow(path, last.folder)) return last;
    const found = kind === 'directory' ? (this.#named.get(path) ?? usualCache(path)) : null;
    if (found === null) return null;
    const cache = { kind: found, folder: path, tally: new Tally(this.#fs) };
    this.#caches.push(cache);
    return cache;
  }

  #lookAtLibrary(path: Path): void {
    const name = libraryName(path);
    if (name === null || this.#fs.size(path) < leastLibrary) return;
    const machine = architectureOf(path);
    if (machine !== null && this.#architecture !== null && machine !== this.#architecture) return;
    const others = this.#libraries.get(name);
    if (others === undefined) this.#libraries.set(name, path);
    else if (Array.isArray(others)) others.push(path);
    else this.#libraries.set(name, [others, path]);
  }

  /** Returns what was found. Called after the walk. */
  findings(): readonly Finding[] {
    const preset = { name: '--preset', value: 'cuda' } as const;
    const found = [
      findingOf('gpu-development', preset, this.#development.removable()),
      ...this.#cacheFindings(),
      ...[...this.#libraries].map(([library, paths]) => this.#copiesOf(library, paths)),
    ];
    return found.filter((finding) => finding !== null).toSorted((a, b) => b.bytes - a.bytes);
  }

  /** Makes a finding for the caches that each option removes. */
  #cacheFindings(): readonly (Finding | null)[] {
    const options = this.#caches.map((cache) => ({ ...cache, option: this.#optionFor(cache) }));
    const groups = Map.groupBy(options, ({ kind, option }) => `${kind} ${option?.value ?? ''}`);
    return [...groups.values()].map((group) => {
      const places = group.flatMap(({ tally }) => tally.removable()).toSorted((a, b) => b.bytes - a.bytes);
      const [first] = group;
      return first === undefined ? null : findingOf(first.kind, first.option, places);
    });
  }

  /** Returns what removes a cache: its preset where that names the folder, else a rule. Null where the name needs more than quotes. */
  #optionFor({ kind, folder }: { readonly kind: CacheKind; readonly folder: Path }): Finding['option'] {
    const preset = this.#presets.get(kind) ?? createMatcher(expandPresets([kind]).remove);
    this.#presets.set(kind, preset);
    if (preset(join(folder, ascii`x`), 'file') !== null) return { name: '--preset', value: kind };
    return plain.test(folder) ? { name: '--rule', value: `${folder}/**` } : null;
  }

  /** Makes the finding of copies of a library. Null for one that is there once, and for small ones. */
  #copiesOf(library: ByteString, paths: Path | readonly Path[]): Finding | null {
    if (typeof paths === 'string') return null;
    const copies = new Tally(this.#fs);
    for (const path of paths) copies.add(path, path);
    const places = copies.places();
    const bytes = places.slice(1).reduce((sum, place) => sum + place.bytes, 0);
    if (bytes < leastCopies) return null;
    return { kind: 'copies', library, files: places.length, bytes, option: null, places };
  }
}

function isBelow(path: Path, directory: Path): boolean {
  return path.startsWith(directory) && path[directory.length] === '/';
}

/** The variables that say where caches are, and where all caches of a user are. */
const variables: readonly (readonly [name: string, kind: CacheKind, below: string])[] = [
  ['PIP_CACHE_DIR', 'pip-cache', ''],
  ['UV_CACHE_DIR', 'uv-cache', ''],
  ['XDG_CACHE_HOME', 'pip-cache', '/pip'],
  ['XDG_CACHE_HOME', 'uv-cache', '/uv'],
];

/** Finds the caches that the environment of an image names. The root of the image is not one. */
function namedCaches(fs: Filesystem, { environment }: Runtime): ReadonlyMap<Path, CacheKind> {
  const found = new Map<Path, CacheKind>();
  for (const [name, kind, below] of variables) {
    const folder = environment.get(name);
    if (folder?.startsWith('/') !== true) continue;
    const { path } = fs.resolve(utf8Bytes(`${folder}${below}`));
    if (path !== null && path !== '' && fs.kind(path) === 'directory') found.set(path, kind);
  }
  return found;
}

/** Returns the kind of a cache where it usually lies, below any home: `.cache/uv`. */
function usualCache(path: Path): CacheKind | null {
  const base = baseOf(path);
  if ((base !== 'pip' && base !== 'uv') || baseOf(parentOf(path)) !== '.cache') return null;
  return base === 'pip' ? 'pip-cache' : 'uv-cache';
}

/** What a rule, and a shell between quotes, takes as it is. */
const plain = /^[\w./@+-]+$/;

function findingOf(kind: FindingKind, option: Finding['option'], places: readonly Place[]): Finding | null {
  const bytes = places.reduce((sum, place) => sum + place.bytes, 0);
  const files = places.reduce((sum, place) => sum + place.files, 0);
  return bytes < leastBytes ? null : { kind, library: null, files, bytes, option, places };
}
