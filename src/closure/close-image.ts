/**
 * The closure of an image for a pruning by trace: what stays, and whether the result would run. The rewrite job calls it between
 * the scan of the layers and the pruning.
 */
import type { Filesystem } from '../rootfs/filesystem.ts';
import type { Path } from '../bytes/path.ts';
import { OcislimError } from '../errors.ts';
import { type Image, nameOfImage, type Pruning } from '../image/image.ts';
import type { TracePruning } from '../image/trace-pruning.ts';
import { runtimeOf } from '../configure/configure.ts';
import type { ContentProbe, FileFacts } from '../rootfs/facts/facts.ts';
import { utf8Bytes } from '../bytes/bytes.ts';
import { placeSteps } from '../trace/place.ts';
import { fromTraceDataSteps } from '../trace/trace-data.ts';
import type { Steps } from '../steps.ts';
import { checkClosure } from './checks.ts';
import { followSteps } from './name-changes.ts';
import { type Closure, type ClosureInput, closureSteps } from './closure.ts';
import { listed, type Problem } from './problem.ts';
import { provenanceSteps } from './provenance.ts';
import { closureRules, contentProbes } from './rules/all.ts';

/** The closure of an image, with what it was computed from. */
export interface TraceClosure {
  readonly pruning: TracePruning;
  /** Whether reasons to refuse are only warnings. */
  readonly force: boolean;
  readonly input: ClosureInput;
  readonly closure: Closure;
}

/** A closure that was checked against the result. */
export interface CheckedClosure extends TraceClosure {
  /** The reasons why the result might not run. Without `--force`, there are none: they were thrown. */
  readonly problems: readonly Problem[];
  /** What may be wrong with the trace, and is not a reason to refuse it. */
  readonly doubts: readonly string[];
}

/** Returns how much of the contents of a file the rules need: the most that any rule wants, in bytes. */
export const contentProbe: ContentProbe = (path) => {
  let wanted = 0;
  for (const probe of contentProbes) wanted = Math.max(wanted, probe(path));
  return wanted;
};

/**
 * Computes the closure of an image. Null for a pruning without a trace.
 *
 * @throws TRACE_INVALID where no name of the trace is a file in the image
 */
export function* closeImageSteps(
  image: Image,
  { trace: pruning, keep, force }: Pruning,
  fs: Filesystem,
  facts: FileFacts,
): Steps<TraceClosure | null> {
  if (pruning === null) return null;
  const runtime = runtimeOf(image);
  const given = yield* fromTraceDataSteps(pruning.trace);
  const trace = yield* placeSteps(given, utf8Bytes(runtime.workingDirectory));
  // Files that no trace can show are in the packages of others.
  const granularity = trace.isBlind && pruning.granularity === 'file' ? 'package' : pruning.granularity;
  const input: ClosureInput = {
    fs,
    facts,
    runtime,
    platform: image.config.platform,
    trace: yield* followSteps(fs, trace),
    granularity,
    keepCommands: pruning.keepCommands,
  };
  return {
    pruning: { ...pruning, granularity },
    force,
    input,
    closure: yield* closureSteps(input, closureRules({ keep })),
  };
}

/**
 * Checks whether the result would run. `isGone` tells whether the file at a literal path is not in it.
 *
 * @throws UNSAFE with every reason, unless the pruning is forced
 */
export function* checkTracedSteps(
  image: Image,
  traced: TraceClosure,
  isGone: (path: Path) => boolean,
): Steps<CheckedClosure> {
  const { problems: others, doubts } = yield* provenanceSteps(traced.input, image.descriptor.digest);
  const problems = [...others, ...checkClosure(traced.input, traced.closure, isGone)];
  if (problems.length === 0 || traced.force) return { ...traced, problems, doubts };
  throw new OcislimError('UNSAFE', `${nameOfImage(image)} would not run:${listed(problems)}`, {
    advice:
      'Record the trace from the start of the entrypoint on, or name what is missing with --keep or --keep-command. --force prunes anyway; --force --dry-run --explain PATH shows why a path stays or goes.',
  });
}
