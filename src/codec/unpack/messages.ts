import type { ErrorCode } from '../../errors.ts';
import type { Algorithm, Digest } from '../../oci/digest.ts';
import type { Compression } from '../../oci/media-type.ts';

/** A message to an unpacking thread. `id` names the stream; one thread can have several. */
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
  /** The end of the input. */
  | { readonly kind: 'end'; readonly id: number }
  /** A request to fill one block: in shared memory, or in so many bytes of the thread's own memory, which is then moved. */
  | { readonly kind: 'room'; readonly id: number; readonly memory: SharedArrayBuffer | number }
  | { readonly kind: 'close'; readonly id: number };

/** A message from an unpacking thread. */
export type Answer =
  /** A piece of input was read. */
  | { readonly kind: 'taken'; readonly id: number }
  /** A filled block. The last one has the digest of all unpacked bytes. */
  | {
      readonly kind: 'filled';
      readonly id: number;
      readonly bytes: Uint8Array;
      readonly digest: Digest | null;
    }
  | { readonly kind: 'failed'; readonly id: number; readonly error: Failure };

/** An error in a message: one of ocislim's by its parts, or another as it is. */
export type Failure =
  | {
      readonly kind: 'known';
      readonly code: ErrorCode;
      readonly message: string;
      readonly advice: string | undefined;
    }
  | { readonly kind: 'other'; readonly error: unknown };
