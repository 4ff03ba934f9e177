/**
 * The guard of prunings without a trace: whether rules take what the config names, or what runs that. `resolve` asks it after the
 * pruning and before a byte is written. It looks into files only where something went that programs may need, and then only into
 * the layers that hold what the config names.
 */
import { baseOf, type Path, parentOf, root } from '../bytes/path.ts';
import { OcislimError } from '../errors.ts';
import { type Image, nameOfImage } from '../image/image.ts';
import { runtimeOf } from '../configure/configure.ts';
import type { FileFacts } from '../rootfs/facts/facts.ts';
import type { Filesystem } from '../rootfs/filesystem.ts';
import type { Rule } from '../rules/rule.ts';
import { atOnce, itemsPerStep, type Steps } from '../steps.ts';
import { fromTraceDataSteps } from '../trace/trace-data.ts';
import { type Check, namedCommands } from './checks/check.ts';
import { checkCommands } from './checks/commands.ts';
import { checkFiles } from './checks/files.ts';
import { checkUser } from './checks/user.ts';
import { type ClosureInput, closureSteps } from './closure.ts';
import { commandNeeds } from './commands.ts';
import { listed, type Problem } from './problem.ts';
import type { ClosureRule } from './rule.ts';
import { elfInterpreterRule } from './rules/elf-interpreter.ts';
import { elfNeededRule } from './rules/elf-needed.ts';
import { scriptRule } from './rules/script.ts';

const commandsRule: ClosureRule = {
  name: 'config',
  describe: 'The programs that the config of the image names, with the files among their arguments.',
  *roots(context) {
    for (const { words, what } of namedCommands(context.runtime))
      yield* commandNeeds(words, context, { detail: what });
  },
};

/** What the config names, and what kernels and loaders need to run it. */
const namedRules: readonly ClosureRule[] = [commandsRule, elfInterpreterRule, elfNeededRule, scriptRule];

/** An image that rules were applied to. */
export interface RuledImage {
  readonly image: Image;
  /** The root filesystem before and after the pruning. */
  readonly before: Filesystem;
  readonly after: Filesystem;
  readonly facts: FileFacts;
  /** Tells whether the facts have the files of a layer. */
  readonly hasFacts: (layer: number) => boolean;
  /** Returns the rule that took a path; null where none did. */
  readonly ruleOf: (path: Path) => Rule | null;
}

/** `looks`: layers whose files must be looked into before anything can be said. */
export type NamedResult =
  | { readonly kind: 'checked'; readonly problems: readonly Problem[] }
  | { readonly kind: 'looks'; readonly layers: readonly number[] };

/** Checks that rules leave the programs and files that the config names, their interpreters and libraries, and the file of its user. */
export function* checkNamedSteps(ruled: RuledImage): Steps<NamedResult> {
  const { image, before: fs, after } = ruled;
  const isGone = (path: Path): boolean => fs.kind(path) !== null && after.kind(path) === null;
  const missing = new Set<number>();
  const input: ClosureInput = {
    fs,
    facts: watched(ruled, missing),
    runtime: runtimeOf(image),
    platform: image.config.platform,
    trace: noTrace,
    granularity: 'file',
    keepCommands: [],
  };
  // What the config itself names is known without a look into files.
  const named: Check = { input, closure: yield* closureSteps(input, []), isGone };
  const first = [...checkCommands(named), ...checkUser(named)];
  const mayBreak = first.some(({ path }) => isLoss(path, named)) || (yield* mayTakeNeeded(fs, isGone));
  missing.clear();
  if (!mayBreak) return { kind: 'checked', problems: [] };
  const all: Check = { ...named, closure: yield* closureSteps(input, namedRules) };
  const problems = [...first, ...checkFiles(all)].filter(({ path }) => isLoss(path, all));
  if (missing.size > 0) return { kind: 'looks', layers: [...missing].sort((a, b) => a - b) };
  return { kind: 'checked', problems: problems.map((problem) => blamed(problem, all, ruled)) };
}

/** @throws UNSAFE with every problem */
export function refuseNamed(image: Image, problems: readonly Problem[]): never {
  const paths = [...new Set(problems.map(({ path }) => path ?? ''))].filter((path) => plain.test(path));
  const keeps = paths.length === problems.length && paths.length <= 3;
  const how = keeps ? `Keep it (${paths.map((path) => `--keep ${path}`).join(' ')})` : 'Keep it with --keep';
  throw new OcislimError('UNSAFE', `${nameOfImage(image)} would not run:${listed(problems)}`, {
    advice: `${how}, or choose other rules. --force prunes anyway.`,
  });
}

/** What a shell takes as it is. */
const plain = /^[\w./+@:-]+$/;

const noTrace = atOnce(
  fromTraceDataSteps({
    name: '',
    platform: null,
    image: null,
    knowsExecs: false,
    paths: [],
    changes: [],
    ends: [],
    gaps: [],
    isBlind: false,
  }),
);

/** Shows the facts, and notes the layers that have none yet. */
function watched({ facts, before, hasFacts }: RuledImage, missing: Set<number>): FileFacts {
  const note = (path: Path): Path => {
    const carrier = before.carrier(path);
    if (carrier?.kind === 'file' && !hasFacts(carrier.layer)) missing.add(carrier.layer);
    return path;
  };
  return {
    elf: (path) => facts.elf(note(path)),
    script: (path) => facts.script(note(path)),
    mentions: () => [],
    modules: () => null,
    parts: () => [],
    contents: (path) => facts.contents(note(path)),
  };
}

/** Returns whether a name that a problem is about was in the image, and is gone. What was never there is not the rules' fault. */
function isLoss(path: Problem['path'], { input, isGone }: Check): boolean {
  const walk = path === null ? null : input.fs.resolve(path);
  return walk !== null && walk.path !== null && [walk.path, ...walk.links].some(isGone);
}

/** Adds what took the path to a problem, and names the path that went: that of a symlink on the way, or the file. */
function blamed(problem: Problem, { input, isGone }: Check, { ruleOf }: RuledImage): Problem {
  const { path, links } = input.fs.resolve(problem.path ?? root);
  const gone = [...links, ...(path === null ? [] : [path])].find(isGone);
  const rule = gone === undefined ? null : ruleOf(gone);
  if (gone === undefined || rule === null) return problem;
  const by = rule.group === undefined ? `${rule.origin} ${JSON.stringify(rule.text)}` : rule.origin;
  return { ...problem, path: gone, sentence: `${problem.sentence} (${by})` };
}

/** Returns whether something went that could run a program: an executable file, a library, or a link that led to one. */
function* mayTakeNeeded(fs: Filesystem, isGone: (path: Path) => boolean): Steps<boolean> {
  const links: Path[] = [];
  let seen = 0;
  for (const path of fs.all()) {
    if (++seen % itemsPerStep === 0) yield;
    const kind = fs.kind(path);
    if (kind === 'directory' || !isGone(path)) continue;
    if (kind === 'symlink') links.push(path);
    else if (isRunnable(path, fs)) return true;
  }
  let folders: ReadonlySet<Path> | null = null;
  for (const link of links) {
    const { path } = fs.resolve(link);
    if (path === null) continue;
    if (fs.kind(path) !== 'directory') {
      if (isRunnable(path, fs)) return true;
    } else if ((folders ??= yield* foldersOfRunnables(fs)).has(path)) return true;
  }
  return false;
}

function isRunnable(path: Path, fs: Filesystem): boolean {
  return fs.kind(path) === 'file' && ((fs.mode(path) & 0o111) !== 0 || /\.so(?:\.|$)/.test(baseOf(path)));
}

/** Returns the directories that have executable files or libraries anywhere below them. */
function* foldersOfRunnables(fs: Filesystem): Steps<ReadonlySet<Path>> {
  const folders = new Set<Path>([root]);
  let seen = 0;
  for (const path of fs.all()) {
    if (++seen % itemsPerStep === 0) yield;
    if (!isRunnable(path, fs)) continue;
    for (let at = parentOf(path); !folders.has(at); at = parentOf(at)) folders.add(at);
  }
  return folders;
}
