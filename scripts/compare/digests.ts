import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { MiB } from '../../src/units.ts';

/** Returns the SHA-256 digest of bytes, as OCI writes it. */
export function digestOfBytes(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/** Returns the SHA-256 digest of a file of any size. */
export async function digestOfFile(file: string): Promise<string> {
  const sha256 = createHash('sha256');
  await pipeline(createReadStream(file, { highWaterMark: MiB }), sha256);
  return `sha256:${sha256.digest('hex')}`;
}
