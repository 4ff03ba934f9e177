/**
 * Finds out whether this machine executes programs of an architecture: its own, or one for which the kernel has a handler (binfmt_misc).
 * `image-sandbox.ts` asks before it unpacks an image.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { OcislimError } from '../../../errors.ts';

/** The start of an ELF file: its class (1: 32 bits, 2: 64 bits), its byte order (1: little, 2: big), and its machine (elf(5), e_machine). */
type Header = readonly [bits: 1 | 2, order: 1 | 2, machine: number];

/** Headers of programs, by the names that images have for architectures. */
const headers: Readonly<Record<string, Header>> = {
  '386': [1, 1, 3],
  amd64: [2, 1, 62],
  arm: [1, 1, 40],
  arm64: [2, 1, 183],
  loong64: [2, 1, 258],
  mips: [1, 2, 8],
  mipsle: [1, 1, 8],
  mips64: [2, 2, 8],
  mips64le: [2, 1, 8],
  ppc64: [2, 2, 21],
  ppc64le: [2, 1, 21],
  riscv64: [2, 1, 243],
  s390x: [2, 2, 22],
};

/** Names that Node has for architectures, where images have others. */
const own: Readonly<Record<string, string>> = {
  x64: 'amd64',
  ia32: '386',
  ppc64: 'ppc64le',
  mipsel: 'mipsle',
};

/** The architecture whose programs processors of another one execute, too. */
const older: Readonly<Record<string, string>> = { amd64: '386', arm64: 'arm' };

const handlers = '/proc/sys/fs/binfmt_misc';

/** @throws UNSUPPORTED for a platform, "linux/arm64" or longer, whose programs this machine does not execute */
export async function requireArchitecture(platform: string): Promise<void> {
  const [os = '', architecture = ''] = platform.split('/');
  const here = own[process.arch] ?? process.arch;
  if (os === 'linux' && (architecture === here || architecture === older[here])) return;
  if (os === 'linux' && hasHandler(architecture, await readHandlers())) return;
  const handler =
    os === 'linux'
      ? ' Or install a handler for its programs that also works in other root filesystems (apt-get install qemu-user-static).'
      : '';
  throw new OcislimError(
    'UNSUPPORTED',
    `the image is for ${platform}, and this machine (linux/${here}) does not run its programs`,
    { advice: `Choose the image for this machine, if there is one: --platform linux/${here}.${handler}` },
  );
}

/** Returns whether one of the handlers runs programs of an architecture in any root filesystem. `files`: those of binfmt_misc (Documentation/admin-guide/binfmt-misc.rst). */
export function hasHandler(architecture: string, files: readonly string[]): boolean {
  const header = headers[architecture];
  if (header === undefined) return false;
  const start = bytesOf(header);
  return files.some((text) => {
    const values = new Map(
      text.split('\n').map((line) => {
        const [name = '', value = ''] = line.replace(':', '').split(' ', 2);
        return [name, value] as const;
      }),
    );
    // Without this flag, the interpreter is looked for in the root filesystem of the image.
    if (!values.has('enabled') || !(values.get('flags') ?? '').includes('F')) return false;
    const magic = Buffer.from(values.get('magic') ?? '', 'hex');
    const mask = Buffer.from(values.get('mask') ?? '', 'hex');
    const offset = Number(values.get('offset') ?? 0);
    return (
      magic.length > 0 &&
      magic.every((byte, i) => {
        const bits = mask[i] ?? 0xff;
        return ((start[offset + i] ?? 0) & bits) === (byte & bits);
      })
    );
  });
}

/** Returns the first bytes of a program: the identification, the type (an executable), the machine. */
function bytesOf([bits, order, machine]: Header): Uint8Array {
  const start = Buffer.alloc(64);
  start.set([0x7f, 0x45, 0x4c, 0x46, bits, order, 1]);
  const write = (value: number, at: number) =>
    order === 1 ? start.writeUInt16LE(value, at) : start.writeUInt16BE(value, at);
  write(2, 16);
  write(machine, 18);
  return start;
}

/** Returns the texts of all handlers; none where this machine has none. */
async function readHandlers(): Promise<readonly string[]> {
  const names = await readdir(handlers).catch(() => []);
  const isHandler = (name: string) => name !== 'register' && name !== 'status';
  return Promise.all(
    names.filter(isHandler).map((name) => readFile(join(handlers, name), 'latin1').catch(() => '')),
  );
}
