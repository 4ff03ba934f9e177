/**
 * Packs what a release holds, with ocislim's own encoders: gzip by libdeflate, whose bytes are the same on every machine, and zstd in
 * one frame.
 */
import { constants, zstdCompressSync } from 'node:zlib';
import { encode } from '../../src/codec/encode.ts';
import { createEncoderPool, type EncoderPool } from '../../src/codec/encoder-pool.ts';
import { collect, streamOf } from '../../src/stream/collect.ts';
import { GiB } from '../../src/units.ts';

/** How much work packing may take: `small` for what is published, `quick` for tests. */
export type Effort = 'small' | 'quick';

/** How hard the formats try for each effort. A window of 128 MiB is what `zstd -d` and dpkg read without being asked. */
const levels = {
  small: { gzip: 12, zstd: 19, windowLog: 27 },
  quick: { gzip: 1, zstd: 1, windowLog: 20 },
} as const satisfies Readonly<Record<Effort, object>>;

/** Packs files with one effort. Close it, since its threads would go on. */
export class Packer implements AsyncDisposable {
  readonly #effort: Effort;
  readonly #pool: EncoderPool = createEncoderPool({ jobs: 2 });

  constructor(effort: Effort) {
    this.#effort = effort;
  }

  /** Packs bytes with gzip, as one member without a name or a time. */
  async gzip(bytes: Uint8Array): Promise<Uint8Array> {
    const { signal } = new AbortController();
    const encoding = { kind: 'gzip', engine: 'libdeflate', level: levels[this.#effort].gzip } as const;
    const packed = encode(streamOf(bytes), encoding, { signal, pool: this.#pool });
    return collect(packed, GiB, 'a packed file');
  }

  /** Packs bytes with zstd, as one frame with its size and a checksum. */
  zstd(bytes: Uint8Array): Uint8Array {
    const { zstd, windowLog } = levels[this.#effort];
    return zstdCompressSync(bytes, {
      params: {
        [constants.ZSTD_c_compressionLevel]: zstd,
        [constants.ZSTD_c_windowLog]: windowLog,
        [constants.ZSTD_c_enableLongDistanceMatching]: 1,
        [constants.ZSTD_c_contentSizeFlag]: 1,
        [constants.ZSTD_c_checksumFlag]: 1,
      },
      pledgedSrcSize: bytes.length,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool.close();
  }
}
