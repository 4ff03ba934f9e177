import type { Filesystem } from '../rootfs/filesystem.ts';
import { type Path, parentOf, quotePath, root } from '../bytes/path.ts';
import { OcislimError } from '../errors.ts';
import { type ByteString, ascii } from '../bytes/bytes.ts';
import type { Uses } from '../trace/trace.ts';
import { type Problem, showDetail } from './problem.ts';
import type { ClosureContext, ClosureRule, Need, Strength } from './rule.ts';
import { findTraced, type TracedFiles } from './traced.ts';

/** What a closure is made of: the context of the rules but for what the closure itself knows. */
export type ClosureInput = Omit<ClosureContext, 'isKept' | 'strengthOf' | 'usesOf'>;

/** Why a path stays: the strongest reason, and of those the first. */
export interface Why {
  /** Of the rule that asked; `ancestor` for a directory on the way, `symlink-target` for what a kept symlink leads to. */
  readonly rule: string;
  readonly detail: ByteString;
  /** The path that it was asked for; null for a root. It stays too, at least as strongly. */
  readonly because: Path | null;
  readonly strength: Strength;
}

/** What stays of an image. */
export interface Closure {
  /** Number of paths that stay, directories and symlinks included. */
  readonly size: number;
  /** Names of the trace that are in the image (directories not counted), and all of them. */
  readonly traced: { readonly found: number; readonly total: number };
  /** What was required and is not in the image. */
  readonly problems: readonly Problem[];
  /** All paths that stay, literal, parents first. */
  paths(): Iterable<Path>;
  isKept(path: Path): boolean;
  strengthOf(path: Path): Strength | null;
  /** What the trace saw of a path, symlinks resolved. */
  usesOf(path: Path): Uses;
  /** Null for what goes. */
  why(path: Path): Why | null;
  /** The path, what it stays for, and so on up to a root; empty for what goes. */
  chain(path: Path): readonly (Why & { readonly path: Path })[];
}

const rank: Readonly<Record<Strength, number>> = { courtesy: 1, whole: 2, needed: 3 };

/**
 * Collects what must stay, to a fixpoint: every path that stays is followed once, and again when it turns out to be needed
 * more strongly than it was thought to be.
 * @throws TRACE_INVALID where no name of the trace is in the image
 */
export function closeOver(input: ClosureInput, rules: readonly ClosureRule[]): Closure {
  const traced = findTraced(input.fs, input.trace);
  if (traced.found === 0 && input.trace.paths.size > 0) {
    throw new OcislimError(
      'TRACE_INVALID',
      `none of the ${input.trace.paths.size} paths in ${input.trace.name} is a file of the image`,
      {
        advice:
          'If it was recorded outside of the container, say with --trace-root where the container’s root was.',
      },
    );
  }
  const run = new ClosureRun(input, rules, traced);
  run.run();
  return run;
}

class ClosureRun implements Closure {
  readonly #fs: Filesystem;
  readonly #context: ClosureContext;
  readonly #rules: readonly ClosureRule[];
  readonly #traced: TracedFiles;
  readonly #kept = new Map<Path, Why>();
  /** Symlinks whose targets stay too, with the strength at which these were kept. */
  readonly #followedLinks = new Map<Path, Strength>();
  /** Directories all of whose contents stay, likewise. */
  readonly #wholeDirectories = new Map<Path, Strength>();
  readonly #problems = new Map<string, Problem>();
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

  chain(path: Path): readonly (Why & { readonly path: Path })[] {
    const chain: (Why & { readonly path: Path })[] = [];
    // Ends: who asks was kept before, at least as strongly.
    for (let at: Path | null = path; at !== null; ) {
      const why = this.#kept.get(at);
      if (why === undefined) break;
      chain.push({ path: at, ...why });
      at = why.because;
    }
    return chain;
  }

  run(): void {
    this.#keep(root, { rule: 'ancestor', detail: ascii`the root`, because: null, strength: 'needed' });
    for (const rule of this.#rules) this.#takeAll(rule, rule.roots?.(this.#context), null);
    do {
      this.#drain();
      for (const rule of this.#rules) this.#takeAll(rule, rule.settle?.(this.#context), null);
    } while (this.#queue.length > 0);
  }

  #drain(): void {
    while (this.#queue.length > 0) {
      const batch = this.#queue;
      this.#queue = [];
      for (const path of batch) {
        this.#queued.delete(path);
        for (const rule of this.#rules) this.#takeAll(rule, rule.follow?.(path, this.#context), path);
      }
    }
  }

  #takeAll(rule: ClosureRule, needs: Iterable<Need> | undefined, because: Path | null): void {
    for (const need of needs ?? []) this.#take(rule.name, need, because);
  }

  #take(rule: string, need: Need, because: Path | null): void {
    const own = need.strength ?? 'needed';
    // What only belongs to something is no stronger than that.
    const limit = because === null ? 'needed' : (this.strengthOf(because) ?? 'needed');
    const strength = weaker(own, limit);
    const why: Why = { rule, detail: need.detail, because, strength };
    const walk = this.#fs.resolve(rooted(need.path), { follow: need.itself !== true });
    if (walk.path !== null) this.#keep(walk.path, why);
    for (const link of walk.links) this.#keepLink(link, why);
    if (walk.path === null) {
      if (need.required === true && strength === 'needed') this.#complain(rule, need, because);
    } else if (need.itself === true && this.#fs.kind(walk.path) === 'symlink') {
      // It would be a strange sight if it led nowhere, but nothing asked for where it leads.
      this.#keepTarget(walk.path, 'courtesy');
    } else if (need.below === true) {
      this.#keepBelow(walk.path, why);
    }
  }

  #keepBelow(directory: Path, why: Why): void {
    if (atLeast(this.#wholeDirectories.get(directory), why.strength)) return;
    this.#wholeDirectories.set(directory, why.strength);
    for (const path of this.#fs.below(directory)) {
      if (this.#fs.kind(path) === 'symlink') this.#keepLink(path, why);
      else this.#keep(path, why);
    }
  }

  /** A symlink that stays leads where it led, so that the result has no symlinks that broke. */
  #keepLink(link: Path, why: Why): void {
    this.#keep(link, why);
    this.#keepTarget(link, why.strength);
  }

  #keepTarget(link: Path, strength: Strength): void {
    if (atLeast(this.#followedLinks.get(link), strength)) return;
    this.#followedLinks.set(link, strength);
    const why: Why = { rule: 'symlink-target', detail: ascii`where it leads`, because: link, strength };
    const walk = this.#fs.resolve(rooted(link));
    for (const next of walk.links) if (next !== link) this.#keepLink(next, why);
    const end = walk.path ?? this.#nearest(walk.missing ?? root);
    this.#keep(end, why);
  }

  /** The lowest directory that is there: what is created where a dangling symlink leads needs it. */
  #nearest(path: Path): Path {
    let at = path;
    while (at !== '' && this.#fs.kind(at) !== 'directory') at = parentOf(at);
    return at;
  }

  /** Keeps this very path and its ancestors. */
  #keep(path: Path, why: Why): void {
    if (atLeast(this.#kept.get(path)?.strength, why.strength)) return;
    this.#note(path, why);
    let below = path;
    // Directories stay at least as strongly as what they hold: the first that does ends the way up.
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

  #note(path: Path, why: Why): void {
    this.#kept.set(path, why);
    if (why.strength === 'courtesy' || this.#queued.has(path)) return;
    this.#queued.add(path);
    this.#queue.push(path);
  }

  #complain(rule: string, need: Need, because: Path | null): void {
    const path = need.path.replace(/^\/+/, '');
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

function rooted(path: ByteString): ByteString {
  return path.startsWith('/') ? path : ascii`/${path}`;
}

function weaker(a: Strength, b: Strength): Strength {
  return rank[a] < rank[b] ? a : b;
}

function atLeast(have: Strength | undefined, wanted: Strength): boolean {
  return have !== undefined && rank[have] >= rank[wanted];
}
