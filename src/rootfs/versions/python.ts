/**
 * The order of Python's versions: PEP 440, "Summary of permitted suffixes and relative ordering". `versions.ts` asks for it.
 */
import { compareDigits, compareMixed } from './digits.ts';

const grammar =
  /^v?(?:([0-9]+)!)?([0-9]+(?:\.[0-9]+)*)(?:[-_.]?(alpha|a|beta|b|preview|pre|c|rc)[-_.]?([0-9]*))?(?:-([0-9]+)|[-_.]?(post|rev|r)[-_.]?([0-9]*))?(?:[-_.]?(dev)[-_.]?([0-9]*))?(?:\+([a-z0-9]+(?:[-_.][a-z0-9]+)*))?$/;

interface Version {
  readonly epoch: string;
  readonly release: readonly string[];
  /** The kind of the pre-release (0 for a development release alone, 4 for none), and its number. */
  readonly pre: readonly [number, string];
  /** Null for none, which is the lowest. */
  readonly post: string | null;
  /** Null for none, which is the highest. */
  readonly dev: string | null;
  readonly local: readonly string[];
}

/** Compares two versions; null where one has another form. */
export function comparePython(a: string, b: string): number | null {
  const [left, right] = [parse(a), parse(b)];
  if (left === null || right === null) return null;
  return (
    compareDigits(left.epoch, right.epoch) ||
    compareReleases(left.release, right.release) ||
    left.pre[0] - right.pre[0] ||
    compareDigits(left.pre[1], right.pre[1]) ||
    compareOptional(left.post, right.post, -1) ||
    compareOptional(left.dev, right.dev, 1) ||
    compareLocals(left.local, right.local)
  );
}

function parse(text: string): Version | null {
  const match = grammar.exec(text.toLowerCase());
  if (match === null) return null;
  const [
    ,
    epoch = '',
    release = '',
    preName,
    pre = '',
    plain,
    postName,
    post = '',
    devName,
    dev = '',
    local,
  ] = match;
  const hasPost = plain !== undefined || postName !== undefined;
  return {
    epoch,
    release: release.split('.'),
    pre: [rankOf(preName, devName !== undefined && !hasPost), pre],
    post: hasPost ? (plain ?? post) : null,
    dev: devName === undefined ? null : dev,
    local: local?.split(/[-_.]/) ?? [],
  };
}

function rankOf(name: string | undefined, isDevelopment: boolean): number {
  if (name === undefined) return isDevelopment ? 0 : 4;
  return name.startsWith('a') ? 1 : name.startsWith('b') ? 2 : 3;
}

function compareReleases(a: readonly string[], b: readonly string[]): number {
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const order = compareDigits(a[i] ?? '', b[i] ?? '');
    if (order !== 0) return order;
  }
  return 0;
}

/** Compares numbers that may be missing; `absent` is the side of those that are. */
function compareOptional(a: string | null, b: string | null, absent: 1 | -1): number {
  if (a === null || b === null) return a === b ? 0 : a === null ? absent : -absent;
  return compareDigits(a, b);
}

/** Compares local versions part by part: numbers are above texts, and more parts above fewer. */
function compareLocals(a: readonly string[], b: readonly string[]): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const [was, is] = [a[i] as string, b[i] as string];
    const order = compareMixed(was, is, 'above');
    if (order !== 0) return order;
  }
  return a.length - b.length;
}
