/**
 * Makes rules for files of the paths of a trace: what a program opened, executed, listed and wrote. `apparmor.ts` writes them into a
 * profile, and asks which rights were used where a profile would refuse them.
 */
import { itemsPerStep, type Steps } from '../../steps.ts';
import { type ByteString, joinBytes } from '../../bytes/bytes.ts';
import { type Trace, type TracedPath, type Uses, uses } from '../trace.ts';
import { started } from '../traced-path.ts';
import { type Ending, type FileRule, patternOf, rights, type Rights } from './file-rule.ts';
import { mergeRules } from './grouping.ts';
import { namesOf, PathPatterns, type ProfiledImage } from './path-patterns.ts';

/** The name of a library, with or without a version: it will be mapped as code. */
const library = /\.so(?:\.[^/]*)?$/;
/** Files of databases, which programs lock even if they only read them. */
const database = /\.(?:db|sqlite3?|mdb|lock|lck)$/;

/** Returns the rights that a path needs by its uses; 0 for none. AppArmor asks for no right to look at names and symlinks. */
function rightsOf(path: ByteString, bits: Uses): Rights {
  let needed = 0;
  if ((bits & (uses.open | uses.list)) !== 0) needed |= rights.read;
  if ((bits & uses.open) !== 0 && library.test(path)) needed |= rights.map;
  if ((bits & uses.open) !== 0 && database.test(path)) needed |= rights.lock;
  if ((bits & uses.exec) !== 0) needed |= rights.read | rights.map | rights.execute;
  // A rename asks for the right to read, too.
  if ((bits & uses.write) !== 0) needed |= rights.read | rights.write | rights.lock;
  if ((bits & uses.connect) !== 0) needed |= rights.read | rights.write;
  return needed;
}

/** Rules for files, and what they are for. */
export interface FoundRules {
  readonly rules: readonly FileRule[];
  /** The paths below /proc and /sys with the rights that were used there, for rules that refuse some. */
  readonly ofKernel: ReadonlyMap<TracedPath, Rights>;
}

/** The most interpreters of interpreters that the kernel follows (execve(2)). */
const mostInterpreters = 5;

/** Makes the rules of a trace, each pattern once. */
export function* fileRules(
  trace: Pick<Trace, 'paths' | 'changes'>,
  image: ProfiledImage | null,
): Steps<FoundRules> {
  const patterns = new PathPatterns(trace.changes, image);
  const directories = yield* directoriesOf(trace.paths);
  const linked = linkRights(trace);
  const rules: FileRule[] = [];
  const ofKernel = new Map<TracedPath, Rights>();
  const programs = new Set<TracedPath>();
  const add = (path: TracedPath, bits: Uses): void => {
    const needed = rightsOf(path, bits) | (linked.get(path) ?? 0);
    if (needed === 0) return;
    for (const each of patterns.of(path, needed)) {
      const ending = endingOf(each.path, bits, { directories, image });
      const isOpen = each.parts.at(-1) === '**' && each.path !== started;
      rules.push({ parts: each.parts, ending: isOpen ? '' : ending, rights: needed });
      if (/^(?:proc|sys)\//.test(each.path)) ofKernel.set(each.path, (ofKernel.get(each.path) ?? 0) | needed);
      if ((bits & uses.exec) !== 0) programs.add(each.path);
    }
  };
  let seen = 0;
  for (const [path, bits] of trace.paths) {
    if (++seen % itemsPerStep === 0) yield;
    add(path, bits);
  }
  for (const path of interpretersOf(programs, image)) add(path, uses.exec);
  return { rules: yield* mergeRules(rules, patternOf), ofKernel };
}

/**
 * Returns what the kernel runs the scripts among programs with, as far as the image tells. No call of the trace names it, and a shell that executes
 * itself by /proc/self/exe, as busybox does, needs the right to its own file: all other files that run were executed by their names.
 */
function interpretersOf(
  programs: ReadonlySet<TracedPath>,
  image: ProfiledImage | null,
): ReadonlySet<TracedPath> {
  const found = new Set<TracedPath>();
  for (const program of image === null ? [] : programs) {
    let at: TracedPath | null = program;
    for (let i = 0; i < mostInterpreters && at !== null; i++) {
      at = image?.interpreter(at) ?? null;
      if (at !== null) found.add(at);
    }
  }
  return found;
}

/**
 * Returns the rights of the names of hard links, by path. The new name of a link may have no right that the old one lacks, so that both have
 * all that are given for it. Renames look the same in a trace.
 */
function linkRights({ paths, changes }: Pick<Trace, 'paths' | 'changes'>): ReadonlyMap<TracedPath, Rights> {
  const found = new Map<TracedPath, Rights>();
  const write = rights.read | rights.write | rights.lock;
  for (const change of changes) {
    const bits = change.kind === 'moved' ? (paths.get(change.path) ?? 0) : 0;
    if (change.kind !== 'moved' || (bits & uses.write) === 0) continue;
    found.set(change.path, (found.get(change.path) ?? 0) | rights.link);
    found.set(change.from, (found.get(change.from) ?? 0) | write | rightsOf(change.path, bits));
  }
  return found;
}

/** Returns the directories that hold something which the trace found there. */
function* directoriesOf(paths: Trace['paths']): Steps<ReadonlySet<TracedPath>> {
  const found = new Set<TracedPath>();
  let seen = 0;
  for (const [path, bits] of paths) {
    if (++seen % itemsPerStep === 0) yield;
    if ((bits & ~(uses.fail | uses.failLink)) === 0) continue;
    const names = namesOf(path);
    for (let end = names.length - 1; end > 0; end--) {
      const above = joinBytes(names.slice(0, end), '/');
      if (found.has(above)) break;
      found.add(above);
    }
  }
  return found;
}

/** Says whether a path stands for a file, a directory, or either, as far as trace and image tell. */
function endingOf(
  path: TracedPath,
  bits: Uses,
  { directories, image }: { directories: ReadonlySet<TracedPath>; image: ProfiledImage | null },
): Ending {
  if (path === started) return '/';
  if ((bits & uses.list) !== 0 || directories.has(path)) return (bits & uses.exec) === 0 ? '/' : '{,/}';
  const known = image?.isDirectory(path) ?? null;
  if (known !== null) return known ? '/' : '';
  // mkdir and bind count as writing, as opening does.
  return (bits & uses.write) !== 0 && (bits & uses.exec) === 0 ? '{,/}' : '';
}
