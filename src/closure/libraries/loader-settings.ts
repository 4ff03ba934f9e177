/**
 * The settings of dynamic loaders in an image: ld.so.cache, ld.so.conf, and musl's path files. `LibrarySearch` looks directories
 * up here; each file is read at most once.
 */
import { ascii, asciiList, type ByteString, noBytes, readByteString } from '../../bytes/bytes.ts';
import { baseOf, type Path } from '../../bytes/path.ts';
import { type CachedLibrary, parseLdCache } from '../../rootfs/facts/ld-cache.ts';
import { KiB, MiB } from '../../units.ts';
import type { ClosureContext } from '../rule.ts';
import { matchesWildcard } from './wildcard.ts';

/** Returns how much of the contents of a file the settings need, in bytes. */
export function loaderSettingsProbe(path: Path): number {
  if (!path.startsWith('etc/ld')) return 0;
  if (path === 'etc/ld.so.cache') return 4 * MiB;
  if (path === 'etc/ld.so.conf' || path === 'etc/ld.so.preload' || path.startsWith('etc/ld.so.conf.d/'))
    return 256 * KiB;
  return path.startsWith('etc/ld-musl-') ? 64 * KiB : 0;
}

/** The most files that configurations include. Real systems have a few dozen. */
const maxIncludes = 1000;

/** Where musl looks without a path file (ldso/dynlink.c). */
const muslDirectories = asciiList('/lib', '/usr/local/lib', '/usr/lib');

export class LoaderSettings {
  readonly #fs: ClosureContext['fs'];
  readonly #facts: ClosureContext['facts'];
  #cache: ReadonlyMap<ByteString, readonly CachedLibrary[]> | undefined;
  #configured: readonly ByteString[] | undefined;

  constructor({ fs, facts }: Pick<ClosureContext, 'fs' | 'facts'>) {
    this.#fs = fs;
    this.#facts = facts;
  }

  /** Returns the rows of ld.so.cache for a name, in the order of preference. */
  cached(name: ByteString): readonly CachedLibrary[] {
    return this.#readCache().get(name) ?? [];
  }

  /**
   * Returns the directories of ld.so.conf if the image has no ld.so.cache. glibc's loader reads the cache only; without it, these
   * directories are the best guess at where libraries are.
   */
  configuredDirectories(): readonly ByteString[] {
    if (this.#configured === undefined) {
      const found = new Set<ByteString>();
      if (this.#readCache().size === 0) this.#readConfiguration(ascii`etc/ld.so.conf`, found, new Set());
      this.#configured = [...found];
    }
    return this.#configured;
  }

  /** Returns the directories that musl's loader of an architecture searches: those of its path file, or the defaults. */
  muslDirectories(architecture: ByteString): readonly ByteString[] {
    const contents = this.#contents(ascii`etc/ld-musl-${architecture}.path`);
    if (contents === null) return muslDirectories;
    return readByteString(contents)
      .split(/[\n:]/)
      .filter((directory) => directory !== '');
  }

  #readCache(): ReadonlyMap<ByteString, readonly CachedLibrary[]> {
    if (this.#cache === undefined) {
      const contents = this.#contents(ascii`etc/ld.so.cache`);
      const rows = contents === null ? null : parseLdCache(contents);
      this.#cache = Map.groupBy(rows ?? [], ({ name }) => name);
    }
    return this.#cache;
  }

  /** Reads a configuration file and those that it includes, each once: they may include each other. */
  #readConfiguration(name: ByteString, into: Set<ByteString>, read: Set<Path>): void {
    const { path } = this.#fs.resolve(name);
    if (path === null || read.has(path) || read.size >= maxIncludes) return;
    read.add(path);
    for (const line of readByteString(this.#facts.contents(path) ?? new Uint8Array()).split('\n')) {
      const text = line.replace(/#.*/, '').trim();
      const include = text.match(/^include\s+(.*)$/);
      if (include !== null)
        for (const file of this.#included(include[1] ?? noBytes)) this.#readConfiguration(file, into, read);
      else for (const part of text.split(/[\s:,]+/)) if (part.startsWith('/')) into.add(part);
    }
  }

  /** Returns the files that an `include` names. Only the last component may have wildcards. */
  #included(pattern: ByteString): readonly ByteString[] {
    const name = pattern.startsWith('/') ? pattern : ascii`/etc/${pattern}`;
    const wanted = baseOf(name);
    if (!/[*?]/.test(wanted)) return [name];
    const home = this.#fs.resolve(ascii`${name.slice(0, name.lastIndexOf('/'))}/`).path;
    if (home === null) return [];
    return [...this.#fs.children(home)].filter((path) => matchesWildcard(baseOf(path), wanted));
  }

  #contents(name: ByteString): Uint8Array | null {
    const { path } = this.#fs.resolve(name);
    return path === null ? null : this.#facts.contents(path);
  }
}
