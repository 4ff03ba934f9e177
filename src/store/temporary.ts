import { createHash, randomBytes } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { readdir, stat, unlink } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';

const week = 7 * 24 * 3600 * 1000;

/** What tells this machine and its process numbers from others that share the disk (containers, network mounts). */
const machine = createHash('sha256').update(`${hostname()} ${processSpace()}`).digest('hex').slice(0, 8);

function processSpace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return process.platform;
  }
}

/** Who made a temporary file: `<pid>-<machine>-<random>`. Cannot be guessed, and tells whether its maker still lives. */
export function temporaryMark(): string {
  return `${process.pid}-${machine}-${randomBytes(8).toString('hex')}`;
}

/** The name of the unfinished form of a file. */
export function temporaryName(name: string): string {
  return `${name}.partial-${temporaryMark()}`;
}

/** Has the process that made this mark ended? Unknown (another machine) counts as no. */
export function isAbandoned(mark: string): boolean {
  const [, pid = '', where] = /^([0-9]+)-([0-9a-f]{8})-[0-9a-f]{16}$/.exec(mark) ?? [];
  if (where !== machine) return false;
  try {
    process.kill(Number(pid), 0);
    return isZombie(pid);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

/** In a container without an init nobody collects the dead, whose numbers go on to exist. */
function isZombie(pid: string): boolean {
  try {
    return / [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'latin1').replace(/^.*\)/s, ''));
  } catch {
    return false;
  }
}

/**
 * Removes what a killed process left in a folder under `temporaryName(name)`, for any name that `wanted` accepts.
 * What another machine made goes after a week. Never fails: it is housekeeping.
 */
export async function sweepTemporaries(folder: string, wanted: (name: string) => boolean): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  for (const file of names) {
    const [, name, mark] = /^(.*)\.partial-([0-9]+-[0-9a-f]{8}-[0-9a-f]{16})$/s.exec(file) ?? [];
    if (name === undefined || mark === undefined || !wanted(name)) continue;
    const path = join(folder, file);
    const old = async () => Date.now() - (await stat(path)).mtimeMs > week;
    if (isAbandoned(mark) || (!mark.includes(`-${machine}-`) && (await old().catch(() => false)))) {
      await unlink(path).catch(() => {});
    }
  }
}
