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

/** How root may enter a root filesystem. */
export interface Privileges {
  readonly capabilities: readonly string[];
  /** setpriv(1) of this system; null where it has none, so that no other user can be entered as. */
  readonly setpriv: Portable | null;
  /** env(1) of this system, for commands beside the program. Default: null, for none. */
  readonly env?: Portable | null;
  /** Whether bubblewrap can change modes (from version 0.5 on). Default: no. */
  readonly changesModes?: boolean;
}

/** Finds out what root may hand on: this process, or one that is root of a namespace of its own. */
export async function findPrivileges(isRoot: boolean, signal: AbortSignal): Promise<Privileges> {
  const status = await readFile('/proc/self/status', 'utf8').catch(() => '');
  const help = await promisify(execFile)('bwrap', ['--help'], { signal }).catch(() => null);
  signal.throwIfAborted();
  return {
    capabilities: isRoot ? capabilitiesOf(status) : Object.keys(capabilities),
    setpriv: await findPortable('setpriv', signal),
    env: await findPortable('env', signal),
    changesModes: help?.stdout.includes('--chmod ') === true,
  };
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
const folder = '/dev/.ocislim';

/** Returns the options of bubblewrap that put programs there by their names, with their loader and their libraries. */
export function mountsOf(programs: Readonly<Record<string, Portable>>): readonly string[] {
  const files = new Map<string, string>();
  for (const [name, { program, loader, libraries }] of Object.entries(programs)) {
    files.set(name, program);
    files.set('loader', loader);
    for (const path of libraries) files.set(path.slice(path.lastIndexOf('/') + 1), path);
  }
  const binds = [...files].flatMap(([name, from]) => ['--ro-bind', from, `${folder}/${name}`]);
  return ['--dir', folder, ...binds];
}

/** The words that run a program which `mountsOf` put there. */
function carried(name: string): readonly string[] {
  return [`${folder}/loader`, '--library-path', folder, `${folder}/${name}`];
}

/** Returns the command line that becomes a user and runs the command behind it. */
export function switchTo(uid: number, gid: number, groups: readonly number[]): readonly string[] {
  return [
    ...carried('setpriv'),
    '--reuid',
    String(uid),
    '--regid',
    String(gid),
    ...(groups.length === 0 ? ['--clear-groups'] : ['--groups', groups.join(',')]),
    '--inh-caps=-all',
    '--ambient-caps=-all',
  ];
}

/** What a command beside the program has: its rights, and how it starts. */
export interface Beside {
  /** The words that become its user; none to stay the user that there is. */
  readonly user: { readonly uid: number; readonly gid: number; readonly groups: readonly number[] } | null;
  readonly capabilities: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

/**
 * Returns the command line that, with all rights in the namespaces of a sandbox, gives up those that the program does not have, and runs a
 * command behind it. It has three executions before that of the command, with the one that enters.
 */
export function giveUp({ user, capabilities, cwd, env }: Beside): readonly string[] {
  const bounds = ['-all', ...capabilities.map((name) => `+${name.slice('CAP_'.length).toLowerCase()}`)];
  const become = user === null ? [] : switchTo(user.uid, user.gid, user.groups).slice(4);
  const rights = user === null ? ['--inh-caps=-all', '--ambient-caps=-all'] : become;
  return [
    ...carried('setpriv'),
    `--bounding-set=${bounds.join(',')}`,
    ...rights,
    '--no-new-privs',
    ...carried('env'),
    '-i',
    '-C',
    cwd,
    ...Object.entries(env).map(([name, value]) => `${name}=${value}`),
  ];
}
