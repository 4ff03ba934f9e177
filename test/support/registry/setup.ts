/**
 * The options, the clock and the streams that tests of the registry client share. Time is faked, so that retries
 * take no time.
 */
import type { ProgressEvent } from '../../../src/events.ts';
import type { RegistryReference } from '../../../src/oci/reference.ts';
import { parseReference } from '../../../src/oci/reference.ts';
import type { Clock } from '../../../src/retry/clock.ts';
import { KiB } from '../../../src/units.ts';
import { anonymous } from '../../../src/registry/auth/credential.ts';
import type { RegistryOptions } from '../../../src/registry/lease.ts';
import type { ByteStream } from '../../../src/stream/byte-stream.ts';

/** A clock whose sleeps take no time but are recorded. */
export class FakeClock implements Clock {
  readonly sleeps: number[] = [];
  time = Date.parse('2026-01-01T00:00:00Z');

  now(): number {
    return this.time;
  }

  random(): number {
    return 0.5;
  }

  async sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
    this.sleeps.push(milliseconds);
    this.time += milliseconds;
    // A real pause, as short as possible: a server needs a turn to notice that its connection is gone.
    await new Promise((resolve) => setTimeout(resolve, 2));
    signal.throwIfAborted();
  }
}

/** The block size of uploads in tests: small, so that a blob of several blocks is soon made, sent and compared. Bytes. */
export const block = 256 * KiB;

export interface Setup {
  readonly options: RegistryOptions;
  readonly clock: FakeClock;
  readonly events: ProgressEvent[];
}

export function setup(overrides: Partial<RegistryOptions> = {}): Setup {
  const clock = new FakeClock();
  const events: ProgressEvent[] = [];
  const options: RegistryOptions = {
    listener: (event) => void events.push(event),
    credentials: anonymous,
    insecure: false,
    tlsVerify: true,
    retryTimes: 4,
    // Longer than any pause of a busy machine.
    timeoutMs: 300_000,
    blockSize: block,
    clock,
    ...overrides,
  };
  return { options, clock, events };
}

export function refer(text: string): RegistryReference {
  const reference = parseReference(text);
  if (reference.kind !== 'registry') throw new Error(`${text} is not in a registry`);
  return reference;
}

export async function drain(stream: ByteStream): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Returns bytes that do not repeat, the same ones each time. */
export function noise(length: number, seed = 1): Buffer {
  const bytes = Buffer.alloc(length);
  let state = seed >>> 0 || 1;
  for (let at = 0; at + 4 <= length; at += 4) {
    // xorshift32
    state ^= state << 13;
    state >>>= 0;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    bytes.writeUInt32LE(state, at);
  }
  return bytes;
}

export async function* pieces(bytes: Uint8Array, size = 100_000): ByteStream {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** A signal that never fires. */
export const never = new AbortController().signal;
