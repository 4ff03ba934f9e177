import { createHash, randomBytes } from 'node:crypto';
import { constants, readFileSync, readlinkSync } from 'node:fs';
import { type FileHandle, lstat, mkdir, open, readdir, rm, unlink } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileError } from './file-error.ts';

const day = 24 * 3600 * 1000;
/** Linux, on every processor that Node runs on; Node does not name it. */
const unnamed = constants.O_RDWR | constants.O_EXCL | constants.O_DIRECTORY | 0o20000000;

/** Does /proc number processes as this one is numbered? In a new PID namespace the old /proc may still be mounted. */
const hasProc = tryTo(() => readlinkSync('/proc/self')) === String(process.pid);

/**
 * What tells this machine, since its start, and its process numbers from others that share the disk (containers, network
 * mounts). Two living processes with one such mark number processes alike: a namespace's number is free again only
 * when all of its processes have ended.
 */
const machine = createHash('sha256')
  .update(tryTo(() => readFileSync('/proc/sys/kernel/random/boot_id', 'latin1')) ?? hostname())
  .update(processSpace())
  .digest('hex')
  .slice(0, 8);

const start = startOf('self') ?? '0';

function processSpace(): string {
  // Where nothing tells namespaces apart, no other process is known.
  if (process.platform === 'linux')
    return tryTo(() => readlinkSync('/proc/self/ns/pid')) ?? randomBytes(8).toString('hex');
  return process.platform;
}

function tryTo<T>(read: () => T): T | null {
  try {
    return read();
  } catch {
    return null;
  }
}

/** Who made a temporary file: `<pid>-<start>-<machine>-<random>`. Cannot be guessed, and tells whether its maker still lives. */
export function temporaryMark(): string {
  return `${process.pid}-${start}-${machine}-${randomBytes(8).toString('hex')}`;
}

/** The name of the unfinished form of a file. */
export function temporaryName(name: string): string {
  return `${name}.partial-${temporaryMark()}`;
}

/** Has the process that made this mark ended? Unknown (another machine) counts as no. */
export function isAbandoned(mark: string): boolean {
  const [, pid = '', began = '', where] = /^([0-9]+)-([0-9]+)-([0-9a-f]{8})-[0-9a-f]{16}$/.exec(mark) ?? [];
  if (where !== machine) return false;
  try {
    process.kill(Number(pid), 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return true;
  }
  // The number may be another process's by now.
  const now = startOf(pid);
  return now !== null && (now === 'ended' || (began !== '0' && now !== began));
}

/**
 * When a process began, in ticks since the machine did. `ended` for one that nobody has collected: in a container without an
 * init the numbers of the dead go on to exist. Null where nothing tells.
 */
function startOf(pid: string): string | null {
  const stat = hasProc ? tryTo(() => readFileSync(`/proc/${pid}/stat`, 'latin1')) : null;
  // The name of the program, in brackets, may hold anything.
  const [state = '', ...fields] = stat?.slice(stat.lastIndexOf(')') + 2).split(' ') ?? [];
  if (state === 'Z' || state === 'X') return 'ended';
  return fields[18] ?? null;
}

/**
 * Removes what a killed process of this user left in a folder under `temporaryName(name)`, for any name that `wanted`
 * accepts. What another machine made, or this one before it was started anew, goes after a day. Never fails: it is
 * housekeeping.
 */
export async function sweepTemporaries(folder: string, wanted: (name: string) => boolean): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  for (const file of names) {
    const [, name, mark] = /^(.*)\.partial-([0-9]+-[0-9]+-[0-9a-f]{8}-[0-9a-f]{16})$/s.exec(file) ?? [];
    if (name === undefined || mark === undefined || !wanted(name)) continue;
    const path = join(folder, file);
    const found = await lstat(path).catch(() => null);
    if (found === null || (process.getuid !== undefined && found.uid !== process.getuid())) continue;
    const isOld = !mark.includes(`-${machine}-`) && Date.now() - found.mtimeMs > day;
    if (isOld || isAbandoned(mark)) await rm(path, { recursive: true, force: true }).catch(() => {});
  }
}

/** Removes what killed processes left in TMPDIR. Never fails. */
export function sweepTemporaryFolders(): Promise<void> {
  return sweepTemporaries(tmpdir(), (name) => /^ocislim(?:-[a-z]+)?$/.test(name));
}

/** A new folder in TMPDIR that only this user can look into. Whoever makes it removes it; else a later run does. @throws IO */
export async function makeTemporaryFolder(purpose: string): Promise<string> {
  await sweepTemporaryFolders();
  const path = join(tmpdir(), temporaryName(`ocislim-${purpose}`));
  try {
    await mkdir(path, { mode: 0o700 });
  } catch (error) {
    throw fileError(`make a folder in ${tmpdir()}`, error, 'Set TMPDIR to a folder with room in it.');
  }
  return path;
}

/**
 * A file in TMPDIR without a name, for reading and writing (mode 0600): nothing of it is left, however this process ends.
 * Where the system cannot make one it has a name for a moment. Lets the system's errors through.
 */
export async function openUnnamedFile(): Promise<FileHandle> {
  const file = process.platform === 'linux' ? await open(tmpdir(), unnamed, 0o600).catch(() => null) : null;
  return file ?? openAndUnlink(join(tmpdir(), temporaryName('ocislim')));
}

/** A new file that has lost its name. */
export async function openAndUnlink(path: string): Promise<FileHandle> {
  const file = await open(path, 'wx+', 0o600);
  try {
    await unlink(path);
  } catch (error) {
    await file.close();
    throw error;
  }
  return file;
}
