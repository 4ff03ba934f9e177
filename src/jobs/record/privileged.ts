/**
 * What root needs to enter a root filesystem with all of its users: the rights that container runtimes leave to root, and a program of
 * this system that becomes another user in there. `launch.ts` asks for both.
 */
import { execFile } from 'node:child_process';
import { readFile, realpath } from 'node:fs/promises';
import { promisify } from 'node:util';

/** The capabilities that Docker gives to containers (moby, oci/caps/defaults.go), with their numbers, without CAP_MKNOD. */
const capabilities: Readonly<Record<string, number>> = {
  CAP_CHOWN: 0,
  CAP_DAC_OVERRIDE: 1,
  CAP_FOWNER: 3,
  CAP_FSETID: 4,
  CAP_KILL: 5,
  CAP_SETGID: 6,
  CAP_SETUID: 7,
  CAP_SETPCAP: 8,
  CAP_NET_BIND_SERVICE: 10,
  CAP_NET_RAW: 13,
  CAP_SYS_CHROOT: 18,
  CAP_AUDIT_WRITE: 29,
  CAP_SETFCAP: 31,
};

/** The names of all capabilities that Docker gives to containers. */
export const dockerCapabilities: readonly string[] = [...Object.keys(capabilities), 'CAP_MKNOD'];

/** Returns the names of those capabilities that a process has, by its /proc/PID/status. */
export function capabilitiesOf(status: string): readonly string[] {
  const effective = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`);
  return Object.keys(capabilities).filter(
    (name) => ((effective >> BigInt(capabilities[name] ?? 0)) & 1n) === 1n,
  );
}

/** A program of this system that can run in any root: with its loader and its libraries. All are absolute paths. */
export interface Portable {
  readonly program: string;
  readonly loader: string;
  readonly libraries: readonly string[];
}

/** Returns what a program needs to run, by what ldd(1) prints of it; null for a static program. */
export function portableOf(program: string, printed: string): Portable | null {
  const paths = [...printed.matchAll(/^\s*(?:\S+ => )?(\/\S+) \(0x/gm)].map(([, path = '']) => path);
  const loader = paths.find((path) => /\/ld[^/]*\.so[^/]*$/.test(path));
  if (loader === undefined) return null;
  return { program, loader, libraries: paths.filter((path) => path !== loader) };
}

/** Programs of this system that run in any root. Null for one that it does not have, or that is static. */
export interface Programs {
  /** setpriv(1): without it, no other user can be entered as. */
  readonly setpriv: Portable | null;
  /** env(1), for commands beside the program. Default: null. */
  readonly env?: Portable | null;
  /** umount(8) and unshare(1), for a sandbox without bubblewrap. Default: null. */
  readonly umount?: Portable | null;
  readonly unshare?: Portable | null;
}

/** How root may enter a root filesystem. */
export interface Privileges extends Programs {
  readonly capabilities: readonly string[];
  /** Whether bubblewrap can change modes (from version 0.5 on). Default: no. */
  readonly changesModes?: boolean;
}

/** Finds the programs of this system, and what its bubblewrap can do. */
export async function findPrograms(signal: AbortSignal): Promise<Omit<Privileges, 'capabilities'>> {
  const find = (name: string) => findPortable(name, signal);
  const [help, setpriv, env, umount, unshare] = await Promise.all([
    promisify(execFile)('bwrap', ['--help'], { signal }).catch(() => null),
    find('setpriv'),
    find('env'),
    find('umount'),
    find('unshare'),
  ]);
  signal.throwIfAborted();
  return { setpriv, env, umount, unshare, changesModes: help?.stdout.includes('--chmod ') === true };
}

/** Returns the capabilities that root may hand on: this process, or one that is root of a namespace of its own. */
export async function findCapabilities(isRoot: boolean): Promise<readonly string[]> {
  if (!isRoot) return Object.keys(capabilities);
  return capabilitiesOf(await readFile('/proc/self/status', 'utf8').catch(() => ''));
}

async function findPortable(name: string, signal: AbortSignal): Promise<Portable | null> {
  for (const place of [`/usr/bin/${name}`, `/bin/${name}`]) {
    const program = await realpath(place).catch(() => null);
    if (program === null) continue;
    const printed = await promisify(execFile)('ldd', [program], { signal }).then(
      ({ stdout }) => stdout,
      () => '',
    );
    signal.throwIfAborted();
    return portableOf(program, printed);
  }
  return null;
}

/** Where the helpers are in the root filesystem: /dev is a file system of its own there, so that nothing of them is left behind. */
export const helperFolder = '/dev/.ocislim';

/** Returns the files of programs, with their loader and their libraries, by the names that they have in that folder. */
export function helperFiles(
  programs: Readonly<Record<string, Portable | null>>,
): ReadonlyMap<string, string> {
  const files = new Map<string, string>();
  for (const [name, portable] of Object.entries(programs)) {
    if (portable === null) continue;
    files.set(name, portable.program);
    files.set('loader', portable.loader);
    for (const path of portable.libraries) files.set(path.slice(path.lastIndexOf('/') + 1), path);
  }
  return files;
}

/** Returns the options of bubblewrap that put programs there. */
export function mountsOf(programs: Readonly<Record<string, Portable>>): readonly string[] {
  const binds = [...helperFiles(programs)].flatMap(([name, from]) => [
    '--ro-bind',
    from,
    `${helperFolder}/${name}`,
  ]);
  return ['--dir', helperFolder, ...binds];
}

/** Returns the words that run a program of that folder. */
export function carried(name: string): readonly string[] {
  return [`${helperFolder}/loader`, '--library-path', helperFolder, `${helperFolder}/${name}`];
}

/** Returns the command line that becomes a user and runs the command behind it. */
export function switchTo(uid: number, gid: number, groups: readonly number[]): readonly string[] {
  return [...carried('setpriv'), ...userWords({ uid, gid, groups }), ...noneInherited];
}

const noneInherited = ['--inh-caps=-all', '--ambient-caps=-all'];

interface User {
  readonly uid: number;
  readonly gid: number;
  readonly groups: readonly number[];
}

function userWords({ uid, gid, groups }: User): readonly string[] {
  const further = groups.length === 0 ? ['--clear-groups'] : ['--groups', groups.join(',')];
  return ['--reuid', String(uid), '--regid', String(gid), ...further];
}

/** What setpriv(1) leaves to a command. */
export interface Rights {
  /** Those that it keeps; null where it runs as another user than root, which may not bound them, and has none. */
  readonly capabilities: readonly string[] | null;
  /** The user that it becomes; null to stay the user that there is. */
  readonly user: User | null;
}

/** Returns the options of setpriv(1) that leave no more rights than these, for ever. */
export function rightsOf({ capabilities: left, user }: Rights): readonly string[] {
  const bounds = ['-all', ...(left ?? []).map((name) => `+${name.slice('CAP_'.length).toLowerCase()}`)];
  return [
    ...(left === null ? [] : [`--bounding-set=${bounds.join(',')}`]),
    ...(user === null ? [] : userWords(user)),
    ...noneInherited,
    '--no-new-privs',
  ];
}

/** What a command beside the program has: its rights, and how it starts. */
export interface Beside extends Rights {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

/**
 * Returns the command line that, with all rights in the namespaces of a sandbox, gives up those that the program does not have, and runs a
 * command behind it. It has three executions before that of the command, with the one that enters.
 */
export function giveUp({ cwd, env, ...rights }: Beside): readonly string[] {
  return [
    ...carried('setpriv'),
    ...rightsOf(rights),
    ...carried('env'),
    '-i',
    '-C',
    cwd,
    ...Object.entries(env).map(([name, value]) => `${name}=${value}`),
  ];
}
