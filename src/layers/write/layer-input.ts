import type { BlockSource } from '../../codec/block.ts';
import { encode, encodeBlocks, type EncodeOptions } from '../../codec/encode.ts';
import type { PackedEncoding } from '../../codec/encoding.ts';
import type { ByteStream } from '../../stream/byte-stream.ts';
import { noting } from '../../stream/noting.ts';
import { type Seal, sealing } from '../../stream/seal.ts';

/** A tar to pack, as a stream or in blocks. `seal` gives its digest and size once it has ended. */
export type LayerInput =
  | { readonly kind: 'stream'; readonly stream: ByteStream; seal(): Seal }
  | { readonly kind: 'blocks'; readonly blocks: BlockSource; seal(): Seal };

/** A tar on its way through an encoder. */
export interface Packing {
  /** The packed bytes, to be read once. */
  readonly stream: ByteStream;
  /** Returns digest and size of the tar and of the packed bytes, once both have ended. */
  seals(): { readonly plain: Seal; readonly compressed: Seal };
  /** Tells whether this error came from reading the tar, and not from the encoder. */
  isOfInput(error: unknown): boolean;
}

/** Packs a tar as the stream is read. A tar in blocks needs an encoding that packs. @throws USAGE as `encode` does */
export function pack(input: LayerInput, encoding: PackedEncoding, options: EncodeOptions): Packing {
  const reading: { error: unknown } = { error: null };
  const isOfInput = (error: unknown) => error === reading.error;
  if (encoding.kind === 'none') {
    if (input.kind !== 'stream') throw new Error('a tar in blocks needs an encoding that packs');
    // Tar and blob are the same bytes, so one seal serves both.
    return {
      stream: encode(noting(input.stream, reading), encoding, options),
      seals: () => ({ plain: input.seal(), compressed: input.seal() }),
      isOfInput,
    };
  }
  const packed = sealing(
    input.kind === 'stream'
      ? encode(noting(input.stream, reading), encoding, options)
      : encodeBlocks(notingBlocks(input.blocks, reading), encoding, options),
  );
  return {
    stream: packed.stream,
    seals: () => ({ plain: input.seal(), compressed: packed.seal() }),
    isOfInput,
  };
}

/** Notes the error of a block that cannot be read, for `isOfInput`. */
function notingBlocks(blocks: BlockSource, reading: { error: unknown }): BlockSource {
  return {
    next: (memory) =>
      blocks.next(memory).catch((error: unknown) => {
        reading.error = error;
        throw error;
      }),
    close: () => blocks.close(),
  };
}
