import { baseOf, type Path, parentOf } from '../bytes/path.ts';
import {
  type ByteString,
  readByteString,
  utf8Bytes,
  ascii,
  asciiList,
  joinBytes,
  noBytes,
} from '../bytes/bytes.ts';
import type { Elf } from '../rootfs/facts/facts.ts';
import { type CachedLibrary, parseLdCache } from '../rootfs/facts/ld-cache.ts';
import type { ClosureContext } from './rule.ts';
import { reverseSymlinks } from './symlinks.ts';
import { KiB, MiB } from '../units.ts';

type Kind = Pick<Elf, 'bits' | 'endian' | 'machine'>;

/** An object that is being loaded, and those that asked for it, nearest first, up to the program. */
export interface Loaded {
  readonly path: Path;
  readonly elf: Elf;
  readonly loaders: readonly { readonly path: Path; readonly elf: Elf }[];
}

/** What `$PLATFORM` may stand for (glibc, dl-procinfo and the kernel's AT_PLATFORM). */
const platforms: ReadonlyMap<number, readonly ByteString[]> = new Map([
  [3, asciiList('i386', 'i486', 'i586', 'i686')],
  [21, asciiList('power8', 'power9', 'power10')],
  [22, asciiList('z13', 'z14', 'z15', 'z16')],
  [40, asciiList('v6l', 'v7l', 'v8l')],
  [62, asciiList('x86_64', 'haswell', 'xeon_phi')],
  [183, asciiList('aarch64')],
]);

/** Names that musl answers with itself (ldso/dynlink.c, `load_library`). */
const muslItself = /^lib(?:c|pthread|rt|m|dl|util|xnet)\./;
/** Where loaders look when nothing else is said. Which of them a loader was built with, no header tells. */
const glibcDirectories = asciiList(
  'lib',
  'usr/lib',
  'lib64',
  'usr/lib64',
  'lib32',
  'usr/lib32',
  'libx32',
  'usr/libx32',
);
const muslDirectories = asciiList('lib', 'usr/local/lib', 'usr/lib');
const triplet = /^[\w.]+-(?:linux|kfreebsd|gnu)[\w-]*$/;
/** Files that configurations include; real systems have a few dozen. */
const maxIncludes = 1000;

type Place = Pick<ClosureContext, 'fs' | 'facts' | 'runtime'>;

const searches = new WeakMap<Place, LibrarySearch>();

/** The search of one closure: it remembers what it has read. */
export function librarySearch(context: Place): LibrarySearch {
  let search = searches.get(context);
  if (search === undefined) searches.set(context, (search = new LibrarySearch(context)));
  return search;
}

/**
 * Finds libraries by name, as ld.so(8) does for glibc and as musl does, over the files of an image. What it finds are names
 * as the loader would open them, maybe through symlinks; several where it depends on the processor.
 */
export class LibrarySearch {
  readonly #context: Place;
  readonly #environment: readonly ByteString[];
  #cache: ReadonlyMap<ByteString, readonly CachedLibrary[]> | undefined;
  #configured: readonly ByteString[] | undefined;
  #defaults: readonly ByteString[] | undefined;
  #triplets: readonly ByteString[] | undefined;
  readonly #musl = new Map<
    string,
    { readonly loader: Path; readonly directories: readonly ByteString[] }[]
  >();
  /** Whole trees of libraries look in the same places for the same names. */
  readonly #looked = new Map<ByteString, Elf | null>();
  readonly #hwcaps = new Map<ByteString, readonly ByteString[]>();

  constructor(context: Place) {
    this.#context = context;
    this.#environment = this.#split(
      utf8Bytes(context.runtime.environment.get('LD_LIBRARY_PATH') ?? ''),
      /[:;]/,
    );
  }

  /** Where the library `name` is, for an object that needs it; empty where the image has none that fits. */
  find(name: ByteString, object: Loaded): readonly ByteString[] {
    const { path, elf, loaders } = object;
    if (name.includes('/')) {
      return this.#expand(name, path, elf)
        .map((candidate) => this.#absolute(candidate))
        .filter((candidate) => this.#fits(candidate, elf));
    }
    const { glibc, musl } = this.#flavours(object);
    const found = new Set<ByteString>();
    if (glibc) {
      const searched = [
        ...(elf.runpath === null ? [{ path, elf }, ...loaders].flatMap((at) => this.#rpath(at)) : []),
        ...this.#environment.flatMap((directory) => this.#expand(directory, path, elf)),
        ...(elf.runpath === null ? [] : this.#directories(elf.runpath, path, elf)),
      ];
      for (const place of this.#inDirectories(name, elf, searched) ??
        this.#inCache(name, elf) ??
        this.#inDirectories(name, elf, this.#configuredDirectories()) ??
        this.#inDirectories(name, elf, this.#defaultDirectories()) ??
        [])
        found.add(place);
    }
    if (musl) for (const place of this.#findMusl(name, object)) found.add(place);
    return [...found];
  }

  /** Is the search path of this object also that of what it loads? */
  inherits(elf: Elf): boolean {
    if (elf.rpath !== null && elf.runpath === null) return true;
    return elf.runpath !== null && this.#muslLoaders(elf).length > 0;
  }

  /** Files named by LD_PRELOAD, LD_AUDIT or etc/ld.so.preload, for a program. */
  preloaded(names: ByteString, program: Loaded): readonly ByteString[] {
    return names
      .split(/[\s:]+/)
      .filter((name) => name !== '')
      .flatMap((name) => this.find(name, program));
  }

  /** DT_RPATH counts only where there is no DT_RUNPATH (glibc, elf_get_dynamic_info). */
  #rpath({ path, elf }: { readonly path: Path; readonly elf: Elf }): readonly ByteString[] {
    return elf.runpath === null && elf.rpath !== null ? this.#directories(elf.rpath, path, elf) : [];
  }

  #directories(list: ByteString, path: Path, elf: Elf): readonly ByteString[] {
    return this.#split(list, /:/).flatMap((directory) => this.#expand(directory, path, elf));
  }

  /** An empty element is the current directory. */
  #split(list: ByteString, separator: RegExp): readonly ByteString[] {
    return list === '' ? [] : list.split(separator).map((part) => (part === '' ? ascii`.` : part));
  }

  #absolute(name: ByteString): ByteString {
    if (name.startsWith('/')) return name;
    return ascii`/${utf8Bytes(this.#context.runtime.workingDirectory)}/${name}`;
  }

  /** The dynamic string tokens; several results where a token may stand for several things. */
  #expand(text: ByteString, path: Path, elf: Kind): readonly ByteString[] {
    if (!text.includes('$')) return [text];
    const replace = (
      texts: readonly ByteString[],
      token: string,
      values: Iterable<ByteString>,
    ): readonly ByteString[] => {
      const pattern = new RegExp(`\\$(?:${token}(?![A-Za-z0-9_])|\\{${token}\\})`);
      return texts.flatMap((at) =>
        pattern.test(at) ? [...values].map((value) => joinBytes(at.split(pattern), value)) : [at],
      );
    };
    // A file may be loaded through a symlink from elsewhere, which is its origin then.
    const links = reverseSymlinks(this.#context.fs).get(path) ?? [];
    const origins = new Set([path, ...links].map((name) => ascii`/${parentOf(name)}`));
    let texts: readonly ByteString[] = replace([text], 'ORIGIN', origins);
    texts = replace(texts, 'LIB', [
      ...asciiList('lib', 'lib64'),
      ...this.#allTriplets().map((name) => ascii`lib/${name}`),
    ]);
    return replace(texts, 'PLATFORM', platforms.get(elf.machine) ?? []).filter((at) => at.length <= 4096);
  }

  /** In the first of these directories that has it; with all of its variants there. Null for none. */
  #inDirectories(name: ByteString, kind: Kind, directories: readonly ByteString[]): ByteString[] | null {
    for (const directory of directories) {
      const places = [...this.#variants(directory), this.#absolute(directory)]
        .map((at) => ascii`${at}/${name}`)
        .filter((place) => this.#fits(place, kind));
      if (places.length > 0) return places;
    }
    return null;
  }

  /** Subdirectories for processors that can more (ld.so(8), "Hardware capabilities"). */
  #variants(directory: ByteString): readonly ByteString[] {
    const known = this.#hwcaps.get(directory);
    if (known !== undefined) return known;
    const { fs } = this.#context;
    const home = fs.resolve(ascii`${this.#absolute(directory)}/glibc-hwcaps`).path;
    const found =
      home === null
        ? []
        : [...fs.children(home)].map(
            (path) => ascii`${this.#absolute(directory)}/glibc-hwcaps/${baseOf(path)}`,
          );
    this.#hwcaps.set(directory, found);
    return found;
  }

  #inCache(name: ByteString, kind: Kind): ByteString[] | null {
    const rows = (this.#readCache().get(name) ?? []).filter(({ path }) => this.#fits(path, kind));
    const plain = rows.find(({ special }) => !special);
    const places = rows.filter((row) => row.special || row === plain).map(({ path }) => path);
    return places.length > 0 ? places : null;
  }

  #readCache(): ReadonlyMap<ByteString, readonly CachedLibrary[]> {
    if (this.#cache !== undefined) return this.#cache;
    const cache = new Map<ByteString, CachedLibrary[]>();
    const contents = this.#contents(ascii`etc/ld.so.cache`);
    for (const row of (contents === null ? null : parseLdCache(contents)) ?? []) {
      const rows = cache.get(row.name);
      if (rows === undefined) cache.set(row.name, [row]);
      else rows.push(row);
    }
    this.#cache = cache;
    return cache;
  }

  /** Those of etc/ld.so.conf, where there is no cache made of it: glibc itself would not look there then. */
  #configuredDirectories(): readonly ByteString[] {
    if (this.#configured === undefined) {
      const found = new Set<ByteString>();
      if (this.#readCache().size === 0) this.#readConfiguration(ascii`etc/ld.so.conf`, found, new Set());
      this.#configured = [...found];
    }
    return this.#configured;
  }

  /** Each file once: they may include each other. */
  #readConfiguration(name: ByteString, into: Set<ByteString>, read: Set<Path>): void {
    const { path } = this.#context.fs.resolve(name);
    if (path === null || read.has(path) || read.size >= maxIncludes) return;
    read.add(path);
    for (const line of readByteString(this.#context.facts.contents(path) ?? new Uint8Array()).split('\n')) {
      const text = line.replace(/#.*/, '').trim();
      const include = text.match(/^include\s+(.*)$/);
      if (include !== null)
        for (const file of this.#included(include[1] ?? noBytes)) this.#readConfiguration(file, into, read);
      else for (const part of text.split(/[\s:,]+/)) if (part.startsWith('/')) into.add(part);
    }
  }

  /** `*` and `?` in the last component, which is all that anybody writes. */
  #included(pattern: ByteString): readonly ByteString[] {
    const name = pattern.startsWith('/') ? pattern : ascii`/etc/${pattern}`;
    const wanted = baseOf(name);
    if (!/[*?]/.test(wanted)) return [name];
    const home = this.#context.fs.resolve(ascii`${name.slice(0, name.lastIndexOf('/'))}/`).path;
    if (home === null) return [];
    return [...this.#context.fs.children(home)].filter((path) => matchesWildcard(baseOf(path), wanted));
  }

  #defaultDirectories(): readonly ByteString[] {
    this.#defaults ??= [
      ...this.#allTriplets().flatMap((name) => [ascii`/lib/${name}`, ascii`/usr/lib/${name}`]),
      ...glibcDirectories.map((path) => ascii`/${path}`),
    ];
    return this.#defaults;
  }

  #allTriplets(): readonly ByteString[] {
    if (this.#triplets === undefined) {
      const { fs } = this.#context;
      const names = new Set<ByteString>();
      for (const parent of asciiList('/lib', '/usr/lib')) {
        const home = fs.resolve(parent).path;
        if (home === null) continue;
        for (const path of fs.children(home)) if (triplet.test(baseOf(path))) names.add(baseOf(path));
      }
      this.#triplets = [...names];
    }
    return this.#triplets;
  }

  /** Whose libraries these are: by the program's interpreter, else by its C library, else by what the image has. */
  #flavours({ elf, loaders }: Loaded): { readonly glibc: boolean; readonly musl: boolean } {
    const hasMusl = this.#muslLoaders(elf).length > 0;
    if (!hasMusl) return { glibc: true, musl: false };
    const interpreter = [elf, ...loaders.map((loader) => loader.elf)].find((at) => at.interpreter !== null);
    const named = interpreter?.interpreter ?? '';
    if (named.includes('ld-musl') || elf.needed.some((name) => /^libc\.(?:musl-|so$)/.test(name)))
      return { glibc: false, musl: true };
    // With gcompat, musl runs what was linked against glibc.
    const usesGlibc = named !== '' || elf.needed.includes(ascii`libc.so.6`);
    return {
      glibc: true,
      musl: !usesGlibc || this.#context.fs.resolve(ascii`/lib/libgcompat.so.0`).path !== null,
    };
  }

  #muslLoaders(
    kind: Kind,
  ): readonly { readonly loader: Path; readonly directories: readonly ByteString[] }[] {
    const key = `${kind.bits} ${kind.endian} ${kind.machine}`;
    const known = this.#musl.get(key);
    if (known !== undefined) return known;
    const { fs } = this.#context;
    const home = fs.resolve(ascii`/lib`).path;
    const found: { loader: Path; directories: readonly ByteString[] }[] = [];
    for (const path of home === null ? [] : fs.children(home)) {
      const architecture = baseOf(path).match(/^ld-musl-(.+)\.so\.1$/)?.[1];
      if (architecture === undefined || !this.#fits(ascii`/${path}`, kind)) continue;
      const contents = this.#contents(ascii`etc/ld-musl-${architecture}.path`);
      const directories =
        contents === null
          ? muslDirectories.map((at) => ascii`/${at}`)
          : readByteString(contents)
              .split(/[\n:]/)
              .filter((at) => at !== '');
      found.push({ loader: path, directories });
    }
    this.#musl.set(key, found);
    return found;
  }

  /** musl: DT_RUNPATH and DT_RPATH are the same, and both are inherited; there are neither a cache nor variants. */
  #findMusl(name: ByteString, { path, elf, loaders }: Loaded): readonly ByteString[] {
    const found = this.#muslLoaders(elf);
    if (muslItself.test(name)) return found.map(({ loader }) => ascii`/${loader}`);
    const own = [{ path, elf }, ...loaders].flatMap((at) => {
      const list = at.elf.runpath ?? at.elf.rpath;
      return list === null ? [] : this.#directories(list, at.path, at.elf);
    });
    const searched = [...this.#environment, ...own, ...found.flatMap(({ directories }) => directories)];
    for (const directory of searched) {
      const place = ascii`${this.#absolute(directory)}/${name}`;
      if (this.#fits(place, elf)) return [place];
    }
    return [];
  }

  /** Another class or machine is passed over, as the loader does. */
  #fits(place: ByteString, { bits, endian, machine }: Kind): boolean {
    let elf = this.#looked.get(place);
    if (elf === undefined) {
      const { path } = this.#context.fs.resolve(place.startsWith('/') ? place : ascii`/${place}`);
      elf = path === null ? null : this.#context.facts.elf(path);
      this.#looked.set(place, elf);
    }
    return elf !== null && elf.bits === bits && elf.endian === endian && elf.machine === machine;
  }

  #contents(name: ByteString): Uint8Array | null {
    const { path } = this.#context.fs.resolve(name);
    return path === null ? null : this.#context.facts.contents(path);
  }
}

/** `*` and `?`; takes no longer than both lengths multiplied, whatever the pattern. */
function matchesWildcard(name: ByteString, pattern: ByteString): boolean {
  let at = 0;
  let star = -1;
  let after = 0;
  let i = 0;
  while (i < name.length) {
    if (pattern[at] === '*') {
      star = at++;
      after = i;
    } else if (at < pattern.length && (pattern[at] === '?' || pattern[at] === name[i])) {
      at++;
      i++;
    } else if (star >= 0) {
      at = star + 1;
      i = ++after;
    } else return false;
  }
  while (pattern[at] === '*') at++;
  return at === pattern.length;
}

/** Which contents the search reads: the loaders' configuration. */
export function readsForLibraries(path: Path): number {
  if (!path.startsWith('etc/ld')) return 0;
  if (path === 'etc/ld.so.cache') return 4 * MiB;
  if (path === 'etc/ld.so.conf' || path === 'etc/ld.so.preload' || path.startsWith('etc/ld.so.conf.d/'))
    return 256 * KiB;
  return path.startsWith('etc/ld-musl-') ? 64 * KiB : 0;
}
