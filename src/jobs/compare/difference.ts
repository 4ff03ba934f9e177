import { quotePath } from '../../bytes/path.ts';
import { type ByteString, asByteString } from '../../bytes/bytes.ts';

/**
 * An aspect in which two images can differ. `stored`: the same contents, but sparse in one image and not, or in another way, in the
 * other. `links`: which names are one file. `platform`: only one side has an image for it.
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

/** One difference, in texts for a person: the value in image A and the value in image B. */
export interface Difference {
  /** A path of the root filesystem (`/` for the root itself), or a member of the config: `config.Env`. */
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

/** Renders a byte string for a person: quoted if it is UTF-8, otherwise in hexadecimal. A text that `shorten` has cut keeps its mark. */
export function show(text: string): string {
  const cut = text.indexOf('\u2026');
  if (cut >= 0) return `${show(text.slice(0, cut))}${text.slice(cut)}`;
  const bytes = Buffer.from(text, 'latin1');
  return Buffer.from(bytes.toString('utf8'), 'utf8').equals(bytes)
    ? quotePath(asByteString(text))
    : `0x${bytes.toString('hex')}`;
}
