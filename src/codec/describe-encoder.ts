import { engineOf, isPacked } from './encoding.ts';
import type { PackedEncoding } from './formats.ts';

/** What packs a layer. The same encoder, version, level and block size give the same bytes. */
export interface EncoderDescription {
  readonly name: string;
  readonly version: string;
  readonly level: number | null;
  /** Bytes of input that are packed independently of the others; null for a stream that is packed as one piece. */
  readonly blockSize: number | null;
}

/** Describes the encoder of an encoding, for reports and recipes. */
export function describeEncoder(encoding: PackedEncoding): EncoderDescription {
  if (!isPacked(encoding)) return { name: encoding.kind, version: '1', level: null, blockSize: null };
  const { level } = encoding;
  const { blocks, version, writer } = engineOf(encoding);
  const blockSize = blocks.independent ? blocks.size(level) : null;
  return { name: writer, version: version(), level, blockSize };
}
