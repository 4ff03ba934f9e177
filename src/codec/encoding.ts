import { OcislimError } from '../errors.ts';

export type GzipEngine = 'libdeflate' | 'zlib' | 'pako';

/** How bytes are packed, as far as it decides about the bytes that come out. */
export type PackedEncoding =
  | { readonly kind: 'none' }
  | { readonly kind: 'gzip'; readonly level: number; readonly engine: GzipEngine }
  | { readonly kind: 'zstd'; readonly level: number };

/** The highest level of each engine; the lowest is always 1. */
const maxLevels = { libdeflate: 12, zlib: 9, pako: 9, zstd: 22 } as const;

/** @throws USAGE with the range allowed. */
export function validateEncoding(encoding: PackedEncoding): void {
  switch (encoding.kind) {
    case 'none':
      return;
    case 'gzip':
      if (!Object.hasOwn(maxLevels, encoding.engine) || (encoding.engine as string) === 'zstd') {
        throw new OcislimError('USAGE', `there is no gzip engine ${JSON.stringify(encoding.engine)}`, {
          advice: 'Use libdeflate, zlib or pako.',
        });
      }
      return checkLevel(encoding.level, maxLevels[encoding.engine], `gzip with ${encoding.engine}`);
    case 'zstd':
      return checkLevel(encoding.level, maxLevels.zstd, 'zstd');
  }
}

function checkLevel(level: number, max: number, what: string): void {
  if (Number.isInteger(level) && level >= 1 && level <= max) return;
  throw new OcislimError('USAGE', `${what} has no level ${level}: levels run from 1 to ${max}`);
}
