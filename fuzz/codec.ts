/** Checks that decoders agree with each other, and with another one, on any bytes. The targets of gzip and zstd share it. */
import type { decode } from '../src/codec/decode.ts';
import { findNative, loadNative, type NativeEngine } from '../src/codec/native.ts';
import { UnpackThreads } from '../src/codec/unpack/threads.ts';
import { digestOf } from '../src/oci/digest.ts';
import type { ByteStream } from '../src/stream/byte-stream.ts';
import { concat } from '../src/stream/collect.ts';
import { choiceOf, holds, inChunks, type Outcome, outcomeOf, same } from './target.ts';
import { MiB } from '../src/units.ts';

/** The most that is unpacked: inputs of a few KiB unpack to hundreds of MiB. */
const maxBytes = 4 * MiB;

const found = findNative();

/** The engines that are compared: the path of the native one, where it is there, and that of Node. */
const enginesOf = { gzip: found.kind === 'found' ? [null, found.path] : [null], zstd: [null] } as const;

const threads = new Map<string | null, UnpackThreads>();
const loaded = new Map<string, NativeEngine>();

async function gather(stream: ByteStream): Promise<Uint8Array> {
  const parts = [];
  for await (const part of stream) parts.push(part.slice());
  return concat(parts);
}

/** Returns the native engine of a file, loaded once; null for that of Node. */
function engineAt(path: string | null): NativeEngine | null {
  if (path === null) return null;
  const engine = loaded.get(path) ?? loadNative(path);
  loaded.set(path, engine);
  return engine;
}

/** Decodes in a thread, with the result of `decode`. */
async function unpack(
  bytes: Uint8Array,
  compression: 'gzip' | 'zstd',
  path: string | null,
): Promise<Uint8Array> {
  const pool = threads.get(path) ?? new UnpackThreads(1, { native: () => path });
  threads.set(path, pool);
  const { signal } = new AbortController();
  const unpacking = pool.open(inChunks(bytes, 4096), { compression, hash: 'sha256', signal });
  try {
    const whole = await gather(unpacking.chunks());
    holds(unpacking.digest() === digestOf(whole), 'a thread gives another digest than that of its bytes');
    return whole;
  } finally {
    await unpacking.close();
  }
}

type Verdict = Outcome<Uint8Array>;

/** Checks that two verdicts are one: the same bytes, or the same refusal. */
function agree(one: Verdict, other: Verdict, what: string): void {
  holds(one.kind === other.kind, `${what} the verdict`);
  if (one.kind === 'refused') same(one, other, `${what} why it is refused`);
  else if (other.kind === 'accepted')
    holds(Buffer.compare(one.value, other.value) === 0, `${what} the bytes`);
}

/** Checks the invariant of both codecs, over each engine. `reference` throws whatever it likes where it refuses. */
export async function checkCodec(
  bytes: Uint8Array,
  compression: 'gzip' | 'zstd',
  reference: (maxBytes: number) => Uint8Array,
  read: typeof decode,
): Promise<void> {
  const { signal } = new AbortController();
  const choice = choiceOf(bytes);
  const at = (chunk: number, path: string | null) =>
    outcomeOf(() =>
      gather(read(inChunks(bytes, chunk), compression, { signal, maxBytes, native: engineAt(path) })),
    );
  const whole = await at(MiB, null);
  for (const path of enginesOf[compression]) {
    agree(whole, await at(1 + (choice % 97), path), 'chunks or the engine change');
    if (path !== null) agree(whole, await at(MiB, path), 'the engine changes');
    // Threads have no limit.
    if (choice % (whole.kind === 'refused' ? 64 : 16) === 0 && !isLimit(whole))
      agree(whole, await outcomeOf(() => unpack(bytes, compression, path)), 'a thread changes');
  }
  if (whole.kind === 'refused') return;
  let expected: Uint8Array;
  try {
    expected = reference(maxBytes);
  } catch (error) {
    return holds(false, `accepted, but Node refuses it: ${String(error)}`);
  }
  holds(Buffer.compare(whole.value, expected) === 0, 'Node unpacks it to other bytes');
}

function isLimit(verdict: Verdict): boolean {
  return verdict.kind === 'refused' && verdict.code === 'LIMIT';
}
