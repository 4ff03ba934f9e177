import { bytesOf, concat } from '../model/byte-string.ts';
import { type HeaderFields, headerBlock, octal, padded } from '../model/tar-bytes.ts';

/** One awkward tar: what it tries, what we make of it, and whether Go's archive/tar reads it. */
export type TarCase = {
  readonly name: string;
  readonly tar: Uint8Array;
  /** Does Go's reader come to the end without an error? */
  readonly go: 'reads' | 'refuses';
} & (
  | { readonly verdict: 'read' /** `kind name size` of each entry. */; readonly entries: readonly string[] }
  | { readonly verdict: 'TAR_INVALID' | 'LAYER_INVALID' | 'LIMIT' }
);

/** A tar that is read, by Go and by us alike. */
export function read(name: string, tar: Uint8Array, ...entries: readonly string[]): TarCase {
  return { name, tar, go: 'reads', verdict: 'read', entries };
}

/** A tar that Go refuses, and so do we. */
export function refused(
  name: string,
  tar: Uint8Array,
  verdict: 'TAR_INVALID' | 'LIMIT' = 'TAR_INVALID',
): TarCase {
  return { name, tar, go: 'refuses', verdict };
}

/** A tar that Go reads, and that we refuse knowingly. */
export function unwanted(
  name: string,
  tar: Uint8Array,
  verdict: 'TAR_INVALID' | 'LAYER_INVALID' | 'LIMIT' = 'TAR_INVALID',
): TarCase {
  return { name, tar, go: 'reads', verdict };
}

/** A header of these fields and a body; the size is that of the body unless the fields say otherwise. */
export function member(fields: HeaderFields, body = ''): Uint8Array {
  return concat([headerBlock({ size: octal(body.length, 12), ...fields }), padded(bytesOf(body))]);
}

/** A plain file. */
export function file(name: string, body = ''): Uint8Array {
  return member({ name }, body);
}

/** An extension header with exactly this body. */
export function extension(typeflag: 'x' | 'g' | 'L' | 'K', body: string): Uint8Array {
  const isGnu = typeflag === 'L' || typeflag === 'K';
  return member(
    { name: isGnu ? '././@LongLink' : 'PaxHeaders.0/f', typeflag, magic: isGnu ? gnuMagic : 'ustar\x0000' },
    body,
  );
}

export const gnuMagic = 'ustar  \0';

export const end: Uint8Array = new Uint8Array(1024);

/** The members, and two zero blocks. */
export function tarOf(...members: readonly Uint8Array[]): Uint8Array {
  return concat([...members, end]);
}

/** What stands after the awkward part, so that a reader that lost its way is seen. */
export const after: Uint8Array = file('after', 'z');
