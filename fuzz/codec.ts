/** Checks that a decoder agrees with another one on any bytes. The targets of gzip and zstd share it. */
import type { decode } from '../src/codec/decode.ts';
import { UnpackThreads } from '../src/codec/unpack/threads.ts';
import { digestOf } from '../src/oci/digest.ts';
import type { ByteStream } from '../src/stream/byte-stream.ts';
import { concat } from '../src/stream/collect.ts';
import { choiceOf, holds, inChunks, outcomeOf, same } from './target.ts';
import { MiB } from '../src/units.ts';

/** The most that is unpacked: inputs of a few KiB unpack to hundreds of MiB. */
const maxBytes = 4 * MiB;

let threads: UnpackThreads | null = null;

async function gather(stream: ByteStream): Promise<Uint8Array> {
  const parts = [];
  for await (const part of stream) parts.push(part.slice());
  return concat(parts);
}

/** Decodes in a thread, with the result of `decode`. */
async function unpack(bytes: Uint8Array, compression: 'gzip' | 'zstd'): Promise<Uint8Array> {
  threads ??= new UnpackThreads(1);
  const { signal } = new AbortController();
  const unpacking = threads.open(inChunks(bytes, 4096), { compression, hash: 'sha256', signal });
  try {
    const whole = await gather(unpacking.chunks());
    holds(unpacking.digest() === digestOf(whole), 'a thread gives another digest than that of its bytes');
    return whole;
  } finally {
    await unpacking.close();
  }
}

/** Checks the invariant of both codecs. `reference` throws whatever it likes where it refuses. */
export async function checkCodec(
  bytes: Uint8Array,
  compression: 'gzip' | 'zstd',
  reference: (maxBytes: number) => Uint8Array,
  read: typeof decode,
): Promise<void> {
  const { signal } = new AbortController();
  const choice = choiceOf(bytes);
  const at = (chunk: number) =>
    outcomeOf(() => gather(read(inChunks(bytes, chunk), compression, { signal, maxBytes })));
  const whole = await at(MiB);
  const cut = await at(1 + (choice % 97));
  holds(whole.kind === cut.kind, 'the chunks change the verdict');
  if (whole.kind === 'refused') {
    same(whole, cut, 'the chunks change why it is refused');
    if (whole.code !== 'LIMIT' && choice % 64 === 0) {
      const other = await outcomeOf(() => unpack(bytes, compression));
      same(other, whole, 'a thread says something else');
    }
    return;
  }
  holds(
    cut.kind === 'accepted' && Buffer.compare(whole.value, cut.value) === 0,
    'the chunks change the bytes',
  );
  let expected: Uint8Array;
  try {
    expected = reference(maxBytes);
  } catch (error) {
    return holds(false, `accepted, but Node refuses it: ${String(error)}`);
  }
  holds(Buffer.compare(whole.value, expected) === 0, 'Node unpacks it to other bytes');
  if (choice % 16 === 0) {
    const threaded = await unpack(bytes, compression);
    holds(Buffer.compare(threaded, expected) === 0, 'a thread unpacks it to other bytes');
  }
}
