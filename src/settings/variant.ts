import { encodingWith, type PackedEncoding, validateEncoding } from '../codec/encoding.ts';
import { OcislimError } from '../errors.ts';

/** Reads `zstd` or `zstd:LEVEL`. @throws USAGE naming the option */
export function parseVariant(text: string, option: string): PackedEncoding {
  const [whole, level] = /^zstd(?::([0-9]{1,3}))?$/.exec(text) ?? [];
  if (whole === undefined)
    throw new OcislimError('USAGE', `${option} takes zstd or zstd:LEVEL, not ${JSON.stringify(text)}`, {
      advice: 'The image beside it is in gzip, which every client reads.',
    });
  const encoding = encodingWith('zstd', { level: level === undefined ? undefined : Number(level) });
  validateEncoding(encoding);
  return encoding;
}
