/**
 * Compares an image with itself on another base: what worked before and does not there. The job that rebases calls it, with the facts of
 * all layers; nothing is run.
 */
import { noBytes } from '../../bytes/bytes.ts';
import { type Path, quotePath } from '../../bytes/path.ts';
import { itemsPerStep, type Steps } from '../../steps.ts';
import { type Lack, type LackKind, lackKinds, type RebaseFindings } from '../findings.ts';
import { configLacks } from './config-lacks.ts';
import { type FileLack, fileLacks } from './file-lacks.ts';
import { foreignDatabases, type HiddenInput, hiddenSteps } from './hidden-files.ts';
import { languageLacks } from './language-lacks.ts';
import type { View } from './view.ts';

/** An image, both bases, and the image on the new one. */
export interface RebaseInput {
  readonly source: View;
  readonly from: View;
  readonly to: View;
  readonly result: View;
  /** The number of layers of each base: the layers above are the application. */
  readonly layers: { readonly from: number; readonly to: number };
  readonly printOf: HiddenInput['printOf'];
}

/** Finds what an image lacks on its new base, and what it hides of it. Files of the base count as well: the application may break them. */
export function* checkRebaseSteps(input: RebaseInput): Steps<RebaseFindings> {
  const { from, to, source, result, layers } = input;
  const files = { from: from.fs, to: to.fs, result: result.fs, layers: layers.to, printOf: input.printOf };
  const { files: hidden, isWhole } = yield* hiddenSteps(files);
  const own = yield* ownFilesSteps(input);
  const lacks = [
    ...configLacks(source, result),
    ...(yield* fileSteps(input, new Set(own), isWhole)),
    ...languages(input, own),
    ...foreignDatabases(files).map(databaseLack),
  ];
  const order = Object.keys(lackKinds);
  return { lacks: lacks.toSorted((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind)), hidden };
}

/** Collects the files of the application. */
function* ownFilesSteps({ result: { fs }, layers }: RebaseInput): Steps<readonly Path[]> {
  const own: Path[] = [];
  let seen = 0;
  for (const path of fs.all()) {
    if (++seen % itemsPerStep === 0) yield;
    if (fs.kind(path) !== 'directory' && (fs.carrier(path)?.layer ?? 0) > layers.to) own.push(path);
  }
  return own;
}

/** Files between two pauses: each may search for dozens of libraries. */
const filesPerStep = 64;

/** Compares what files find in the result with what they found where they come from, and puts those together that lack the same. */
function* fileSteps(
  { source, to, result }: RebaseInput,
  own: ReadonlySet<Path>,
  isWhole: boolean,
): Steps<readonly Lack[]> {
  const lost = new Map<string, { readonly lack: FileLack; readonly files: Path[] }>();
  let seen = 0;
  for (const path of result.fs.all()) {
    if (++seen % filesPerStep === 0) yield;
    const isOwn = own.has(path);
    // What a base shows whole runs as it ran there.
    if (!isOwn && isWhole) continue;
    for (const lack of lossesOf(path, { source, to, result }, isOwn)) {
      const key = `${lack.kind} ${lack.missing}`;
      const known = lost.get(key);
      if (known === undefined) lost.set(key, { lack, files: [path] });
      else known.files.push(path);
    }
  }
  return [...lost.values()].map(({ lack, files }) => lackOf(lack, files));
}

function lossesOf(
  path: Path,
  { source, to, result }: Pick<RebaseInput, 'source' | 'to' | 'result'>,
  isOwn: boolean,
): readonly FileLack[] {
  const kind = result.fs.kind(path);
  if (kind === 'symlink') return isOwn ? linkLosses(path, source, result) : [];
  if (kind !== 'file') return [];
  const after = [...fileLacks(path, result)];
  if (after.length === 0) return [];
  const before = isOwn ? [source] : source.fs.kind(path) === 'file' ? [to, source] : [to];
  const known = before.map((view) => new Set([...fileLacks(path, view)].map(keyOf)));
  return after.filter((lack) => known.every((keys) => !keys.has(keyOf(lack))));
}

function keyOf({ kind, missing }: FileLack): string {
  return `${kind} ${missing}`;
}

function linkLosses(path: Path, source: View, result: View): readonly FileLack[] {
  if (result.fs.resolve(path).path !== null || source.fs.resolve(path).path === null) return [];
  const target = result.fs.target(path) ?? noBytes;
  const what = `the symlink ${quotePath(path)} leads nowhere: its target is ${quotePath(target)}`;
  return [{ kind: 'symlink', missing: target, what }];
}

/** What to do about each kind. */
const advices: Readonly<Partial<Record<LackKind, string>>> = {
  interpreter: 'Choose a base of the same C library that has it, or build the image again.',
  program: 'Choose a base that has it.',
  library: 'Choose a base that has it, or add it to the image: "ocislim append".',
  'symbol-version':
    'Choose a base at least as new as the one that it was built on, or build the image again.',
  symlink: 'Choose a base that has the target, or build the image again.',
};

function lackOf({ kind, missing, what }: FileLack, files: readonly Path[]): Lack {
  const needing = kind === 'symlink' && files.length === 1 ? '' : `; ${neededBy(files)}`;
  return {
    kind,
    missing,
    neededBy: files.toSorted(),
    sentence: what + needing,
    advice: advices[kind] ?? '',
  };
}

/** Names the first files that need something: "needed by "a", "b" and 3 more". */
function neededBy(files: readonly Path[]): string {
  const named = files.slice(0, 3).map((path) => quotePath(path));
  const rest = files.length - named.length;
  return `needed by ${named.join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
}

function languages({ source, result, layers }: RebaseInput, own: readonly Path[]): readonly Lack[] {
  const isOwn = (path: Path): boolean => (source.fs.carrier(path)?.layer ?? 0) > layers.from;
  return languageLacks({ source, result, own, isOwn }).map(({ missing, neededBy: files, name, has }) => {
    const others = has.map((version) => version.replace(/^python/, '')).join(', ');
    const instead = others === '' ? `no ${name}` : `${name} ${others}`;
    return {
      kind: 'language',
      missing,
      neededBy: files,
      sentence: `modules are for ${missing}, and the new base has ${instead}; ${neededBy(files)}`,
      advice: `Choose a base with ${missing}, or build the image again.`,
    };
  });
}

function databaseLack(path: Path): Lack {
  return {
    kind: 'package-database',
    missing: path,
    neededBy: [],
    sentence: `${quotePath(path)} of the application lists the packages of the old base: scanners and package managers would take them for those of the result`,
    advice: 'Build the image again on the new base: packages were installed on top of the old one.',
  };
}
