import { asByteString, type ByteString } from '../../src/bytes/bytes.ts';
import type { Path } from '../../src/bytes/path.ts';

/** A type with plain strings in place of byte strings, for tables of a test. */
export type Plain<T> = T extends string | number | boolean | null | undefined
  ? T extends ByteString
    ? string
    : T
  : { readonly [K in keyof T]: Plain<T[K]> };

/** Takes a text of one unit a byte as a byte string: `b('caf\xe9')`. */
export const b = (text: string): ByteString => asByteString(text);

/** Returns the bytes as a path, clean or not. */
export const p = (text: string): Path => b(text) as Path;
