/**
 * The stanzas of the databases of dpkg and apk: paragraphs of lines with empty lines between them. Their readers find packages in them,
 * and cut packages out.
 */
import { bytesOf, type ByteString, joinBytes } from '../../bytes/bytes.ts';

/** One stanza of a text. */
export interface Stanza {
  /** Its lines, without the end of the last one. */
  readonly text: ByteString;
  /** Where it begins, and where the next one does: the empty lines between them belong to it. */
  readonly from: number;
  readonly end: number;
}

/** Yields the stanzas of a text, in time proportional to its length. `separator` is a global pattern of the ends of lines between two. */
export function* stanzasIn(text: ByteString, separator: RegExp): Generator<Stanza> {
  let from = 0;
  for (const match of text.matchAll(separator)) {
    const end = match.index + (match[0]?.length ?? 0);
    yield { text: text.slice(from, match.index), from, end };
    from = end;
  }
  if (from < text.length) yield { text: text.slice(from), from, end: text.length };
}

/** Cuts stanzas out of a text, and returns the rest as bytes: every other byte stays. */
export function cutStanzas(text: ByteString, stanzas: readonly Stanza[]): Uint8Array {
  const kept: ByteString[] = [];
  let at = 0;
  for (const { from, end } of stanzas) {
    kept.push(text.slice(at, from));
    at = end;
  }
  return bytesOf(joinBytes([...kept, text.slice(at)], ''));
}
