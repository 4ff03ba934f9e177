/**
 * This room finds out what of an image must stay for a traced application to run: what the trace saw, and what rules add that no
 * trace shows. It removes nothing, and knows neither layers nor presets: `slim` does.
 */
import { OcislimError } from '../errors.ts';
import type { ByteString } from '../bytes/bytes.ts';
import type { Path } from '../bytes/path.ts';
import type { Uses } from '../trace/trace.ts';
import { ClosureRun } from './closure-run.ts';
import type { Problem } from './problem.ts';
import type { ClosureContext, ClosureRule, Strength } from './rule.ts';
import { atOnce, type Steps } from '../steps.ts';
import { tracedSteps } from './traced.ts';

/** The input of a closure: the context of the rules, without what the closure itself computes. */
export type ClosureInput = Omit<ClosureContext, 'isKept' | 'strengthOf' | 'usesOf'>;

/** Why a path stays: the strongest reason, and of equally strong ones the first. */
export interface Why {
  /** The name of the rule; `ancestor` for a directory on the way to a path, `symlink-target` for where a symlink leads. */
  readonly rule: string;
  /** The reason for people, behind the name of the rule. Names in it are bytes as the image has them. */
  readonly detail: ByteString;
  /** The path that this one stays for, which stays at least as strongly. Null for a root. */
  readonly because: Path | null;
  readonly strength: Strength;
}

/** What stays of an image. All paths are literal. */
export interface Closure {
  /** Number of paths that stay, with directories and symlinks. */
  readonly size: number;
  /** Number of names of the trace that are files in the image, and of all its names. */
  readonly traced: { readonly found: number; readonly total: number };
  /** Paths that a rule required, and that the image does not have. */
  readonly problems: readonly Problem[];
  /** Yields all paths that stay, parents first. */
  paths(): Iterable<Path>;
  isKept(path: Path): boolean;
  /** Returns how strongly a path stays; null for a path that does not stay. */
  strengthOf(path: Path): Strength | null;
  /** Returns the traced uses of a path, with the symlinks of its names resolved; 0 for none. */
  usesOf(path: Path): Uses;
  /** Returns the reason for a path; null for a path that does not stay. */
  why(path: Path): Why | null;
  /** Returns what a rule keeps, in a sentence; null for another name. */
  describe(rule: string): string | null;
  /** Returns the path, the path that it stays for, and so on up to a root; empty for a path that does not stay. */
  chain(path: Path): readonly (Why & { readonly path: Path })[];
}

/**
 * Computes what must stay of an image under these rules.
 *
 * @throws TRACE_INVALID where no name of the trace is a file in the image
 */
export function closeOver(input: ClosureInput, rules: readonly ClosureRule[]): Closure {
  return atOnce(closureSteps(input, rules));
}

/** Computes a closure in steps. @throws TRACE_INVALID */
export function* closureSteps(input: ClosureInput, rules: readonly ClosureRule[]): Steps<Closure> {
  const traced = yield* tracedSteps(input.fs, input.trace);
  if (traced.found === 0 && input.trace.paths.size > 0) {
    throw new OcislimError(
      'TRACE_INVALID',
      `none of the ${input.trace.paths.size} paths in ${input.trace.name} is a file in the image`,
      {
        advice:
          'If it was recorded outside of the container, give the root of the container as --trace-root.',
      },
    );
  }
  const run = new ClosureRun(input, rules, traced);
  yield* run.steps();
  return run;
}
