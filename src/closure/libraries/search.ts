/**
 * Finds shared libraries as dynamic loaders do: that of glibc (ld.so(8)) and that of musl (ldso/dynlink.c). The rules for ELF files
 * and loaders ask it, and the checks of the result.
 */
import { ascii, asciiList, type ByteString, utf8Bytes } from '../../bytes/bytes.ts';
import { baseOf, type Path, parentOf } from '../../bytes/path.ts';
import type { Elf } from '../../rootfs/facts/facts.ts';
import { oncePer } from '../../rootfs/once-per.ts';
import type { ClosureContext } from '../rule.ts';
import { commonLibraryDirectories } from './directories.ts';
import { reverseSymlinks } from '../symlinks.ts';
import { LoaderSettings } from './loader-settings.ts';
import { expandTokens } from './string-tokens.ts';

/** The properties in which a library must equal the object that needs it. */
type Kind = Pick<Elf, 'bits' | 'endian' | 'machine'>;

/** An ELF file at its path. */
interface LoadedFile {
  readonly path: Path;
  readonly elf: Elf;
}

/** An object that is being loaded, and those that asked for it, nearest first, up to the program. */
export interface Loaded extends LoadedFile {
  readonly loaders: readonly LoadedFile[];
}

/** A loader of musl, and the directories that it searches. */
interface MuslLoader {
  readonly path: Path;
  readonly directories: readonly ByteString[];
}

/** Names that musl's loader answers with itself (ldso/dynlink.c, `load_library`). */
const muslItself = /^lib(?:c|pthread|rt|m|dl|util|xnet)\./;

/** The default directories of glibc's loaders. Which of them a loader was built with, no header tells. */
const glibcDirectories = [...commonLibraryDirectories, ...asciiList('libx32', 'usr/libx32')];

/** Names of multiarch directories: "x86_64-linux-gnu". */
const triplet = /^[\w.]+-(?:linux|kfreebsd|gnu)[\w-]*$/;

type Place = Pick<ClosureContext, 'fs' | 'facts' | 'runtime'>;

/** Returns the search of a closure, which remembers what it has read. */
export const librarySearch = oncePer((context: Place) => new LibrarySearch(context));

/**
 * Results are names as the loader would open them, from the root of the image, possibly through symlinks. There are several where
 * the result depends on the processor that the image will run on.
 */
class LibrarySearch {
  readonly #context: Place;
  readonly #settings: LoaderSettings;
  /** The directories of LD_LIBRARY_PATH. */
  readonly #environment: readonly ByteString[];
  #defaults: readonly ByteString[] | undefined;
  #triplets: readonly ByteString[] | undefined;
  readonly #musl = new Map<string, readonly MuslLoader[]>();
  /** The files at names that were tried: whole trees of libraries look in the same places for the same names. */
  readonly #tried = new Map<ByteString, Elf | null>();
  readonly #variants = new Map<ByteString, readonly ByteString[]>();

  constructor(context: Place) {
    this.#context = context;
    this.#settings = new LoaderSettings(context);
    const paths = utf8Bytes(context.runtime.environment.get('LD_LIBRARY_PATH') ?? '');
    this.#environment = splitPath(paths, /[:;]/);
  }

  /** Returns where a library is, for an object that needs it. Empty where the image has none that fits. */
  find(name: ByteString, object: Loaded): readonly ByteString[] {
    if (name.includes('/')) {
      return this.#expand(name, object)
        .map((candidate) => this.#absolute(candidate))
        .filter((candidate) => this.#fits(candidate, object.elf));
    }
    const { glibc, musl } = this.#flavours(object);
    return [
      ...new Set([
        ...(glibc ? this.#findGlibc(name, object) : []),
        ...(musl ? this.#findMusl(name, object) : []),
      ]),
    ];
  }

  /** Returns whether the objects that this one loads search its directories too. */
  inherits(elf: Elf): boolean {
    if (elf.rpath !== null && elf.runpath === null) return true;
    return elf.runpath !== null && this.#muslLoaders(elf).length > 0;
  }

  /** Returns where the libraries of a list are (LD_PRELOAD, LD_AUDIT, etc/ld.so.preload), for a program. */
  preloaded(names: ByteString, program: Loaded): readonly ByteString[] {
    return names
      .split(/[\s:]+/)
      .filter((name) => name !== '')
      .flatMap((name) => this.find(name, program));
  }

  /** Searches in the order of ld.so(8): DT_RPATH, LD_LIBRARY_PATH, DT_RUNPATH, the cache, the default directories. */
  #findGlibc(name: ByteString, object: Loaded): readonly ByteString[] {
    const { elf, loaders } = object;
    const searched = [
      ...(elf.runpath === null ? [object, ...loaders].flatMap((at) => this.#rpath(at)) : []),
      ...this.#environment.flatMap((directory) => this.#expand(directory, object)),
      ...(elf.runpath === null ? [] : this.#directories(elf.runpath, object)),
    ];
    return (
      this.#inDirectories(name, elf, searched) ??
      this.#inCache(name, elf) ??
      this.#inDirectories(name, elf, this.#settings.configuredDirectories()) ??
      this.#inDirectories(name, elf, this.#defaultDirectories()) ??
      []
    );
  }

  /** Searches as musl does: DT_RUNPATH counts as DT_RPATH, and both are inherited. There are neither a cache nor variants. */
  #findMusl(name: ByteString, { path, elf, loaders }: Loaded): readonly ByteString[] {
    const found = this.#muslLoaders(elf);
    if (muslItself.test(name)) return found.map((loader) => ascii`/${loader.path}`);
    const own = [{ path, elf }, ...loaders].flatMap((at) => {
      const list = at.elf.runpath ?? at.elf.rpath;
      return list === null ? [] : this.#directories(list, at);
    });
    const searched = [...this.#environment, ...own, ...found.flatMap(({ directories }) => directories)];
    for (const directory of searched) {
      const place = ascii`${this.#absolute(directory)}/${name}`;
      if (this.#fits(place, elf)) return [place];
    }
    return [];
  }

  /** Returns the directories of DT_RPATH, which counts only without DT_RUNPATH (glibc, elf_get_dynamic_info). */
  #rpath(file: LoadedFile): readonly ByteString[] {
    const { runpath, rpath } = file.elf;
    return runpath === null && rpath !== null ? this.#directories(rpath, file) : [];
  }

  #directories(list: ByteString, file: LoadedFile): readonly ByteString[] {
    return splitPath(list, /:/).flatMap((directory) => this.#expand(directory, file));
  }

  #expand(text: ByteString, { path, elf }: LoadedFile): readonly ByteString[] {
    return expandTokens(text, {
      origins: () => this.#originsOf(path),
      triplets: () => this.#allTriplets(),
      machine: elf.machine,
    });
  }

  /** Returns the possible values of $ORIGIN: a file may be loaded through a symlink, whose directory is then the origin. */
  #originsOf(path: Path): ReadonlySet<ByteString> {
    const links = reverseSymlinks(this.#context.fs).get(path) ?? [];
    return new Set([path, ...links].map((name) => ascii`/${parentOf(name)}`));
  }

  /** Returns a name from the root. A loader takes relative names from the current directory, here that of the config. */
  #absolute(name: ByteString): ByteString {
    if (name.startsWith('/')) return name;
    return ascii`/${utf8Bytes(this.#context.runtime.workingDirectory)}/${name}`;
  }

  /** Searches for a library in directories, up to the first that has it. Null where none has. */
  #inDirectories(name: ByteString, kind: Kind, directories: readonly ByteString[]): ByteString[] | null {
    for (const directory of directories) {
      const places = [...this.#variantsOf(directory), this.#absolute(directory)]
        .map((at) => ascii`${at}/${name}`)
        .filter((place) => this.#fits(place, kind));
      if (places.length > 0) return places;
    }
    return null;
  }

  /** Returns the subdirectories for processors with more capabilities (ld.so(8), "Hardware capabilities"). */
  #variantsOf(directory: ByteString): readonly ByteString[] {
    const known = this.#variants.get(directory);
    if (known !== undefined) return known;
    const { fs } = this.#context;
    const name = ascii`${this.#absolute(directory)}/glibc-hwcaps`;
    const home = fs.resolve(name).path;
    const found = home === null ? [] : [...fs.children(home)].map((path) => ascii`${name}/${baseOf(path)}`);
    this.#variants.set(directory, found);
    return found;
  }

  /** Returns the fitting rows of the cache for special processors, and the first of the others; null for none. */
  #inCache(name: ByteString, kind: Kind): ByteString[] | null {
    const rows = this.#settings.cached(name).filter(({ path }) => this.#fits(path, kind));
    const plain = rows.find(({ special }) => !special);
    const places = rows.filter((row) => row.special || row === plain).map(({ path }) => path);
    return places.length > 0 ? places : null;
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
      const homes = asciiList('lib', 'usr/lib').flatMap((name) => fs.resolve(name).path ?? []);
      const names = homes.flatMap((home) => [...fs.children(home)].map(baseOf));
      this.#triplets = [...new Set(names.filter((name) => triplet.test(name)))];
    }
    return this.#triplets;
  }

  /**
   * Tells which loaders may load an object: by the interpreter of its program, else by the C library that it needs, else by
   * the loaders of the image. With gcompat, musl loads objects that were linked against glibc.
   */
  #flavours({ elf, loaders }: Loaded): { readonly glibc: boolean; readonly musl: boolean } {
    if (this.#muslLoaders(elf).length === 0) return { glibc: true, musl: false };
    const program = [elf, ...loaders.map((loader) => loader.elf)].find((at) => at.interpreter !== null);
    const interpreter = program?.interpreter ?? '';
    if (interpreter.includes('ld-musl') || elf.needed.some((name) => /^libc\.(?:musl-|so$)/.test(name)))
      return { glibc: false, musl: true };
    const usesGlibc = interpreter !== '' || elf.needed.includes(ascii`libc.so.6`);
    const hasGcompat = this.#context.fs.resolve(ascii`lib/libgcompat.so.0`).path !== null;
    return { glibc: true, musl: !usesGlibc || hasGcompat };
  }

  /** Finds the loaders of musl in the image for one kind of objects. */
  #muslLoaders(kind: Kind): readonly MuslLoader[] {
    const key = `${kind.bits} ${kind.endian} ${kind.machine}`;
    const known = this.#musl.get(key);
    if (known !== undefined) return known;
    const { fs } = this.#context;
    const home = fs.resolve(ascii`lib`).path;
    const found: MuslLoader[] = [];
    for (const path of home === null ? [] : fs.children(home)) {
      const architecture = baseOf(path).match(/^ld-musl-(.+)\.so\.1$/)?.[1];
      if (architecture !== undefined && this.#fits(path, kind))
        found.push({ path, directories: this.#settings.muslDirectories(architecture) });
    }
    this.#musl.set(key, found);
    return found;
  }

  /** Returns whether a file is of the kind that is needed. A loader passes over those of another class or machine. */
  #fits(name: ByteString, { bits, endian, machine }: Kind): boolean {
    let elf = this.#tried.get(name);
    if (elf === undefined) {
      const { path } = this.#context.fs.resolve(name);
      elf = path === null ? null : this.#context.facts.elf(path);
      this.#tried.set(name, elf);
    }
    return elf !== null && elf.bits === bits && elf.endian === endian && elf.machine === machine;
  }
}

/** Splits a list of directories. An empty element is the current directory. */
function splitPath(list: ByteString, separator: RegExp): readonly ByteString[] {
  return list === '' ? [] : list.split(separator).map((part) => (part === '' ? ascii`.` : part));
}
