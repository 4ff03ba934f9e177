/**
 * Finds the files of a module: beside the source that names it, or where its language installs modules. The rule for modules asks it.
 */
import { ascii, type ByteString, noBytes, utf8Bytes } from '../../bytes/bytes.ts';
import { cleanPath, type Path, parentOf, root } from '../../bytes/path.ts';
import type { SourceLanguage } from '../../rootfs/facts/named-modules.ts';
import { oncePer } from '../../rootfs/once-per.ts';
import { itemsPerStep, type Steps } from '../../steps.ts';
import type { ClosureContext } from '../rule.ts';
import { variable } from '../rules/configuration.ts';
import { classPlaces } from './composer.ts';
import { languages } from './languages.ts';

type Places = readonly ByteString[];

/** The files of installed modules by the file names that `Language.files` returns. */
type Installed = ReadonlyMap<ByteString, readonly Path[]>;

const indexes = oncePer<ClosureContext, Map<SourceLanguage, Installed>>(() => new Map());

/** The most directories above a source that are looked into, the nearest first. */
const maxAbove = 32;

/** What was found before, by language, directory of the source, and name: the sources of a directory name the same modules. */
const found = oncePer<ClosureContext, Map<string, Places>>(() => new Map());

/**
 * Returns the files of a module that a source or manifest names; they may lead through symlinks. A module beside the source does not
 * rule out an installed one: only a running program knows which comes first.
 */
export function* placesOf(
  name: ByteString,
  language: SourceLanguage,
  from: Path,
  context: ClosureContext,
): Steps<Places> {
  const key = `${language}\0${parentOf(from)}\0${name}`;
  const before = found(context).get(key);
  if (before !== undefined) return before;
  const places = relativePlaces(name, language, from, context) ?? [
    ...besidePlaces(name, language, from, context),
    ...(yield* installedPlaces(name, language, context)),
  ];
  found(context).set(key, places);
  return places;
}

/** Returns the files of a module that is named by its way from the source, or from the root; null for any other name. */
function relativePlaces(
  name: ByteString,
  language: SourceLanguage,
  from: Path,
  context: ClosureContext,
): Places | null {
  const [, way, rest = noBytes] = name.match(/^(\/|(?:\.{1,2}(?:\/|$))+)(.*)$/s) ?? [];
  if (way === undefined) return null;
  const start = way === '/' ? root : parentOf(from);
  return hitsIn(ascii`${start}/${way}`, languages[language].files(rest), context);
}

/** Returns the files of a module beside a source: of each group, those in the nearest directory above it that has some. */
function besidePlaces(
  name: ByteString,
  language: SourceLanguage,
  from: Path,
  context: ClosureContext,
): Places {
  const { beside, files } = languages[language];
  // Installed modules find each other where they are installed.
  if (language !== 'node' && directoryOf(from, language) !== null) return [];
  const directories = [...directoriesFor(from, language, context)].flatMap((directory) =>
    beside.map((below) => ascii`${directory}/${below}`),
  );
  return files(name).flatMap((group) => {
    let nearest: Places = [];
    for (const directory of directories) {
      const hits = hitsIn(directory, [group], context);
      if (hits.some((hit) => isLoaded(hit, language))) return [...nearest, ...hits];
      if (nearest.length === 0) nearest = hits;
    }
    return nearest;
  });
}

/** Returns whether its language loads a file by this name. Node passes by endings that it does not try, and may pass by a manifest. */
function isLoaded(place: ByteString, language: SourceLanguage): boolean {
  return language !== 'node' || !/(?:\/package\.json|\.[cm]js)$/.test(place);
}

/** Yields the directories above a source, the nearest first; then the working directory, and those that the environment names. */
function* directoriesFor(
  from: Path,
  language: SourceLanguage,
  context: ClosureContext,
): Generator<ByteString> {
  let left = maxAbove;
  for (let at = parentOf(from); at !== root && left-- > 0; at = parentOf(at)) yield at;
  yield root;
  yield utf8Bytes(context.runtime.workingDirectory);
  const { variable: name } = languages[language];
  if (name !== undefined) yield* variable(name, context).split(':');
}

/** Returns the files of the first group that a directory has. */
function hitsIn(
  directory: ByteString,
  groups: readonly (readonly ByteString[])[],
  { fs }: ClosureContext,
): Places {
  const isFile = (place: ByteString): boolean => {
    const { path } = fs.resolve(place);
    return path !== null && fs.kind(path) === 'file';
  };
  if (fs.resolve(directory).path === null) return [];
  // Most directories have nothing of a name's first part.
  const starts = new Map<ByteString, boolean>();
  const mayBeThere = (file: ByteString): boolean => {
    const start = firstOf(file);
    const known = starts.get(start) ?? fs.resolve(ascii`${directory}/${start}`).path !== null;
    starts.set(start, known);
    return known;
  };
  for (const group of groups) {
    const hits = group
      .filter(mayBeThere)
      .map((file) => ascii`${directory}/${file}`)
      .filter(isFile);
    if (hits.length > 0) return hits;
  }
  return [];
}

/** Returns the first part of a relative path. */
function firstOf(path: ByteString): ByteString {
  const slash = path.indexOf('/');
  return slash < 0 ? path : path.slice(0, slash);
}

function* installedPlaces(
  name: ByteString,
  language: SourceLanguage,
  context: ClosureContext,
): Steps<Places> {
  if (name.includes('\\')) return classPlaces(name, context);
  const index = yield* indexOf(language, context);
  const group = languages[language].files(name).find((names) => names.some((each) => index.has(each))) ?? [];
  return group.flatMap((each) => preferred(index.get(each) ?? [], language, context));
}

/** Returns the files whose directories of modules stay, such as those of one version of a gem; all, if none does. */
function preferred(files: readonly Path[], language: SourceLanguage, context: ClosureContext): Places {
  const inUse = files.filter((path) => context.isKept(directoryOf(path, language) ?? root));
  return inUse.length === 0 ? files : inUse;
}

/** Returns the installed modules of a language, which are collected at the first call. */
function* indexOf(language: SourceLanguage, context: ClosureContext): Steps<Installed> {
  const before = indexes(context).get(language);
  if (before !== undefined) return before;
  const index = new Map<ByteString, Path[]>();
  const { fileName, installed } = languages[language];
  const versions = installed === null ? null : yield* versionsInUse(language, context);
  let seen = 0;
  for (const path of versions === null ? [] : context.fs.all()) {
    if (++seen % itemsPerStep === 0) yield;
    const directory = directoryOf(path, language);
    if (directory === null || context.fs.kind(path) === 'directory') continue;
    const version = versionOf(directory);
    if (version !== null && versions !== null && versions.size > 0 && !versions.has(version)) continue;
    const inside = path.slice(directory.length + 1);
    const name = fileName?.(inside) ?? inside;
    const others = index.get(name);
    if (others === undefined) index.set(name, [path]);
    else others.push(path);
  }
  indexes(context).set(language, index);
  return index;
}

/** Returns the versions of interpreters whose modules stay. An image may have others, which do not read the same directories. */
function* versionsInUse(language: SourceLanguage, context: ClosureContext): Steps<ReadonlySet<string>> {
  const versions = new Set<string>();
  let seen = 0;
  for (const path of context.fs.all()) {
    if (++seen % itemsPerStep === 0) yield;
    const directory = context.isKept(path) ? directoryOf(path, language) : null;
    const version = directory === null ? null : versionOf(directory);
    if (version !== null) versions.add(version);
  }
  return versions;
}

/** Returns the directory of installed modules that a file is in; null for any other file. */
export function directoryOf(path: Path, language: SourceLanguage): Path | null {
  const { installed } = languages[language];
  const [start] = (installed === null ? null : path.match(installed)) ?? [];
  return start === undefined ? null : cleanPath(start);
}

/** Returns the version of the interpreter that a directory of modules is for: "3.11"; null where it is for any. */
function versionOf(directory: Path): string | null {
  return directory.match(/^(?:.*\/)?[a-z]*(\d{1,2}\.\d{1,3})(?:\.[\d.]*)?t?(?:\/|$)/)?.[1] ?? null;
}
