/**
 * Reads what new layers are made of: `SRC[:/PATH]` with wishes behind it, owners, modes, times. The table of options for building calls
 * it; what is at SRC is looked at when the job begins.
 */
import { parseMode } from '../build/mode.ts';
import { cleanPath, type Path } from '../bytes/path.ts';
import { utf8Bytes } from '../bytes/bytes.ts';
import { closestWord } from '../closest-word.ts';
import { OcislimError } from '../errors.ts';
import type { ModeChange } from '../image/addition.ts';
import { parsePlatform, type Platform } from '../oci/platform.ts';

/** Numbers of an owner. `keep`: those that files have. */
export type OwnerWish = { readonly uid: number; readonly gid: number } | 'keep';

/** Seconds since 1970. `keep`: the times of files. */
export type TimeWish = number | 'keep';

/** A layer to make, as the command line says it. What is null is as for all layers. */
export interface GivenLayer {
  /** The text, for messages. */
  readonly text: string;
  /** A path of this machine. */
  readonly source: string;
  /** What the source is taken for, whatever its name; null to look. */
  readonly form: 'file' | 'tar' | null;
  /** The path in the image; null where none is given. */
  readonly destination: Path | null;
  /** Whether the destination ends with a slash, so that it is a directory. */
  readonly into: boolean;
  readonly owner: OwnerWish | null;
  readonly mode: ModeChange | null;
  readonly mtime: TimeWish | null;
  readonly createdBy: string | null;
}

/** A platform, and a layer for it alone. */
export interface BuiltPlatform extends Platform {
  readonly layer: GivenLayer | null;
}

const wishNames = ['chown', 'chmod', 'mtime', 'created-by'] as const;
const wishPattern = /, ?([a-z][a-z-]*)=/gi;

/** Reads `[tar:|file:]SRC[:/PATH][,chown=…][,chmod=…][,mtime=…][,created-by=…]`. @throws USAGE naming `where` */
export function parseLayer(text: string, where: string): GivenLayer {
  const marks = marksOf(text, where);
  const wishes = new Map(
    marks.map(({ key, from }, i) => [key, text.slice(from, marks[i + 1]?.index ?? text.length)]),
  );
  const place = text.slice(0, marks[0]?.index ?? text.length);
  const [, form = null, rest = ''] = /^(?:(file|tar):)?(.*)$/s.exec(place) ?? [];
  const colon = rest.lastIndexOf(':/');
  const source = colon < 0 ? rest : rest.slice(0, colon);
  const given = colon < 0 ? null : rest.slice(colon + 1);
  if (source === '')
    throw new OcislimError('USAGE', `${where} names no file of this machine: ${JSON.stringify(text)}`, {
      advice: 'Write what to add, and where: DIR:/app, FILE:/etc/app.conf, FILE.tar.',
    });
  const own = (key: string) => wishes.get(key) ?? null;
  const read = <Value>(key: string, parse: (text: string, where: string) => Value): Value | null => {
    const wish = own(key);
    return wish === null ? null : parse(wish, `${where} …,${key}`);
  };
  return {
    text,
    source,
    form: form as GivenLayer['form'],
    destination: given === null ? null : parseDestination(given, where),
    into: given?.endsWith('/') === true,
    owner: read('chown', parseOwner),
    mode: read('chmod', parseMode),
    mtime: read('mtime', parseTime),
    createdBy: own('created-by'),
  };
}

/** Where a wish begins, and where its value does. */
interface Mark {
  readonly key: string;
  readonly index: number;
  readonly from: number;
}

/** Finds the wishes behind a path. Texts and modes may hold commas. @throws USAGE for one that is unknown or given twice */
function marksOf(text: string, where: string): readonly Mark[] {
  const marks: Mark[] = [];
  for (const { index, 0: mark, 1: key = '' } of text.matchAll(wishPattern)) {
    const isKnown = mark.startsWith(`,${key}`) && wishNames.some((name) => name === key);
    // A text, and a mode, may hold commas: chmod=u=rwX,go=rX.
    const before = marks.at(-1)?.key;
    if (!isKnown && (before === 'created-by' || (before === 'chmod' && /^,[ugoa]+=$/.test(mark)))) continue;
    if (!isKnown) throw unknownWish(mark, where);
    if (marks.some((each) => each.key === key))
      throw new OcislimError('USAGE', `${where} …,${key} is given twice: ${JSON.stringify(text)}`);
    marks.push({ key, index, from: index + mark.length });
  }
  return marks;
}

const otherWords = new Map([
  ['owner', 'chown'],
  ['user', 'chown'],
  ['mode', 'chmod'],
  ['perm', 'chmod'],
  ['time', 'mtime'],
]);

/** As a part of the path, a wish with a slip in it would be a file in the wrong place. */
function unknownWish(mark: string, where: string): OcislimError {
  const key = mark.slice(1, -1).trim().toLowerCase();
  const meant = wishNames.find((name) => name === key) ?? otherWords.get(key) ?? closestWord(key, wishNames);
  const all = wishNames.map((name) => `,${name}=`).join(' ');
  return new OcislimError('USAGE', `${where}: a layer takes no ${JSON.stringify(mark.slice(1, -1))}`, {
    advice:
      meant === null
        ? `Write ${all} behind its path. A file with such a name is added by its directory.`
        : `Write ,${meant}=… behind the path.`,
  });
}

/** Reads `OS/ARCH` or `OS/ARCH=SRC[:/PATH]`. @throws USAGE */
export function parseBuiltPlatform(text: string, where: string): BuiltPlatform {
  const equals = text.indexOf('=');
  if (equals < 0) return { ...parsePlatform(text), layer: null };
  if (/,[a-z0-9]{1,20}\/[a-z0-9]{1,20}(?:\/[a-z0-9.]{1,20})?=/.test(text))
    throw new OcislimError('USAGE', `${where} names several platforms: ${JSON.stringify(text)}`, {
      advice: `Write ${where} once for each.`,
    });
  return { ...parsePlatform(text.slice(0, equals)), layer: parseLayer(text.slice(equals + 1), where) };
}

function parseDestination(text: string, where: string): Path {
  try {
    return cleanPath(utf8Bytes(text));
  } catch (cause) {
    throw new OcislimError('USAGE', `${where}: ${JSON.stringify(text)} is not a path in an image`, { cause });
  }
}

/** The most that a number of an owner may be (Linux: -1 of 32 bits means that it stays). */
const maxOwner = 2 ** 32 - 2;

/** Reads `UID[:GID]` or `keep`. Default group: the number of the user, as in Dockerfiles. @throws USAGE */
export function parseOwner(text: string, where: string): OwnerWish {
  if (text === 'keep') return text;
  const [, user, group = user] = /^([0-9]{1,10})(?::([0-9]{1,10}))?$/.exec(text) ?? [];
  const [uid, gid] = [Number(user), Number(group)];
  if (user === undefined || uid > maxOwner || gid > maxOwner)
    throw new OcislimError('USAGE', `${where} takes UID[:GID] or keep, not ${JSON.stringify(text)}`, {
      advice:
        'Names mean different users in different images. "ocislim cat IMAGE /etc/passwd" shows the numbers.',
    });
  return { uid, gid };
}

/** Reads seconds since 1970, a date (RFC 3339), or `keep`. @throws USAGE */
export function parseTime(text: string, where: string): TimeWish {
  if (text === 'keep') return text;
  if (/^[0-9]{1,11}$/.test(text)) return Number(text);
  const isDate = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d))?$/.test(text);
  const seconds = isDate ? Math.floor(Date.parse(text) / 1000) : Number.NaN;
  if (Number.isFinite(seconds)) return seconds;
  throw new OcislimError('USAGE', `${where} takes a time or keep, not ${JSON.stringify(text)}`, {
    advice: 'Write seconds since 1970, or a date: 2026-11-30T12:00:00Z.',
  });
}
