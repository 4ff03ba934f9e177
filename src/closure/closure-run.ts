/**
 * The computation of a closure, to a fixpoint: it follows every path that stays once, and again when a path turns out to be needed
 * more strongly. `closeOver` runs it once, and returns it as the result.
 */
import { ascii } from '../bytes/bytes.ts';
import { type Path, parentOf, quotePath, root } from '../bytes/path.ts';
import type { Filesystem } from '../rootfs/filesystem.ts';
import { itemsPerStep, type Steps } from '../steps.ts';
import type { Uses } from '../trace/trace.ts';
import type { Closure, ClosureInput, Why } from './closure.ts';
import { bare, type Problem, showDetail } from './problem.ts';
import type { ClosureContext, ClosureRule, Need, Strength } from './rule.ts';
import type { TracedFiles } from './traced.ts';

/** Paths that are followed between two pauses: every rule looks at each. */
const pathsPerStep = 1024;

/** Strengths by order: a stronger reason replaces a weaker one. */
const rank: Readonly<Record<Strength, number>> = { courtesy: 1, whole: 2, needed: 3 };

/** The reasons that the computation itself gives. */
const engineRules: Readonly<Record<string, string>> = {
  ancestor: 'The directories on the way to a path.',
  'symlink-target': 'Where a symlink leads.',
};

export class ClosureRun implements Closure {
  readonly #fs: Filesystem;
  readonly #context: ClosureContext;
  readonly #rules: readonly ClosureRule[];
  readonly #traced: TracedFiles;
  readonly #kept = new Map<Path, Why>();
  /** Symlinks whose targets stay too, with the strength at which the targets were kept. */
  readonly #followedLinks = new Map<Path, Strength>();
  /** Directories with all contents that stay, with the strength at which the contents were kept. */
  readonly #wholeDirectories = new Map<Path, Strength>();
  readonly #problems = new Map<string, Problem>();
  /** Paths to be followed, each once: `#queued` holds the same. */
  #queue: Path[] = [];
  readonly #queued = new Set<Path>();

  constructor(input: ClosureInput, rules: readonly ClosureRule[], traced: TracedFiles) {
    this.#fs = input.fs;
    this.#rules = rules;
    this.#traced = traced;
    this.#context = {
      ...input,
      isKept: (path) => this.isKept(path),
      strengthOf: (path) => this.strengthOf(path),
      usesOf: (path) => this.usesOf(path),
    };
  }

  get size(): number {
    return this.#kept.size;
  }

  get traced(): Closure['traced'] {
    return { found: this.#traced.found, total: this.#context.trace.paths.size };
  }

  get problems(): readonly Problem[] {
    return [...this.#problems.values()];
  }

  *paths(): Generator<Path> {
    if (this.#kept.has(root)) yield root;
    for (const path of this.#fs.all()) if (this.#kept.has(path)) yield path;
  }

  isKept(path: Path): boolean {
    return this.#kept.has(path);
  }

  strengthOf(path: Path): Strength | null {
    return this.#kept.get(path)?.strength ?? null;
  }

  usesOf(path: Path): Uses {
    return this.#traced.uses.get(path) ?? 0;
  }

  why(path: Path): Why | null {
    return this.#kept.get(path) ?? null;
  }

  describe(rule: string): string | null {
    return engineRules[rule] ?? this.#rules.find(({ name }) => name === rule)?.describe ?? null;
  }

  chain(path: Path): readonly (Why & { readonly path: Path })[] {
    const chain: (Why & { readonly path: Path })[] = [];
    // The chain ends, because each path is kept for one that was kept earlier and at least as strongly.
    for (let at: Path | null = path; at !== null; ) {
      const why = this.#kept.get(at);
      if (why === undefined) break;
      chain.push({ path: at, ...why });
      at = why.because;
    }
    return chain;
  }

  /** Computes the closure. Rules are asked again in `settle` until no path is new. */
  *steps(): Steps<void> {
    this.#keep(root, { rule: 'ancestor', detail: ascii`the root`, because: null, strength: 'needed' });
    for (const rule of this.#rules) yield* this.#takeRoots(rule, rule.roots?.(this.#context));
    do {
      yield* this.#drain();
      for (const rule of this.#rules) yield* this.#takeRoots(rule, rule.settle?.(this.#context));
    } while (this.#queue.length > 0);
  }

  /** Lets every rule follow the paths of the queue, until it is empty. */
  *#drain(): Steps<void> {
    let seen = 0;
    while (this.#queue.length > 0) {
      // Paths that the rules add meanwhile form the next batch.
      const batch = this.#queue;
      this.#queue = [];
      for (const path of batch) {
        if (++seen % pathsPerStep === 0) yield;
        this.#queued.delete(path);
        for (const rule of this.#rules) this.#takeAll(rule, rule.follow?.(path, this.#context), path);
      }
    }
  }

  /** Keeps everything that a rule yields for its own sake. */
  *#takeRoots(rule: ClosureRule, needs: Iterable<Need | undefined> | undefined): Steps<void> {
    let seen = 0;
    for (const need of needs ?? []) {
      if (need === undefined || ++seen % itemsPerStep === 0) yield;
      if (need !== undefined) this.#take(rule.name, need, null);
    }
  }

  /** Keeps everything that a rule yields. `because`: as for `#take`. */
  #takeAll(rule: ClosureRule, needs: Iterable<Need> | undefined, because: Path | null): void {
    for (const need of needs ?? []) this.#take(rule.name, need, because);
  }

  /** Keeps what a rule asks for. `because` is the path that the rule followed; null for a root. */
  #take(rule: string, need: Need, because: Path | null): void {
    const own = need.strength ?? 'needed';
    // What a path asks for is not needed more strongly than the path.
    const limit = because === null ? 'needed' : (this.strengthOf(because) ?? 'needed');
    const strength = weaker(own, limit);
    const why: Why = { rule, detail: need.detail, because, strength };
    const walk = this.#fs.resolve(need.path, { follow: need.itself !== true });
    if (walk.path !== null) this.#keep(walk.path, why);
    for (const link of walk.links) this.#keepLink(link, why);
    // A rule may name a path that the image never had. This is a problem only if the rule requires it.
    if (walk.path === null) {
      if (need.required === true && strength === 'needed') this.#complain(rule, need, because);
    } else if (need.itself === true && this.#fs.kind(walk.path) === 'symlink') {
      // The rule did not ask for the target, but users would take a dangling symlink for an error.
      this.#keepTarget(walk.path, 'courtesy');
    } else if (need.below === true) {
      this.#keepBelow(walk.path, why);
    }
  }

  /** Keeps all contents of a directory, and where the symlinks among them lead. */
  #keepBelow(directory: Path, why: Why): void {
    if (atLeast(this.#wholeDirectories.get(directory), why.strength)) return;
    this.#wholeDirectories.set(directory, why.strength);
    for (const path of this.#fs.below(directory)) {
      if (this.#fs.kind(path) === 'symlink') this.#keepLink(path, why);
      else this.#keep(path, why);
    }
  }

  /** Keeps a symlink and what it leads to, so that no symlink of the result breaks. */
  #keepLink(link: Path, why: Why): void {
    this.#keep(link, why);
    this.#keepTarget(link, why.strength);
  }

  /** Keeps what a symlink leads to. For a dangling one, this is the directory where a program could create the target. */
  #keepTarget(link: Path, strength: Strength): void {
    if (atLeast(this.#followedLinks.get(link), strength)) return;
    this.#followedLinks.set(link, strength);
    const why: Why = { rule: 'symlink-target', detail: ascii`where it leads`, because: link, strength };
    const walk = this.#fs.resolve(link);
    for (const next of walk.links) if (next !== link) this.#keepLink(next, why);
    this.#keep(walk.path ?? this.#fs.nearestDirectory(walk.missing ?? root), why);
  }

  /** Keeps a literal path and its ancestors. */
  #keep(path: Path, why: Why): void {
    if (atLeast(this.#kept.get(path)?.strength, why.strength)) return;
    this.#note(path, why);
    let below = path;
    // A directory stays at least as strongly as its contents, so that the first one which does ends the way up.
    while (below !== '') {
      const directory = parentOf(below);
      if (atLeast(this.#kept.get(directory)?.strength, why.strength)) return;
      this.#note(directory, {
        rule: 'ancestor',
        detail: ascii`directory`,
        because: below,
        strength: why.strength,
      });
      below = directory;
    }
  }

  /** Records why a path stays, and queues it. A courtesy asks for nothing else. */
  #note(path: Path, why: Why): void {
    this.#kept.set(path, why);
    if (why.strength === 'courtesy' || this.#queued.has(path)) return;
    this.#queued.add(path);
    this.#queue.push(path);
  }

  /** Records that a required path is missing. Each rule names a path once. */
  #complain(rule: string, need: Need, because: Path | null): void {
    const path = bare(need.path);
    const key = `${rule}\0${path}`;
    if (this.#problems.has(key)) return;
    const asker = because === null ? '' : `, for ${quotePath(because)}`;
    this.#problems.set(key, {
      kind: 'missing',
      path,
      sentence: `${quotePath(path)} is not in the image (${rule}, ${showDetail(need.detail)}${asker})`,
    });
  }
}

function weaker(a: Strength, b: Strength): Strength {
  return rank[a] < rank[b] ? a : b;
}

function atLeast(have: Strength | undefined, wanted: Strength): boolean {
  return have !== undefined && rank[have] >= rank[wanted];
}
