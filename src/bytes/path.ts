/**
 * Paths: clean names of the root filesystem. The readers of tars, databases and rules make them; trees and filesystems take
 * nothing else.
 */
import { OcislimError } from '../errors.ts';
import { ascii, type ByteString, decodeForDisplay, asciiList } from './bytes.ts';

/**
 * Names a file of the root filesystem: a byte string without leading, trailing or double slashes, `.` or `..`. The root
 * is the empty path. Only the functions of this file make one.
 */
export type Path = ByteString & { readonly [brand]: 'Path' };

declare const brand: unique symbol;

export const root = '' as Path;

const untidy = /(?:^|\/)\.{0,2}(?:\/|$)/;

/**
 * Cleans a name: `./a`, `/a`, `a/` and `a//.` all mean the path `a`.
 * @throws LAYER_INVALID on `..` and NUL
 */
export function cleanPath(name: ByteString): Path {
  let path: ByteString = name;
  if (path.startsWith('./')) path = path.slice(2);
  if (path.endsWith('/')) path = path.slice(0, -1);
  if (path.includes('\0')) throw new OcislimError('LAYER_INVALID', 'a file name holds a NUL byte');
  if (!untidy.test(path)) return path as Path;
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.some((part) => part === '..'))
    throw new OcislimError('LAYER_INVALID', `the name ${quotePath(name)} leaves its directory with ".."`);
  return parts.join('/') as Path;
}

/** Spells a path in a source file: literal parts in ASCII, with names between. */
export function rootPath(parts: TemplateStringsArray, ...values: readonly (ByteString | number)[]): Path {
  return cleanPath(ascii(parts, ...values));
}

/** Spells several paths in a source file, in ASCII. */
export function rootPaths(...names: readonly string[]): readonly Path[] {
  return asciiList(...names).map(cleanPath);
}

/** Returns the directory that a path lies in. The root's is the root. */
export function parentOf(path: Path): Path {
  const slash = path.lastIndexOf('/');
  return slash < 0 ? root : (path.slice(0, slash) as Path);
}

/** Returns the last component of a name. */
export function baseOf(path: ByteString): ByteString {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** Returns the path of a name within a directory. The name must be clean. */
export function join(directory: Path, name: ByteString): Path {
  return (directory === '' ? name : `${directory}/${name}`) as Path;
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
