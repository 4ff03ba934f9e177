/**
 * Compares bytes with the digests and lengths that are stated for them. Every source verifies its blobs here, and the layer reader what
 * it unpacks.
 */
import { OcislimError } from '../errors.ts';
import { type Digest, hasher } from '../oci/digest.ts';
import type { ByteStream } from './byte-stream.ts';

/**
 * Passes a stream through, and fails at its end (or at the first byte too many) unless it has the expected size and digest.
 * The size is checked first (image-spec descriptor.md, "Verification").
 * @param what the subject of error messages: "layer 3 of docker://…"
 * @throws SIZE_MISMATCH, DIGEST_MISMATCH
 */
export async function* verify(
  stream: ByteStream,
  expected: { readonly digest: Digest; readonly size: number },
  what: string,
): ByteStream {
  const hash = hasher(expected.digest);
  let size = 0;
  for await (const chunk of stream) {
    size += chunk.length;
    if (size > expected.size) throw sizeMismatch(what, expected.size, `at least ${size}`);
    hash.update(chunk);
    yield chunk;
  }
  if (size !== expected.size) throw sizeMismatch(what, expected.size, String(size));
  checkDigest(hash.digest(), expected.digest, what);
}

/** Compares the number of bytes of a blob with that of its descriptor. @throws SIZE_MISMATCH */
export function checkSize(actual: number, expected: number, what: string): void {
  if (actual !== expected) throw sizeMismatch(what, expected, String(actual));
}

/** Compares the digest of a blob with that of its descriptor. @throws DIGEST_MISMATCH */
export function checkDigest(actual: Digest, expected: Digest, what: string): void {
  if (actual === expected) return;
  throw new OcislimError('DIGEST_MISMATCH', `${what} has the digest ${actual}, not ${expected}`);
}

function sizeMismatch(what: string, expected: number, actual: string): OcislimError {
  return new OcislimError('SIZE_MISMATCH', `${what} is ${actual} bytes long, not ${expected}`);
}

/**
 * Passes the unpacked bytes of a layer through, and fails at their end unless they have the DiffID that the config states.
 * @throws DIFFID_MISMATCH
 */
export async function* verifyDiffId(stream: ByteStream, diffId: Digest, what: string): ByteStream {
  const hash = hasher(diffId);
  for await (const chunk of stream) {
    hash.update(chunk);
    yield chunk;
  }
  checkDiffId(hash.digest(), diffId, what);
}

/** Compares the digest of an unpacked layer with the DiffID that the config states. @throws DIFFID_MISMATCH */
export function checkDiffId(actual: Digest, diffId: Digest, what: string): void {
  if (actual === diffId) return;
  throw new OcislimError(
    'DIFFID_MISMATCH',
    `${what} unpacks to ${actual}, but the image config says ${diffId}`,
    {
      advice: 'The image contradicts itself; build or push it again.',
    },
  );
}
