/**
 * Spools: bytes that are written in any order and read back in another, in memory or in the scratch folder. `orderedData` puts
 * the data of a layer there.
 */
import type { FileHandle } from 'node:fs/promises';
import { OcislimError } from '../../errors.ts';
import { readAt, writeAt } from '../../files/file-bytes.ts';
import type { Scratch } from '../../files/scratch.ts';
import { MiB } from '../../units.ts';

/** The limit on the memory of all spools of a run together, in bytes. */
const maxMemory = 64 * MiB;
/** The size up to which a spool stays in memory: a file would cost more time than it saves memory. */
const small = 8 * MiB;

/** Bytes that are written in any order and read back in another. */
export interface Spool {
  /** The number of bytes that it may hold: as requested, or fewer. */
  readonly capacity: number;
  /** Writes bytes at an offset. The caller may reuse their memory afterwards. @throws IO */
  write(at: number, bytes: Uint8Array): Promise<void>;
  /** Returns a copy of `length` bytes that were written at this offset. @throws IO */
  read(at: number, length: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

/**
 * Opens spools in memory or in the scratch folder, within the limits of both. A request that does not fit waits until the
 * other spools are closed. It gets a smaller spool only if it is the only one, so that the number of readings of a layer does
 * not depend on timing.
 */
export class SpoolRoom {
  readonly #scratch: Scratch | null;
  readonly #half: number;
  #small = 0;
  #open = 0;
  #waiting: (() => void)[] = [];

  /** Shares `memory` bytes: half for small spools, half for a single one that does not fit on disk. `scratch`: null for none. */
  constructor(scratch: Scratch | null, memory = maxMemory) {
    this.#scratch = scratch;
    this.#half = Math.floor(memory / 2);
  }

  /** Opens a spool of `wanted` bytes, or of fewer where they do not fit. @throws the reason of the signal */
  async open(wanted: number, signal: AbortSignal): Promise<Spool> {
    for (;;) {
      signal.throwIfAborted();
      if (wanted <= small && this.#small + wanted <= this.#half) {
        this.#open++;
        this.#small += wanted;
        return this.#inMemory(wanted, () => (this.#small -= wanted));
      }
      const isAlone = this.#open === 0;
      this.#open++;
      const spool = (await this.#inFile(wanted)) ?? (isAlone ? await this.#whatThereIs(wanted) : null);
      if (spool !== null) return spool;
      this.#open--;
      if (this.#open > 0) await this.#change(signal);
    }
  }

  /** Opens the largest possible spool, on disk if that has more room than memory. */
  async #whatThereIs(wanted: number): Promise<Spool> {
    const free = Math.min(wanted, (await this.#scratch?.free()) ?? 0);
    const file = free > this.#half ? await this.#inFile(free) : null;
    return file ?? this.#inMemory(Math.min(wanted, this.#half), () => {});
  }

  #inMemory(capacity: number, release: () => void): Spool {
    const memory = new Uint8Array(capacity);
    return {
      capacity,
      write: async (at, bytes) => memory.set(bytes, at),
      read: async (at, length) => memory.slice(at, at + length),
      close: async () => {
        release();
        this.#closed();
      },
    };
  }

  async #inFile(capacity: number): Promise<Spool | null> {
    const scratch = (await this.#scratch?.createFile(capacity)) ?? null;
    if (scratch === null) return null;
    const { file, close } = scratch;
    return {
      capacity,
      write: (at, bytes) => writeWhole(file, bytes, at),
      read: (at, length) => readWhole(file, length, at),
      close: async () => {
        await close();
        this.#closed();
      },
    };
  }

  #closed(): void {
    this.#open--;
    for (const wake of this.#waiting.splice(0)) wake();
  }

  /** Waits until a spool is closed or the signal is aborted. */
  #change(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        signal.removeEventListener('abort', wake);
        resolve();
      };
      signal.addEventListener('abort', wake, { once: true });
      // An aborted signal sends no event.
      if (signal.aborted) wake();
      else this.#waiting.push(wake);
    });
  }
}

async function writeWhole(file: FileHandle, bytes: Uint8Array, at: number): Promise<void> {
  await writeAt(file, bytes, at).catch((cause: unknown) => {
    throw new OcislimError('IO', `cannot write to the scratch folder: ${(cause as Error).message}`, {
      cause,
      advice: 'Set TMPDIR to a folder with more room, or give --max-scratch a size that is there.',
    });
  });
}

async function readWhole(file: FileHandle, length: number, at: number): Promise<Uint8Array> {
  const bytes = await readAt(file, at, length);
  if (bytes.length < length) throw new OcislimError('IO', 'a file in the scratch folder has been cut short');
  return bytes;
}
