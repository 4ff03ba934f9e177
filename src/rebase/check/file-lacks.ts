/**
 * What a file needs to run and an image does not have: its loader, its libraries and their versions, its interpreter. The check asks it for the same
 * file in two images, so that what was missing before does not count.
 */
import { ascii, type ByteString } from '../../bytes/bytes.ts';
import { type Path, quotePath } from '../../bytes/path.ts';
import { findProgram } from '../../closure/commands.ts';
import { type Loaded, librarySearch } from '../../closure/libraries/search.ts';
import { bare } from '../../closure/problem.ts';
import { isRun, readInterpreter } from '../../closure/rules/script.ts';
import type { Elf } from '../../rootfs/facts/facts.ts';
import type { LackKind } from '../findings.ts';
import type { View } from './view.ts';

/** One thing that a file does not find. */
export interface FileLack {
  readonly kind: LackKind;
  readonly missing: ByteString;
  /** What is wrong, without the files that need it. */
  readonly what: string;
}

/** Yields what a file does not find in an image. */
export function* fileLacks(path: Path, view: View): Generator<FileLack> {
  const elf = view.facts.elf(path);
  if (elf !== null) yield* elfLacks({ path, elf, loaders: [] }, view);
  const line = view.facts.script(path);
  if (line !== null && isRun(path, { fs: view.fs, usesOf: () => 0 })) yield* scriptLacks(line, view);
}

function* scriptLacks(line: ByteString, view: View): Generator<FileLack> {
  const { interpreter, program } = readInterpreter(line);
  if (!exists(interpreter, view)) yield missingInterpreter(interpreter);
  if (program !== null && findProgram(program, view) === null)
    yield {
      kind: 'program',
      missing: program,
      what: `${quotePath(program)}, which env looks for in PATH, is not there`,
    };
}

/** Yields the lacks of a program or library, and of the libraries that only its search path finds. */
function* elfLacks(top: Loaded, view: View): Generator<FileLack> {
  const { interpreter } = top.elf;
  if (interpreter !== null && !exists(interpreter, view)) {
    yield missingInterpreter(interpreter);
    return;
  }
  const search = librarySearch(view);
  const isWalked = search.inherits(top.elf);
  const seen = new Set<Path>([top.path]);
  const ahead: Loaded[] = [top];
  for (let object = ahead.shift(); object !== undefined; object = ahead.shift()) {
    for (const name of object.elf.needed) {
      const places = search.find(name, object);
      if (places.length === 0)
        yield { kind: 'library', missing: name, what: `the library ${quotePath(name)} is not found` };
      for (const place of places) {
        const { path } = view.fs.resolve(place);
        const elf = path === null ? null : view.facts.elf(path);
        if (path === null || elf === null) continue;
        yield* versionLacks(name, object.elf, { path, elf });
        if (!isWalked || seen.has(path)) continue;
        seen.add(path);
        const { loaders } = object;
        ahead.push({ path, elf, loaders: [{ path: object.path, elf: object.elf }, ...loaders] });
      }
    }
  }
}

/**
 * Yields the versions of symbols that a file needs of a library and that this one does not define. A library without versions is taken by loaders
 * as it is (glibc, elf/dl-version.c), and musl looks at none.
 */
function* versionLacks(
  name: ByteString,
  { versionNeeds = [] }: Elf,
  library: { readonly path: Path; readonly elf: Elf },
): Generator<FileLack> {
  const { versions: defined = [] } = library.elf;
  if (defined.length === 0) return;
  const needed = versionNeeds.filter((need) => need.library === name).flatMap(({ versions }) => versions);
  for (const version of needed) {
    if (defined.includes(version)) continue;
    const newest = newestLike(version, defined);
    const has = newest === null ? '' : `: its newest is ${quotePath(newest)}`;
    yield {
      kind: 'symbol-version',
      missing: ascii`${name} (${version})`,
      what: `${quotePath(name)} has no version ${quotePath(version)}${has}`,
    };
  }
}

/** Returns the newest version of the same family: GLIBC_2.36 for GLIBC_2.38. */
function newestLike(version: ByteString, defined: readonly ByteString[]): ByteString | null {
  const family = familyOf(version);
  const numbers = (text: ByteString): readonly number[] => text.slice(family.length).split('.').map(Number);
  const alike = defined.filter((each) => familyOf(each) === family && each !== family);
  return alike.toSorted((a, b) => compare(numbers(a), numbers(b))).at(-1) ?? null;
}

/** Returns the name of a version without its number. */
function familyOf(version: ByteString): string {
  let end = version.length;
  while (end > 0 && '0123456789.'.includes(version[end - 1] as string)) end--;
  return version.slice(0, end);
}

function compare(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((number, i) => number !== b[i]);
  return at < 0 ? a.length - b.length : (a[at] ?? 0) - (b[at] ?? -1);
}

function missingInterpreter(interpreter: ByteString): FileLack {
  const missing = bare(interpreter);
  return { kind: 'interpreter', missing, what: `the interpreter ${quotePath(missing)} is not there` };
}

function exists(name: ByteString, { fs }: View): boolean {
  return fs.resolve(name).path !== null;
}
