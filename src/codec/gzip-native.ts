import { OcislimError } from '../errors.ts';
import { loadFound, type NativeEngine } from './native.ts';

/** A packed piece, and the CRC-32 of what was packed. */
export interface Packed {
  readonly packed: Uint8Array;
  readonly crc: number;
}

/** Packs pieces of raw deflate streams on Node's thread pool, which the main thread only starts. */
export class NativePacker {
  readonly #engine: NativeEngine;
  readonly #deflater;
  /** Memory for results, one for each piece that is packed at a time. */
  readonly #rooms: Uint8Array<ArrayBuffer>[] = [];

  constructor(engine: NativeEngine) {
    this.#engine = engine;
    this.#deflater = new engine.Deflater();
  }

  /** Packs a piece, in whose memory nothing may be written meanwhile; the next piece can follow it unless it is the last. @throws CODEC */
  async pack(
    bytes: Uint8Array,
    { level, last }: { readonly level: number; readonly last: boolean },
  ): Promise<Packed> {
    const needed = this.#engine.Deflater.room(bytes.length);
    const spare = this.#rooms.pop();
    const room = spare !== undefined && spare.length >= needed ? spare : new Uint8Array(needed);
    try {
      const { size, crc } = await this.#deflater.deflate(level, bytes, room, last);
      const packed = room.slice(0, size);
      this.#rooms.push(room);
      return { packed, crc };
    } catch (cause) {
      throw new OcislimError('CODEC', `the native gzip engine failed: ${String(cause)}`, {
        cause,
        advice: 'Set OCISLIM_NATIVE=0, for the same bytes without it.',
      });
    }
  }
}

/** Opens a packer with the engine that was found; null without one. */
export function openNativePacker(path: string | null): NativePacker | null {
  const engine = loadFound(path);
  return engine === null ? null : new NativePacker(engine);
}
