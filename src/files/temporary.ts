/**
 * Names for unfinished files and folders that tell which process made them, so that a later run can remove those of a killed
 * process. All rooms that write files call it, the cache and the layouts' lock too.
 */
import { createHash, randomBytes } from 'node:crypto';
import { constants, readFileSync, readlinkSync } from 'node:fs';
import { type FileHandle, lstat, mkdir, open, readdir, rm, unlink } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileError } from './file-error.ts';

const day = 24 * 3600 * 1000;
/** O_TMPFILE of Linux with the flags it needs; the value is the same on every processor that Node runs on. */
const unnamed = constants.O_RDWR | constants.O_EXCL | constants.O_DIRECTORY | 0o20000000;

/** Whether /proc numbers processes as the system calls do: in a new PID namespace the old /proc may still be mounted. */
const hasProc = tryTo(() => readlinkSync('/proc/self')) === String(process.pid);

/**
 * Identifies this boot of this machine and its space of process numbers among all that share the disk (containers, network
 * mounts). Living processes with the same value number processes alike, since a namespace's number is free again only when all
 * of its processes have ended.
 */
const machine = createHash('sha256')
  .update(tryTo(() => readFileSync('/proc/sys/kernel/random/boot_id', 'latin1')) ?? hostname())
  .update(processSpace())
  .digest('hex')
  .slice(0, 8);

const start = startOf('self') ?? '0';

function processSpace(): string {
  // Without a name of the namespace, no mark of another process may seem to be of this space.
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

/** Makes a mark of this process: `<pid>-<start>-<machine>-<random>`. It cannot be guessed; `isAbandoned` reads it. */
export function temporaryMark(): string {
  return `${process.pid}-${start}-${machine}-${randomBytes(8).toString('hex')}`;
}

/** Bytes of a name that leave room for a mark. */
const longestStem = 180;

/** Makes a name for the unfinished form of a file. @param name with or without the folders around it */
export function temporaryName(name: string): string {
  const at = name.lastIndexOf('/') + 1;
  return `${name.slice(0, at)}${stemOf(name.slice(at))}.partial-${temporaryMark()}`;
}

/** Returns the part of a file's name that its unfinished form begins with: all of it, unless it is too long. */
export function stemOf(name: string): string {
  if (Buffer.byteLength(name) <= longestStem) return name;
  return Buffer.from(name)
    .toString('utf8', 0, longestStem)
    .replace(/\uFFFD+$/u, '');
}

const markForm = /^([0-9]+)-([0-9]+)-([0-9a-f]{8})-[0-9a-f]{16}$/;

/** Returns whether a text has the form of a mark. */
export function isMark(text: string): boolean {
  return markForm.test(text);
}

/** Returns whether the process that made this mark has ended. False where that is unknown, as for marks of another machine. */
export function isAbandoned(mark: string): boolean {
  const [, pid = '', began = '', where] = markForm.exec(mark) ?? [];
  if (where !== machine) return false;
  try {
    process.kill(Number(pid), 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return true;
  }
  // Another process may have been given the number since.
  const now = startOf(pid);
  return now !== null && (now === 'ended' || (began !== '0' && now !== began));
}

/**
 * Returns when a process began, in ticks since the boot, or null where /proc does not tell. `ended` for a zombie: in a container
 * without an init, ended processes keep their numbers.
 */
function startOf(pid: string): string | null {
  const stat = hasProc ? tryTo(() => readFileSync(`/proc/${pid}/stat`, 'latin1')) : null;
  // The second field, the name of the program in brackets, may hold spaces and brackets.
  const [state = '', ...fields] = stat?.slice(stat.lastIndexOf(')') + 2).split(' ') ?? [];
  if (state === 'Z' || state === 'X') return 'ended';
  return fields[18] ?? null;
}

/**
 * Removes files and folders that killed processes of this user left under `temporaryName(name)`, for every name that `wanted`
 * accepts. Those of another machine, or of an earlier boot, are removed when they are a day old. Never fails.
 */
export async function sweepTemporaries(
  folder: string,
  wanted: (name: string) => boolean,
  remove: (path: string) => Promise<void> = removeAll,
): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  for (const file of names) {
    const [, name, mark] = /^(.*)\.partial-([0-9]+-[0-9]+-[0-9a-f]{8}-[0-9a-f]{16})$/s.exec(file) ?? [];
    if (name === undefined || mark === undefined || !wanted(name)) continue;
    const path = join(folder, file);
    const found = await lstat(path).catch(() => null);
    if (found === null || (process.getuid !== undefined && found.uid !== process.getuid())) continue;
    const isOld = !mark.includes(`-${machine}-`) && Date.now() - found.mtimeMs > day;
    if (isOld || isAbandoned(mark)) await remove(path).catch(() => {});
  }
}

function removeAll(path: string): Promise<void> {
  return rm(path, { recursive: true, force: true });
}

/** Removes files and folders that killed processes left in TMPDIR. Never fails. */
export function sweepTemporaryFolders(): Promise<void> {
  return sweepTemporaries(tmpdir(), (name) => /^ocislim(?:-[a-z]+)?$/.test(name));
}

/** Makes a folder in TMPDIR that only this user can read. The caller removes it; if it is killed, a later run does. @throws IO */
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
 * Opens a file without a name in TMPDIR, for reading and writing (mode 0600), so that nothing is left however this process ends.
 * Where the system cannot do that, the file has a name for a moment. Passes the system's errors on.
 */
export async function openUnnamedFile(): Promise<FileHandle> {
  const file = process.platform === 'linux' ? await open(tmpdir(), unnamed, 0o600).catch(() => null) : null;
  return file ?? openAndUnlink(join(tmpdir(), temporaryName('ocislim')));
}

/** Creates a file and removes its name. Passes the system's errors on. */
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
