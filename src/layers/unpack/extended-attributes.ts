/**
 * Extended attributes of unpacked files, capabilities among them. Node cannot set them, so one run of the program setfattr does, and only
 * where a person asked for them.
 */
import { spawn } from 'node:child_process';
import { type ByteString, bytesOf } from '../../bytes/bytes.ts';
import type { Path } from '../../bytes/path.ts';
import { OcislimError } from '../../errors.ts';
import type { Attributes } from '../../tar/attributes.ts';
import type { Disk } from './disk.ts';

/** One attribute: its name with its namespace, and its bytes. */
export type Attribute = readonly [name: ByteString, value: ByteString];

/** The attributes of a file. */
export interface NamedAttributes {
  readonly place: Path;
  readonly attributes: readonly Attribute[];
}

const prefix = 'SCHILY.xattr.';

/** Returns the extended attributes that an entry carries, under the key of Go, GNU tar and bsdtar. */
export function xattrsOf({ records }: Pick<Attributes, 'records'>): readonly Attribute[] {
  return [...records].flatMap(([key, value]) =>
    key.startsWith(prefix) ? [[key.slice(prefix.length), value] as const] : [],
  );
}

/** Sets attributes, of symlinks too, without following these. @throws IO */
export async function setExtendedAttributes(
  disk: Disk,
  files: readonly NamedAttributes[],
  signal: AbortSignal,
): Promise<void> {
  if (files.length === 0) return;
  const child = spawn('setfattr', ['-h', '--restore=-'], {
    cwd: '/',
    env: { PATH: process.env['PATH'], LC_ALL: 'C' },
    stdio: ['pipe', 'ignore', 'pipe'],
    signal,
  });
  let said = '';
  child.stderr
    .setEncoding('utf8')
    .on('data', (text: string) => void (said += said.length < 1000 ? text : ''));
  // A program that ends early says why on stderr.
  child.stdin.on('error', () => {});
  child.stdin.end(files.map((file) => block(disk, file)).join(''));
  const status = await new Promise<number | string | null>((resolve) => {
    child.on('error', (error) => resolve(error.message));
    child.on('close', resolve);
  });
  signal.throwIfAborted();
  if (status === 0) return;
  const why = typeof status === 'string' ? status : (said.split('\n')[0] ?? '');
  throw new OcislimError('IO', `cannot set extended attributes: ${why}`, {
    advice: 'This needs root and the program setfattr (package attr); without --xattrs they are left out.',
  });
}

/** Writes the attributes of a file as `getfattr --dump` does. */
function block(disk: Disk, { place, attributes }: NamedAttributes): string {
  const lines = attributes.map(
    ([name, value]) => `${quoted(bytesOf(name))}=0x${Buffer.from(bytesOf(value)).toString('hex')}\n`,
  );
  return `# file: ${quoted(disk.at(place))}\n${lines.join('')}\n`;
}

/** Writes bytes as setfattr reads them: `\NNN` in octal for all that is not a plain letter, digit or slash. */
function quoted(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => {
    const character = String.fromCharCode(byte);
    return /[\w./-]/.test(character) ? character : `\\${byte.toString(8).padStart(3, '0')}`;
  }).join('');
}
