import { engineNameOf, engineOf, isPacked } from './encoding.ts';
import type { PackedEncoding } from './formats.ts';

/** What packed a layer: the same encoder, version, level and block size give the same bytes. */
export interface EncoderDescription {
  readonly name: string;
  readonly version: string;
  readonly level: number | null;
  /** Input bytes that are packed independently of the others; null for one piece. */
  readonly blockSize: number | null;
}

export function describeEncoder(encoding: PackedEncoding): EncoderDescription {
  if (!isPacked(encoding)) return { name: encoding.kind, version: '1', level: null, blockSize: null };
  const { level } = encoding;
  const { blocks, version } = engineOf(encoding);
  const blockSize = blocks.independent ? blocks.size(level) : null;
  return { name: engineNameOf(encoding), version: version(), level, blockSize };
}
