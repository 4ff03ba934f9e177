/**
 * How texts that begin with a path are cut: `PATH[:name][@digest|@N]`. Paths may hold colons and "@" themselves, so a text may have
 * several readings; the files that are there decide between them (jobs/settle-path.ts). The forms of layouts and archives call it.
 */
import type { OcislimError } from '../../errors.ts';
import { type Digest, isDigest } from '../digest.ts';
import { digestAdvice, type Refuse } from './form.ts';

/** A place on this machine, and which image of it is meant. At most one of digest and position is given. */
export interface LocalParts {
  readonly path: string;
  /** Null where digest or position say it, and for the only image. */
  readonly name: string | null;
  /** Decides where it is given, as in a registry. */
  readonly digest: Digest | null;
  /** Where the image stands in the place's list of images, from 0. */
  readonly position: number | null;
}

/** Why a text is refused that chooses an image twice, and what to write. */
export const nameAndPosition = 'it has a name and a position, which is one too many';
export const eitherAdvice = 'Write the name alone (PATH:NAME), or the position alone (PATH@0).';

/** Returns what is wrong with a name; null for one that an image can have. */
type Check = (name: string) => OcislimError | null;

/** A malformed digest, which does not belong to a path: an algorithm, or hexadecimal digits after a colon. */
const almostDigest = /^(?:sha-?(?:1|256|384|512)|md5|blake3)(?![a-z0-9])|^[a-z0-9+._-]+:[0-9a-f]{32,}$/i;

/**
 * Returns what a text may mean, the likeliest first: the path ends at the first colon, as for skopeo, if what follows is a name.
 * A final "@" and digits are a position; any other "@" belongs to the path or name around it.
 * @throws REFERENCE_INVALID, made by `refuse`, where the text has no reading
 */
export function readingsOf(rest: string, check: Check, refuse: Refuse): readonly LocalParts[] {
  const at = rest.lastIndexOf('@');
  const [before, after] = at < 0 ? [rest, ''] : [rest.slice(0, at), rest.slice(at + 1)];
  if (almostDigest.test(after) && !isDigest(after))
    throw refuse('what follows "@" is not a digest', digestAdvice);
  const digest = isDigest(after) ? after : null;
  const named = namedReadings(digest === null ? rest : before, check);
  const whole = wholeReading(digest === null ? rest : before, named.length > 0);
  const position = digest === null ? positionReading(before, after) : [];
  const found = [...named, ...position, ...whole].map((reading) => ({ ...reading, digest }));
  if (found.length > 0) return found;
  const colon = rest.indexOf(':');
  const [path, name] = colon < 0 ? ['', ''] : [rest.slice(0, colon), rest.slice(colon + 1)];
  if (path === '') throw refuse('the path is missing');
  throw name === '' ? refuse('no name follows the ":"') : (check(name) ?? refuse('it is not a reference'));
}

/** Colons at either end of a text where a path may end; what stands between them is not looked at. */
const examinedColons = 16;

function namedReadings(text: string, check: Check): readonly LocalParts[] {
  const found: LocalParts[] = [];
  for (const colon of colonsOf(text)) {
    const name = text.slice(colon + 1);
    if (check(name) === null) found.push({ ...nothing, path: text.slice(0, colon), name });
  }
  return found;
}

/** Returns where the path may end. The number is bounded, since each costs a look at all that follows. */
function colonsOf(text: string): readonly number[] {
  const colons: number[] = [];
  for (let colon = text.indexOf(':', 1); colon > 0; colon = text.indexOf(':', colon + 1)) colons.push(colon);
  if (colons.length <= 2 * examinedColons) return colons;
  return [...colons.slice(0, examinedColons), ...colons.slice(-examinedColons)];
}

/** Reads `PATH@N`, and `PATH:@N` as skopeo has it. */
function positionReading(before: string, after: string): readonly LocalParts[] {
  const path = before.endsWith(':') ? before.slice(0, -1) : before;
  if (!/^[0-9]{1,9}$/.test(after) || !isWholePath(path)) return [];
  return [{ ...nothing, path, position: Number(after) }];
}

/** Reads all as the path: also with a colon that begins a name, if that reading comes first. */
function wholeReading(text: string, isNamed: boolean): readonly LocalParts[] {
  return isNamed || isWholePath(text) ? [{ ...nothing, path: text }] : [];
}

/** A colon that no slash follows begins a name, or is a mistake. */
function isWholePath(text: string): boolean {
  const colon = text.lastIndexOf(':');
  return !/^(?:@[0-9]+)?$/.test(text) && (colon < 0 || text.includes('/', colon));
}

const nothing = { name: null, digest: null, position: null } as const;

/** Writes the parts as a text of which they are one reading. */
export function formatParts({ path, name, digest, position }: LocalParts): string {
  const which = digest !== null ? `@${digest}` : position !== null ? `@${position}` : '';
  return `${path}${name === null ? '' : `:${name}`}${which}`;
}
