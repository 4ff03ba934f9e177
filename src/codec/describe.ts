import { createRequire } from 'node:module';
import type { PackedEncoding } from './encoding.ts';
import { libdeflateBlock } from './gzip-libdeflate.ts';
import { zlibBlock } from './gzip-zlib.ts';
import { zstdLevel } from './zstd-level.ts';

/** What packed a layer: the same encoder, version, level and block size give the same bytes. */
export interface EncoderDescription {
  readonly name: string;
  readonly version: string;
  readonly level: number | null;
  /** Input bytes that are packed independently of the others; null for one piece. */
  readonly blockSize: number | null;
  readonly text: string;
}

export function describeEncoder(encoding: PackedEncoding): EncoderDescription {
  switch (encoding.kind) {
    case 'none':
      return { name: 'none', version: '1', level: null, blockSize: null, text: 'not compressed' };
    case 'zstd':
      return describe(
        'zstd',
        process.versions['zstd'] ?? 'unknown',
        encoding.level,
        zstdLevel(encoding.level).frameSize,
      );
    case 'gzip':
      switch (encoding.engine) {
        case 'libdeflate':
          return describe('libdeflate', packageVersion('libdeflate'), encoding.level, libdeflateBlock);
        case 'zlib':
          return describe('zlib', process.versions.zlib ?? 'unknown', encoding.level, zlibBlock);
        case 'pako':
          return describe('pako', packageVersion('pako'), encoding.level, null);
      }
  }
}

function describe(name: string, version: string, level: number, size: number | null): EncoderDescription {
  return { name, version, level, blockSize: size, text: `${name} ${version}, level ${level}` };
}

/** Of a package that may not export its package.json: found beside its entry point. */
function packageVersion(name: string): string {
  const require = createRequire(import.meta.url);
  const entry = require.resolve(name);
  const folder = entry.slice(0, entry.lastIndexOf(`/node_modules/${name}/`) + `/node_modules/${name}`.length);
  return (require(`${folder}/package.json`) as { version: string }).version;
}
