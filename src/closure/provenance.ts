/**
 * What speaks against a trace: the image that it is of, how its runs ended, and what it cannot show. `close-image.ts` asks before the
 * result is checked.
 */
import { ascii, type ByteString } from '../bytes/bytes.ts';
import { quotePath } from '../bytes/path.ts';
import type { Digest } from '../oci/digest.ts';
import type { Steps } from '../steps.ts';
import { lostOpens, lostPaths } from '../trace/lost-paths.ts';
import { type RunEnd, type TracedPath, uses } from '../trace/trace.ts';
import type { ClosureInput } from './closure.ts';
import type { Problem } from './problem.ts';

/** What suggests that a trace is of another image. */
export interface Provenance {
  /** Reasons to refuse the trace. */
  readonly problems: readonly Problem[];
  /** Reasons to warn. */
  readonly doubts: readonly string[];
}

/**
 * Compares the image of a trace with the one that it is used for, whose digest is given, and asks how the traced runs ended. A trace
 * of an earlier build has another digest, and is as good as long as the programs are the same: this is a doubt. So is an executed
 * program that the image does not have, which a mounted volume may hold. Both together are a problem.
 */
export function* provenanceSteps(input: ClosureInput, digest: Digest): Steps<Provenance> {
  const { trace } = input;
  const isOther = trace.image !== null && trace.image !== digest;
  const other = `${trace.name} is of another image, ${trace.image}`;
  const has = (path: TracedPath): boolean => input.fs.resolve(ascii`/${path}`).path !== null;
  const executed = yield* lostPaths(trace, { use: uses.exec, without: 0, has });
  const sentence = `executed ${listed(executed, 1)}, which the image does not have`;
  // Lists and tools that watch a whole machine name more than one container has.
  const opened = trace.knowsExecs ? yield* lostOpens(trace, has) : [];
  const failures = trace.ends.filter(({ status, stopped }) => status !== 0 && stopped === null);
  const recorded = failures.filter(({ seconds }) => seconds !== null);
  return {
    problems: [
      ...(isOther && executed.length > 0
        ? [{ kind: 'other-image' as const, path: executed[0] ?? null, sentence: `${other}; it ${sentence}` }]
        : []),
      ...recorded.map((end) => ({
        kind: 'failed-run' as const,
        path: null,
        sentence: `the run of ${trace.name} failed: it ${endOf(end)}`,
      })),
    ],
    doubts: [
      ...(isOther && executed.length === 0 ? [other] : []),
      ...(!isOther && executed.length > 0 ? [`${trace.name} ${sentence}`] : []),
      ...(opened.length === 0
        ? []
        : [`${trace.name} opened ${listed(opened, shown)}, which the image does not have`]),
      ...failures
        .filter(({ seconds }) => seconds === null)
        .map((end) => `the run of ${trace.name} may have failed: it ${endOf(end)}`),
      ...gapsOf(input),
    ],
  };
}

/** Says what the trace cannot show. Where whole packages stay anyway, that is a doubt only if they stay for it. */
function gapsOf({ trace, granularity }: ClosureInput): readonly string[] {
  if (trace.isBlind) return trace.gaps.map((gap) => `${trace.name} ${gap}: at least whole packages stay`);
  if (granularity !== 'file') return [];
  return trace.gaps.map((gap) => `${trace.name} ${gap}: --granularity package keeps whole packages instead`);
}

function endOf({ status, signal, seconds }: RunEnd): string {
  const how = signal === null ? `exited with ${status}` : `was ended by ${signal}`;
  if (seconds === null) return how;
  return `${how} after ${seconds < 10 ? Number(seconds.toPrecision(2)) : Math.round(seconds)} s`;
}

/** The most opened paths that a sentence names. */
const shown = 3;

/** Names the first of some paths, and the number of the others. */
function listed(paths: readonly ByteString[], most: number): string {
  const rest = paths.length - most;
  return `${paths.slice(0, most).map(quotePath).join(', ')}${rest > 0 ? `, and ${rest} more` : ''}`;
}
