import { OcislimError } from '../errors.ts';
import { type ByteString, decodeForDisplay } from './bytes.ts';

/** A place in the root filesystem: a byte string without leading, trailing or double slashes, `.` or `..`; '' is the root. */
export type Path = ByteString;

const untidy = /(?:^|\/)\.{0,2}(?:\/|$)/;

/**
 * The one path that `./a`, `/a`, `a/` and `a//.` all mean.
 * @throws LAYER_INVALID on `..` and NUL
 */
export function cleanPath(name: ByteString): Path {
  let path = name;
  if (path.startsWith('./')) path = path.slice(2);
  if (path.endsWith('/')) path = path.slice(0, -1);
  if (path.includes('\0')) throw new OcislimError('LAYER_INVALID', 'a file name holds a NUL byte');
  if (!untidy.test(path)) return path;
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..'))
    throw new OcislimError('LAYER_INVALID', `the name ${quotePath(name)} leaves its directory with ".."`);
  return parts.join('/');
}

export function parentOf(path: Path): Path {
  const slash = path.lastIndexOf('/');
  return slash < 0 ? '' : path.slice(0, slash);
}

export function baseOf(path: Path): ByteString {
  return path.slice(path.lastIndexOf('/') + 1);
}

export function join(directory: Path, name: ByteString): Path {
  return directory === '' ? name : `${directory}/${name}`;
}

/**
 * Quotes a path for a message: as a JSON string where it is UTF-8, with direction marks and C1 controls as `\uNNNN`; each
 * byte that is not UTF-8 as `\xNN`. Different paths give different texts.
 */
export function quotePath(path: ByteString): string {
  const quoted = decodeForDisplay(path, (text) =>
    JSON.stringify(text)
      .slice(1, -1)
      .replace(
        /[\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g,
        (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
      ),
  );
  return `"${quoted}"`;
}
