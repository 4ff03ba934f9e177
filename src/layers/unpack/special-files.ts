/** Devices and named pipes. Node cannot make them, so the programs mknod and mkfifo do, and only where a person asked for devices. */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { type Path, quotePath, rootPath } from '../../bytes/path.ts';
import { OcislimError } from '../../errors.ts';
import type { Disk } from './disk.ts';

const execute = promisify(execFile);

export interface SpecialFile {
  readonly place: Path;
  readonly kind: 'char' | 'block' | 'fifo';
  /** `major,minor`; empty for a named pipe. */
  readonly device: string;
}

/**
 * Makes a device or a named pipe. Arguments of programs are text, so it is made under a plain name and moved to its own.
 * @throws IO
 */
export async function makeSpecialFile(
  disk: Disk,
  { place, kind, device }: SpecialFile,
  signal: AbortSignal,
): Promise<void> {
  const plain = rootPath`.ocislim-${randomBytes(4).readUInt32LE()}`;
  const path = disk.at(plain).toString();
  const [major = '0', minor = '0'] = device.split(',');
  const command =
    kind === 'fifo'
      ? ['mkfifo', '-m', '600', '--', path]
      : ['mknod', '-m', '600', '--', path, kind === 'char' ? 'c' : 'b', major || '0', minor];
  const [program = '', ...args] = command;
  try {
    await execute(program, args, { signal, env: { PATH: process.env['PATH'], LC_ALL: 'C' } });
  } catch (error) {
    signal.throwIfAborted();
    const what = kind === 'fifo' ? 'named pipe' : 'device';
    const said = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : String(error);
    throw new OcislimError('IO', `cannot make the ${what} ${quotePath(place)}: ${said.split('\n')[0]}`, {
      cause: error,
      advice: 'Devices need root and the programs mknod and mkfifo; without --devices they are left out.',
    });
  }
  disk.move(plain, place);
}
