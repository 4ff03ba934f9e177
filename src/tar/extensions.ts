/**
 * Reads the extension headers that stand before an entry: PAX records, and GNU's long names. `TarReader` collects them for each
 * entry.
 */
import { OcislimError } from '../errors.ts';
import { type ByteString, readField, noBytes } from '../bytes/bytes.ts';
import { type PaxRecords, parsePax, paxValue } from './pax.ts';

/** The extension headers of one entry, read. */
export interface Extended {
  /** The name that counts in place of the header's; a sparse file may have a third: see `sparseName`. */
  readonly name: ByteString | undefined;
  readonly link: ByteString | undefined;
  readonly size: number | undefined;
  readonly uid: number | undefined;
  readonly gid: number | undefined;
  /** Seconds since 1970, to the precision of a double. */
  readonly mtime: number | undefined;
  /** Whether there are file capabilities, under the key of Go, GNU tar and bsdtar. */
  readonly capable: boolean;
  /** The component that the file names, for tools that share out files among layers. */
  readonly component: ByteString | undefined;
  /** All records where there may be a sparse file, else null. */
  readonly sparse: PaxRecords | null;
}

export const noExtensions: Extended = {
  name: undefined,
  link: undefined,
  size: undefined,
  uid: undefined,
  gid: undefined,
  mtime: undefined,
  capable: false,
  component: undefined,
  sparse: null,
};

/** Collects extension headers. Of several of one type the last one counts, and as a whole, as in Go. */
export class Extensions {
  #pax: PaxRecords = [];
  #longName: ByteString = noBytes;
  #longLink: ByteString = noBytes;

  /** Adds the body of an extension header. @throws TAR_INVALID */
  add(type: 'x' | 'L' | 'K', body: Uint8Array): void {
    if (type === 'L') this.#longName = readField(body, 0, body.length);
    else if (type === 'K') this.#longLink = readField(body, 0, body.length);
    else {
      this.#pax = parsePax(body);
      checkPieceOrder(this.#pax);
    }
  }

  /**
   * Returns what the extensions say together.
   * @throws TAR_INVALID where a number is unreadable, also one that ocislim does not use: Go refuses such an archive, and
   * with it every runtime
   */
  finish(): Extended {
    const pax = this.#pax;
    let sparse = false;
    let times = false;
    for (const [key] of pax) {
      if (key.startsWith('GNU.sparse.')) sparse = true;
      else if (key.endsWith('time')) times = true;
    }
    const gid = paxValue(pax, 'gid');
    if (gid !== undefined && !isInt64(gid)) throw unreadable('gid');
    if (times)
      for (const key of ['atime', 'mtime', 'ctime']) {
        const time = paxValue(pax, key);
        if (time !== undefined && !isTime(time)) throw unreadable(key);
      }
    const mtime = times ? paxValue(pax, 'mtime') : undefined;
    return {
      name: this.#longName === '' ? paxValue(pax, 'path') : this.#longName,
      link: this.#longLink === '' ? paxValue(pax, 'linkpath') : this.#longLink,
      size: numberOf(pax, 'size', /^[0-9]+$/),
      uid: numberOf(pax, 'uid', /^-?[0-9]+$/),
      // Any 64-bit number passed above; beyond 2^53 the nearest double will do, since it is only shown.
      gid: gid === undefined ? undefined : Number(gid),
      mtime: mtime === undefined ? undefined : Number(mtime),
      capable: paxValue(pax, 'SCHILY.xattr.security.capability') !== undefined,
      component: paxValue(pax, 'SCHILY.xattr.user.component'),
      sparse: sparse ? pax : null,
    };
  }
}

/**
 * Checks the records of a sparse file of version 0.0, which has one for each number: an offset, a length, and so on (GNU tar
 * manual, "Storing Sparse Files"). @throws TAR_INVALID
 */
function checkPieceOrder(pax: PaxRecords): void {
  let count = 0;
  for (const [key, value] of pax) {
    const isOffset = key === 'GNU.sparse.offset';
    if (!isOffset && key !== 'GNU.sparse.numbytes') continue;
    if (isOffset !== (count++ % 2 === 0) || value.includes(',')) throw unreadable('sparse map');
  }
}

function numberOf(pax: PaxRecords, key: 'size' | 'uid', form: RegExp): number | undefined {
  const text = paxValue(pax, key);
  if (text === undefined) return undefined;
  const value = form.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(value)) throw unreadable(key);
  return value;
}

function isTime(text: ByteString): boolean {
  const point = text.indexOf('.');
  return point < 0 ? isInt64(text) : isInt64(text.slice(0, point)) && /^[0-9]*$/.test(text.slice(point + 1));
}

function isInt64(text: ByteString): boolean {
  if (!/^[+-]?[0-9]+$/.test(text)) return false;
  // Any number of zeros may stand in front.
  const digits = text.slice(/^[+-]?0*/.exec(text)?.[0].length);
  if (digits.length > 19) return false;
  const value = BigInt(text.startsWith('-') ? `-${digits || 0}` : digits);
  return BigInt.asIntN(64, value) === value;
}

function unreadable(what: string): OcislimError {
  return new OcislimError('TAR_INVALID', `a tar extended header has an unreadable ${what}`);
}
