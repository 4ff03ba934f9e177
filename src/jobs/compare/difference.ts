import { quotePath } from '../../bytes/path.ts';
import { type ByteString, asByteString } from '../../bytes/bytes.ts';

/**
 * What two images differ in. `stored`: the same contents, but sparse in the one and not, or otherwise, in the other.
 * `links`: which names are one file. `platform`: only one side has an image for it.
 */
export type Aspect =
  | 'missing'
  | 'added'
  | 'kind'
  | 'mode'
  | 'owner'
  | 'time'
  | 'xattr'
  | 'content'
  | 'stored'
  | 'target'
  | 'device'
  | 'links'
  | 'config'
  | 'platform';

/** One difference, for a person: what image A has and what image B has instead. */
export interface Difference {
  /** A path of the root filesystem (`/` for the root itself), or that of a member of the config: `config.Env`. */
  readonly path: ByteString;
  readonly what: Aspect;
  readonly a: string;
  readonly b: string;
}

/** Counts all differences and keeps the first ones. */
export class DifferenceList {
  readonly #limit: number;
  readonly kept: Difference[] = [];
  count = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  add(difference: Difference): void {
    this.count++;
    if (this.kept.length < this.#limit) this.kept.push(difference);
  }
}

/** A byte string for a person: quoted where it is UTF-8, else in hexadecimal. What `shorten` cut off stays cut off. */
export function show(text: string): string {
  const cut = text.indexOf('\u2026');
  if (cut >= 0) return `${show(text.slice(0, cut))}${text.slice(cut)}`;
  const bytes = Buffer.from(text, 'latin1');
  return Buffer.from(bytes.toString('utf8'), 'utf8').equals(bytes)
    ? quotePath(asByteString(text))
    : `0x${bytes.toString('hex')}`;
}
