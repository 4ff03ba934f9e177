/** The part of a blob that a client asks for. */
export type ByteRange =
  | { readonly kind: 'whole' }
  | { readonly kind: 'part'; readonly start: number /** The last byte. */; readonly end: number }
  | { readonly kind: 'unsatisfiable' };

/** Reads a `Range` header (RFC 9110 section 14.2). A malformed one, and one with several ranges, means the whole. */
export function parseRange(header: string | undefined, size: number): ByteRange {
  const [, first = '', last = ''] = /^bytes=([0-9]*)-([0-9]*)$/.exec(header ?? '') ?? [];
  if (first === '' && last === '') return { kind: 'whole' };
  if (first === '') {
    const length = Math.min(Number(last), size);
    return length === 0 ? { kind: 'unsatisfiable' } : { kind: 'part', start: size - length, end: size - 1 };
  }
  const start = Number(first);
  if (last !== '' && Number(last) < start) return { kind: 'whole' };
  if (start >= size) return { kind: 'unsatisfiable' };
  return { kind: 'part', start, end: last === '' ? size - 1 : Math.min(Number(last), size - 1) };
}

/** Reads the `Content-Range` of a chunk, `<start>-<end>` (distribution-spec, "Pushing a blob in chunks"); null if malformed. */
export function parseChunkRange(header: string): { readonly start: number; readonly end: number } | null {
  const [, start, end] = /^(?:bytes[ =])?([0-9]+)-([0-9]+)(?:\/(?:[0-9]+|\*))?$/.exec(header) ?? [];
  if (start === undefined || end === undefined) return null;
  const range = { start: Number(start), end: Number(end) };
  return Number.isSafeInteger(range.end) && range.start <= range.end ? range : null;
}
