/**
 * The table of compression formats and of the engines that write them. `encoding.ts` answers questions about it; the command line,
 * plans, reports and the interpreter ask there instead of naming formats. A new format is a row here and its media types in
 * `oci/media-type.ts`; a new engine is a row of its format. Rows load decoders and engines when a stream first needs one.
 *
 * A format here maps bytes to bytes and knows nothing of tar. Formats that write a table of contents into the layer (eStargz,
 * zstd:chunked) need to see entries: such a `LayerFormat` belongs beside this table, in `layers`, and can use these engines.
 */
import type { ProgressEvent } from '../events.ts';
import type { Compression } from '../oci/media-type.ts';
import type { ByteStream } from '../stream/byte-stream.ts';
import type { BlockEncoder } from './block-encoder.ts';
import type { GzipWorkers } from './gzip-workers.ts';
import type { NativeEngine } from './native.ts';
import { KiB, MiB } from '../units.ts';
import { packageVersion } from './package-version.ts';
import { zstdLevel } from './zstd-level.ts';

/** How much work packing may take. The levels of each effort are in the table. */
export type Effort = 'fast' | 'balanced' | 'small';

/** One row of the table. */
export interface Format {
  /** The hexadecimal first four bytes of a packed stream; null for a format without a mark of its own. */
  readonly magic: RegExp | null;
  /** Loads the decoder. */
  readonly decoder: () => Promise<Decoder>;
  /** Bytes of tar that a client unpacks per second in one thread. */
  readonly unpackingSpeed: number;
  /** The most bytes that a packed byte can unpack to. */
  readonly highestRatio: number;
  /** Whether layers of this format may lie in a docker-archive, for `docker load`. */
  readonly inDockerArchive: boolean;
  /** Clients that read the format, for warnings where a Docker image must become an OCI image because of it. */
  readonly readers: string;
  /** Clients that stop behind the first member or frame; null where there is only one, so that they read all. */
  readonly partialReaders: string | null;
  /** Whether an encoding of this format says which engine wrote it. */
  readonly namesEngine: boolean;
  /** The engines by name; the first is the default. */
  readonly engines: Readonly<Record<string, Engine>>;
}

/** The same engine, version, level and block size give the same bytes on every machine. */
export interface Engine {
  readonly levels: EngineLevels;
  readonly blocks: {
    /** Bytes of input at a time. */
    readonly size: (level: number) => number;
    /** Whether blocks are packed independently of each other, hence in parallel. */
    readonly independent: boolean;
  };
  /** The engine's name in reports and recipes. It changes where the bytes change and the version does not. */
  readonly writer: string;
  readonly version: () => string;
  /** Loads the engine. */
  readonly encoder: () => Promise<EncoderFactory>;
  /** A warning that the level deserves; null for none. */
  readonly caveat: (level: number) => Caveat | null;
}

/** Levels run from 1 to `highest`. */
export interface EngineLevels {
  readonly highest: number;
  /** The level where the user names none. */
  readonly usual: number;
  readonly byEffort: Readonly<Record<Effort, number>>;
  /** The levels worth trying, ascending. The first says how a layer packs at all, so it is not the lowest of all. */
  readonly ladder: readonly [number, ...number[]];
}

export type Caveat = Extract<ProgressEvent, { readonly type: 'warning' }>;

export interface DecoderOptions {
  readonly signal: AbortSignal;
  /** Bytes of history that a decoder may have to keep. */
  readonly maxWindow: number;
  /** The native engine; null for the engines of Node. */
  readonly native: NativeEngine | null;
}

/** Unpacks all members or frames of a stream. @throws CODEC, LIMIT */
export type Decoder = (stream: ByteStream, options: DecoderOptions) => ByteStream;

export interface EncoderSettings {
  readonly level: number;
  readonly blockSize: number;
  readonly workers: GzipWorkers;
}

export type EncoderFactory = (settings: EncoderSettings) => BlockEncoder;

const noCaveat = () => null;

/*
 * The levels by effort were measured on layers of real images (bench/README.md, "Packing"). `fast` is the fastest level that is still
 * smaller than what builders write; beyond `balanced` more work buys little; `small` is the last level that is worth its time.
 * Unpacking speeds are what `gzip -d` and `zstd -d` reach, rounded down: constants, so that a layer is packed the same everywhere.
 */
export const formats = {
  gzip: {
    // RFC 1952 section 2.3.1.
    magic: /^1f8b/,
    decoder: async () => (await import('./gunzip.ts')).gunzip,
    unpackingSpeed: 180e6,
    // 258 bytes for two bits (RFC 1951 section 3.2.5).
    highestRatio: 1032,
    inDockerArchive: false,
    readers: 'every client',
    // Every engine writes one member.
    partialReaders: null,
    namesEngine: true,
    engines: {
      libdeflate: {
        levels: {
          highest: 12,
          usual: 6,
          byEffort: { fast: 5, balanced: 9, small: 10 },
          ladder: [3, 5, 9, 10],
        },
        blocks: { size: () => MiB, independent: true },
        writer: 'libdeflate-joined',
        version: () => packageVersion('libdeflate'),
        encoder: async () => (await import('./gzip-libdeflate.ts')).libdeflateEncoder,
        caveat: noCaveat,
      },
      zlib: {
        levels: { highest: 9, usual: 6, byEffort: { fast: 4, balanced: 6, small: 9 }, ladder: [4, 6, 9] },
        blocks: { size: () => 512 * KiB, independent: true },
        writer: 'zlib',
        version: () => process.versions.zlib ?? 'unknown',
        encoder: async () => (await import('./gzip-zlib.ts')).zlibEncoder,
        caveat: noCaveat,
      },
      pako: {
        levels: { highest: 9, usual: 6, byEffort: { fast: 4, balanced: 6, small: 9 }, ladder: [4, 6, 9] },
        blocks: { size: () => MiB, independent: false },
        writer: 'pako',
        version: () => packageVersion('pako'),
        encoder: async () => (await import('./gzip-pako.ts')).pakoEncoder,
        caveat: noCaveat,
      },
    },
  },
  zstd: {
    // A frame, or a skippable one: RFC 8878 section 3.1.
    magic: /^(?:28b52ffd|5.2a4d18)/,
    decoder: async () => (await import('./unzstd.ts')).unzstd,
    unpackingSpeed: 800e6,
    // A block of 128 KiB for its head of three bytes and one more (RFC 8878 section 3.1.1.2).
    highestRatio: 32_768,
    inDockerArchive: false,
    readers: 'Docker 23 and later, containerd and podman',
    partialReaders: 'composefs before the middle of 2026, which bootc uses',
    namesEngine: false,
    engines: {
      zstd: {
        levels: {
          highest: 22,
          usual: 3,
          byEffort: { fast: 3, balanced: 12, small: 19 },
          ladder: [3, 6, 9, 12, 16, 19],
        },
        blocks: { size: (level) => zstdLevel(level).frameSize, independent: true },
        writer: 'zstd',
        version: () => process.versions['zstd'] ?? 'unknown',
        encoder: async () => (await import('./zstd.ts')).zstdEncoder,
        caveat: (level) =>
          zstdLevel(level).windowCapped
            ? {
                type: 'warning',
                code: 'WINDOW_CAPPED',
                message:
                  'zstd levels 20 to 22 keep to a window of 8 MiB here, which every client can read; level 19 is nearly as small, and faster',
              }
            : null,
      },
    },
  },
  none: {
    magic: null,
    decoder: async () => (await import('./pass-through.ts')).plainDecoder,
    unpackingSpeed: Number.POSITIVE_INFINITY,
    highestRatio: 1,
    inDockerArchive: true,
    readers: 'every client',
    partialReaders: null,
    namesEngine: false,
    engines: {},
  },
} as const satisfies Readonly<Record<Compression, Format>>;

type Formats = typeof formats;

/** The engines of a format, by name. */
export type EngineName<F extends Compression> = F extends Compression
  ? keyof Formats[F]['engines'] & string
  : never;

/** The formats that have engines, and so levels. */
export type PackedFormat = {
  [F in Compression]: [EngineName<F>] extends [never] ? never : F;
}[Compression];

export type GzipEngine = EngineName<'gzip'>;

type EncodingOf<F extends PackedFormat> = Formats[F]['namesEngine'] extends true
  ? { readonly kind: F; readonly level: number; readonly engine: EngineName<F> }
  : { readonly kind: F; readonly level: number };

/** A packing by an engine. */
export type BlockEncoding = { [F in PackedFormat]: EncodingOf<F> }[PackedFormat];

/** How bytes are packed, as far as it decides about the bytes that come out. */
export type PackedEncoding = { readonly kind: Exclude<Compression, PackedFormat> } | BlockEncoding;
