/**
 * Finds the paths of a trace that an image does not have, although the traced run used them. `trace record` asks at the end of a recording,
 * and `prune` before it believes a trace.
 */
import type { ByteString } from '../bytes/bytes.ts';
import { itemsPerStep, sortSteps, type Steps } from '../steps.ts';
import { type NotInImage, type Trace, type TracedPath, type Uses, uses } from './trace.ts';

/** Directories that a runtime mounts over, and what it mounts into others. */
const mounted =
  /^(?:(?:proc|sys|dev|tmp|run|var\/run|var\/tmp)(?:\/|$)|etc\/(?:hosts|hostname|resolv\.conf|mtab)$)/;

/** What is sought: paths with a use, and without others, that are not in an image. */
export interface Sought {
  readonly use: Uses;
  readonly without: Uses;
  /** Returns whether the image has a path, through symlinks. */
  readonly has: (path: TracedPath) => boolean;
}

/** Returns the paths with a use, and without others, that the image does not have and the run did not make; sorted. */
export function* lostPaths(
  { paths, changes }: Pick<Trace, 'paths' | 'changes'>,
  { use, without, has }: Sought,
): Steps<readonly TracedPath[]> {
  const made = new Set(changes.map(({ path }) => path));
  const found: TracedPath[] = [];
  let seen = 0;
  for (const [path, bits] of paths) {
    if (++seen % itemsPerStep === 0) yield;
    if ((bits & use) === 0 || (bits & without) !== 0) continue;
    if (!mounted.test(path) && !isBelow(path, made) && !has(path)) found.push(path);
  }
  return yield* sortSteps(found);
}

/** Returns the opened paths that an image does not have. What was executed or created is left out. */
export function lostOpens(
  trace: Pick<Trace, 'paths' | 'changes'>,
  has: Sought['has'],
): Steps<readonly TracedPath[]> {
  return lostPaths(trace, { use: uses.open, without: uses.exec | uses.write, has });
}

/** How many of these paths a trace file names. */
export const firstLost = 5;

/** Counts what a recording opened that its image does not have. */
export function* countLost(trace: Pick<Trace, 'paths' | 'changes'>, has: Sought['has']): Steps<NotInImage> {
  const lost = yield* lostOpens(trace, has);
  return { count: lost.length, first: lost.slice(0, firstLost) };
}

/** Returns whether a path, or a directory above it, is among these. */
function isBelow(path: ByteString, made: ReadonlySet<ByteString>): boolean {
  for (let end = path.length; end > 0; end = path.lastIndexOf('/', end - 1))
    if (made.has(path.slice(0, end))) return true;
  return false;
}
