/**
 * Extended attributes of files of this machine. Node cannot read them, so one run of the program getfattr does, which lists those of a
 * whole directory. `write-files.ts` asks before it writes.
 */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { asByteString, type ByteString } from '../bytes/bytes.ts';
import { cleanPath, type Path } from '../bytes/path.ts';
import { OcislimError } from '../errors.ts';
import type { Xattr } from '../tar/new-head.ts';

/** The attributes of files, by their paths below the folder that was read from. Most files have none. */
export type AttributesByPath = ReadonlyMap<Path, readonly Xattr[]>;

/**
 * What belongs to a file wherever it is: its capabilities, and what users gave it. Others belong to this machine: labels of SELinux,
 * ACLs, marks of overlays (attr(5), capabilities(7)).
 */
const wanted = String.raw`^(user\.|security\.capability$)`;
const marks = /^user\.(?:overlay|fuseoverlayfs|containers)\./;

/** What getfattr says of files that have no attributes to be read: those of some kinds of file systems, and what is gone since. */
const harmless = /: (?:Operation not supported|No such file or directory|Permission denied)$/;

/**
 * Reads the attributes of a file in a folder, or with `.` of the folder and all that is in it, and follows no symlink. Null where the
 * program is not installed. @throws IO
 */
export async function readExtendedAttributes(
  { folder, name }: { readonly folder: string; readonly name: string },
  signal: AbortSignal,
): Promise<AttributesByPath | null> {
  const place = name === '.' ? '.' : `./${name}`;
  const words = ['-R', '-P', '-h', '-d', '-m', wanted, '-e', 'hex', '--absolute-names', '--', place];
  const child = spawn('getfattr', words, {
    cwd: folder,
    env: { PATH: process.env['PATH'], LC_ALL: 'C' },
    stdio: ['ignore', 'pipe', 'pipe'],
    signal,
  });
  const ended = new Promise<Error | null>((resolve) => {
    child.on('error', resolve);
    child.on('close', () => resolve(null));
  });
  const said = collectText(child.stderr);
  const found = await readDump(createInterface({ input: child.stdout.setEncoding('latin1') }));
  const error = await ended;
  signal.throwIfAborted();
  if (error !== null && 'code' in error && error.code === 'ENOENT') return null;
  const complaint = (await said).split('\n').find((line) => line !== '' && !harmless.test(line));
  if (error === null && complaint === undefined) return found;
  throw new OcislimError('IO', `cannot read extended attributes: ${complaint ?? error?.message}`, {
    advice: 'With --no-xattrs they are left out.',
  });
}

async function collectText(stream: NodeJS.ReadableStream): Promise<string> {
  let text = '';
  for await (const chunk of stream) text += text.length < 10_000 ? String(chunk) : '';
  return text;
}

/** Reads what `getfattr --dump` prints: a line for each file, and a line for each of its attributes. */
async function readDump(lines: AsyncIterable<string>): Promise<AttributesByPath> {
  const found = new Map<Path, Xattr[]>();
  let own: Xattr[] = [];
  for await (const line of lines) {
    if (line.startsWith('# file: ')) {
      own = [];
      found.set(cleanPath(unescaped(line.slice('# file: '.length))), own);
      continue;
    }
    // A line without a value is that of an attribute without bytes.
    const equals = line.lastIndexOf('=0x');
    const name = equals < 0 ? line : line.slice(0, equals);
    if (name === '' || marks.test(name)) continue;
    const value = equals < 0 ? '' : line.slice(equals + 3);
    own.push([unescaped(name), asByteString(Buffer.from(value, 'hex').toString('latin1'))]);
  }
  return found;
}

/** Reads a name as getfattr writes it: `\NNN` in octal for backslashes and line ends. */
function unescaped(text: string): ByteString {
  return asByteString(
    text.replaceAll(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8))),
  );
}
