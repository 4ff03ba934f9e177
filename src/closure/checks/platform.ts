/**
 * Checks that a trace was recorded on the platform of the image. `checkClosure` calls it with the other checks.
 */
import type { ByteString } from '../../bytes/bytes.ts';
import { quotePath } from '../../bytes/path.ts';
import { formatPlatform, matchesPlatform, type Platform, readPlatform } from '../../oci/platform.ts';
import { type Trace, uses } from '../../trace/trace.ts';
import { architectureOf, libcOf, runsOn } from '../architecture.ts';
import type { Problem } from '../problem.ts';
import type { Check } from './check.ts';

/** Yields a problem if the trace states another platform than the image has, or else if the traced names show one. */
export function* checkPlatform({ input }: Check): Generator<Problem> {
  const { trace, platform, fs } = input;
  if (platform !== null && isOfOther(trace, platform)) {
    yield {
      kind: 'platform',
      path: null,
      sentence: `${trace.name} was recorded on ${trace.platform}, the image is for ${formatPlatform(platform)}`,
    };
    return;
  }
  const isThere = (name: ByteString): boolean => fs.resolve(name).path !== null;
  const foreign = platform === null ? null : findForeign(trace, platform, isThere);
  if (foreign !== null && platform !== null) {
    const { name, architecture } = foreign;
    yield {
      kind: 'platform',
      path: name,
      sentence: `${trace.name} was recorded on ${architecture} (it opened ${quotePath(name)}), the image is for ${formatPlatform(platform)}`,
    };
    return;
  }
  yield* checkLibc(trace, isThere);
}

/** Tells whether the trace states a platform that does not fit the image. A text that is not a platform fits any. */
function isOfOther({ platform: text }: Trace, platform: Platform): boolean {
  if (text === null) return false;
  const [os, architecture, variant] = text.split('/');
  const traced = readPlatform({ os, architecture, variant });
  return traced !== null && !matchesPlatform(traced, platform);
}

/** Yields the names that programs opened or executed. Names that were only looked for prove nothing: many exist nowhere. */
function* openedNames({ paths }: Trace): Generator<ByteString> {
  for (const [name, bits] of paths) if ((bits & (uses.open | uses.exec)) !== 0) yield name;
}

/** Finds a loader, or a library in a directory of an architecture, that the image does not have and cannot run. */
function findForeign(
  trace: Trace,
  { architecture: machine }: Platform,
  isThere: (name: ByteString) => boolean,
): { readonly name: ByteString; readonly architecture: string } | null {
  for (const name of openedNames(trace)) {
    const architecture = architectureOf(name);
    if (architecture !== null && !runsOn(architecture, machine) && !isThere(name))
      return { name, architecture };
  }
  return null;
}

/** Yields the C libraries of the trace if the image has none of them: glibc's traces do not fit musl, and the reverse. */
function* checkLibc(trace: Trace, isThere: (name: ByteString) => boolean): Generator<Problem> {
  const missing = new Map<string, ByteString>();
  for (const name of openedNames(trace)) {
    const libc = libcOf(name);
    if (libc === null) continue;
    if (isThere(name)) return;
    if (!missing.has(libc)) missing.set(libc, name);
  }
  for (const [libc, name] of missing) {
    yield {
      kind: 'platform',
      path: name,
      sentence: `${trace.name} was recorded with another C library (${libc}: it opened ${quotePath(name)}, which the image does not have)`,
    };
  }
}
