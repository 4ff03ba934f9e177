import type { CompiledStamp } from './compiled.ts';
import { printBytes } from './prints.ts';

/**
 * What the entries of one layer are, without the noise of a rebuild: contents, extended attributes, link targets and devices, but no
 * times. Mode, owner and size are in the index of the layer.
 */
export interface Identities {
  /** `printBytes` for each entry, one after the other; zeros for hard links and global headers. */
  readonly names: Uint8Array;
  /** Digests of the contents of files larger than `headBytes`, by entry, of which a name tells less. Empty unless the scan was asked for them. */
  readonly whole: ReadonlyMap<number, string>;
  /** The stamps of compiled modules of Python, by entry. Their times count as noise. */
  readonly stamps: ReadonlyMap<number, CompiledStamp>;
}

/** Tells whether two entries are the same but for noise, mode, owner and size, by scans of the same kind. */
export function isSameIdentity(a: Identities, entry: number, b: Identities, other: number): boolean {
  const [from, to] = [entry * printBytes, other * printBytes];
  let seen = 0;
  for (let i = 0; i < printBytes; i++) {
    if (a.names[from + i] !== b.names[to + i]) return false;
    seen |= a.names[from + i] ?? 0;
  }
  return seen !== 0 && a.whole.get(entry) === b.whole.get(other);
}

/** Returns the identity of an entry as text; empty for an entry without one. */
export function identityText({ names }: Identities, entry: number): string {
  let text = '';
  for (let i = entry * printBytes; i < (entry + 1) * printBytes; i++)
    text += String.fromCharCode(names[i] ?? 0);
  return text;
}
