import { createHash } from 'node:crypto';

/** Returns a UUID of version 8 (RFC 9562, section 5.8) made of a hash: the same text gives the same one. */
export function uuidOfText(text: string): string {
  const hash = createHash('sha256').update(text).digest('hex').slice(0, 32);
  const variant = ((Number.parseInt(hash.slice(16, 17), 16) & 3) | 8).toString(16);
  const parts = [hash.slice(0, 8), hash.slice(8, 12), `8${hash.slice(13, 16)}`];
  return [...parts, `${variant}${hash.slice(17, 20)}`, hash.slice(20)].join('-');
}
