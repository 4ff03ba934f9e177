/**
 * The form of an awkward tar, and helpers to make its members. A case says what ocislim reads of it, and whether
 * Go's reader accepts it.
 */
import { bytesOf, concat } from '../model/byte-string.ts';
import { type HeaderFields, headerBlock, octal, padded } from '../model/tar-bytes.ts';

/** One awkward tar: what it tries, how ocislim judges it, and whether Go's archive/tar reads it. */
export type TarCase = {
  readonly name: string;
  readonly tar: Uint8Array;
  /** `reads` where Go's reader reaches the end without an error. */
  readonly go: 'reads' | 'refuses';
} & (
  | { readonly verdict: 'read' /** `kind name size` of each entry. */; readonly entries: readonly string[] }
  | { readonly verdict: 'TAR_INVALID' | 'LAYER_INVALID' | 'LIMIT' }
);

/** Returns a case that Go and ocislim read alike. */
export function read(name: string, tar: Uint8Array, ...entries: readonly string[]): TarCase {
  return { name, tar, go: 'reads', verdict: 'read', entries };
}

/** Returns a case that Go and ocislim both refuse. */
export function refused(
  name: string,
  tar: Uint8Array,
  verdict: 'TAR_INVALID' | 'LIMIT' = 'TAR_INVALID',
): TarCase {
  return { name, tar, go: 'refuses', verdict };
}

/** Returns a case that Go reads and ocislim refuses on purpose. */
export function unwanted(
  name: string,
  tar: Uint8Array,
  verdict: 'TAR_INVALID' | 'LAYER_INVALID' | 'LIMIT' = 'TAR_INVALID',
): TarCase {
  return { name, tar, go: 'reads', verdict };
}

/** Returns a header of these fields with a body. The size is that of the body unless the fields set it. */
export function member(fields: HeaderFields, body = ''): Uint8Array {
  return concat([headerBlock({ size: octal(body.length, 12), ...fields }), padded(bytesOf(body))]);
}

/** Returns a plain file. */
export function file(name: string, body = ''): Uint8Array {
  return member({ name }, body);
}

/** Returns an extension header with exactly this body. */
export function extension(typeflag: 'x' | 'g' | 'L' | 'K', body: string): Uint8Array {
  const isGnu = typeflag === 'L' || typeflag === 'K';
  return member(
    { name: isGnu ? '././@LongLink' : 'PaxHeaders.0/f', typeflag, magic: isGnu ? gnuMagic : 'ustar\x0000' },
    body,
  );
}

export const gnuMagic = 'ustar  \0';

export const end: Uint8Array = new Uint8Array(1024);

/** Joins members into a tar with two zero blocks at its end. */
export function tarOf(...members: readonly Uint8Array[]): Uint8Array {
  return concat([...members, end]);
}

/** A file that stands after the awkward part: a reader that lost its place does not find it. */
export const after: Uint8Array = file('after', 'z');
