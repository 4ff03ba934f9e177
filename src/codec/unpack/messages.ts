import type { ErrorCode } from '../../errors.ts';
import type { Algorithm, Digest } from '../../oci/digest.ts';
import type { Compression } from '../../oci/media-type.ts';

/** What an unpacking thread is told. `id` names the stream; one thread can have several. */
export type Order =
  | {
      readonly kind: 'open';
      readonly id: number;
      readonly compression: Compression;
      readonly maxWindow: number;
      readonly hash: Algorithm;
    }
  /** Packed bytes, moved to the thread. */
  | { readonly kind: 'input'; readonly id: number; readonly bytes: Uint8Array<ArrayBuffer> }
  /** The input is at its end. */
  | { readonly kind: 'end'; readonly id: number }
  /** Leave to fill one block: shared memory, or as much of the thread's own, which is then moved. */
  | { readonly kind: 'room'; readonly id: number; readonly memory: SharedArrayBuffer | number }
  | { readonly kind: 'close'; readonly id: number };

/** What it answers. */
export type Answer =
  /** A piece of input has been read. */
  | { readonly kind: 'taken'; readonly id: number }
  /** A block is filled; with the last one comes the digest of all unpacked bytes. */
  | {
      readonly kind: 'filled';
      readonly id: number;
      readonly bytes: Uint8Array;
      readonly digest: Digest | null;
    }
  | { readonly kind: 'failed'; readonly id: number; readonly error: Failure };

/** An error as it travels: one of ours, or whatever it was. */
export type Failure =
  | {
      readonly kind: 'known';
      readonly code: ErrorCode;
      readonly message: string;
      readonly advice: string | undefined;
    }
  | { readonly kind: 'other'; readonly error: unknown };
