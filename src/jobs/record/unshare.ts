/**
 * The sandbox that unshare(1) makes, and a script that runs as the first process in it: what bubblewrap does, by programs of util-linux.
 * `launch.ts` puts it behind strace.
 */
import type { Confinement } from './entrance.ts';
import type { Container, Launch } from './launch.ts';
import { carried, helperFiles, helperFolder, type Privileges, rightsOf } from './privileged.ts';
import { mountsBelow, type MountTable } from './sandbox/mount-table.ts';
import { guarded, type Mount } from './sandbox/mounts.ts';

/** The devices that runtimes give (OCI runtime specification, Default Devices). */
const devices = ['null', 'zero', 'full', 'random', 'urandom', 'tty'];

/**
 * Shell functions of the script. `place`: makes what a file or folder can be mounted on. `bind`: mounts a file or folder, with these flags. `guard`:
 * makes a part of /proc read-only. mount(8) binds and sets the flags in one go, which counts: strace makes each program slow.
 */
const functions = [
  'fail() { echo "ocislim: $1" >&2; exit 1; }',
  'place() { if [ -d "$1" ]; then [ -d "$2" ] || mkdir -p "$2"; elif [ ! -e "$2" ]; then mkdir -p "${2%/*}"; : > "$2"; fi; }',
  'bind() { place "$1" "$2"; mount --rbind -o "$3" "$1" "$2"; }',
  'guard() { if [ -e "$1" ]; then mount --bind -o ro,nosuid,nodev,noexec "$1" "$1"; fi; }',
];

/** Brings up loopback. Root needs no program for it: the kernel has a file (Documentation/ABI/testing/sysfs-class-net). */
const loopback = [
  '{ ip link set lo up || ifconfig lo up || { mount -t sysfs sysfs sys && echo 0x9 > sys/class/net/lo/flags && umount sys; }; } 2> /dev/null ||',
  '  fail "the network of the sandbox has no loopback: install iproute2, or let the program use the network of this machine (--run-network host)"',
];

/** Returns the command line that runs a command in a container by unshare, which of its executions is that of the command, and the script. */
export function unshareLine(
  container: Container,
  command: readonly string[],
  entrance: Pick<Confinement, 'users' | 'privileges'>,
): Pick<Launch, 'argv' | 'execs' | 'mark' | 'script'> {
  const { fittings, network } = container;
  const spaces = ['--mount', '--pid', '--fork', '--kill-child', '--ipc', '--uts'];
  const become = behindRoot(container, entrance);
  const last = [...become.words, ...command];
  return {
    argv: [
      ...fittings.bounds,
      // strace that is killed leaves behind what it traces.
      'setpriv',
      '--pdeathsig',
      'KILL',
      '--',
      'unshare',
      ...spaces,
      ...(network === 'host' ? [] : ['--net']),
      '--',
      '/bin/sh',
      fittings.script,
    ],
    // umount is the first of the helpers in the new root.
    mark: carried('')[0] ?? '',
    execs: become.programs + 2,
    script: { file: fittings.script, text: scriptOf(container, entrance.privileges, last) },
  };
}

/** Returns the script. The shell stays as the first process, which takes the end of every other one, and by whose end all end. */
function scriptOf(container: Container, privileges: Privileges, last: readonly string[]): string {
  const { root, cwd, network, fittings } = container;
  const { hostname, mounts, table } = fittings;
  const lines = [
    'set -eu',
    'umask 022',
    ...functions,
    `cd ${quoted(root)}`,
    'mount --rbind . .',
    `cd ${quoted(root)}`,
    `mount -o remount,bind,${flagsOf(mountsBelow(table, root).flags, false)} .`,
    ...(network === 'host' ? [] : loopback),
    'mount -t proc -o nosuid,nodev,noexec proc proc',
    ...(hostname === null ? [] : nameLines(hostname)),
    ...guarded.map((path) => `guard ${inRoot(path)}`),
    ...deviceLines,
    ...helperLines(privileges),
    ...mounts.flatMap((mount) => linesOf(mount, table)),
    // Both roots are at the same place now (pivot_root(2)): what is taken away there is the old one.
    'pivot_root . .',
    [...carried('umount'), '-l', '.'].map(quoted).join(' '),
    `cd ${quoted(cwd)}`,
    // A shell may end by executing its last command: then the program would be the first process.
    [...last].map(quoted).join(' '),
    'exit $?',
  ];
  return `${lines.join('\n')}\n`;
}

function nameLines(hostname: string): readonly string[] {
  return [
    `{ hostname ${quoted(hostname)} || echo ${quoted(hostname)} > proc/sys/kernel/hostname; } 2> /dev/null ||`,
    '  fail "the sandbox cannot be given a host name: install hostname"',
  ];
}

const deviceLines: readonly string[] = [
  'mount -t tmpfs -o nosuid,nodev,noexec,mode=755,size=64m tmpfs dev',
  'mkdir dev/pts dev/shm',
  ...devices.map(
    (name) => `if [ -e /dev/${name} ]; then : > dev/${name}; mount --bind /dev/${name} dev/${name}; fi`,
  ),
  'mount -t devpts -o newinstance,ptmxmode=0666,mode=620,nosuid,noexec devpts dev/pts',
  'mount -t tmpfs -o nosuid,nodev,noexec,mode=1777 shm dev/shm',
  'ln -s pts/ptmx dev/ptmx',
  'ln -s /proc/self/fd dev/fd',
  ...['stdin', 'stdout', 'stderr'].map((name, fd) => `ln -s /proc/self/fd/${fd} dev/${name}`),
];

/** Copies the helpers into a file system that not even root can write to: they run with rights that the program does not have. */
function helperLines({ setpriv, env = null, umount = null, unshare = null }: Privileges): readonly string[] {
  const folder = inRoot(helperFolder);
  const files = [...helperFiles({ setpriv, env, umount, unshare })];
  return [
    `mkdir ${folder}`,
    `mount -t tmpfs -o nosuid,nodev,mode=755,size=64m helpers ${folder}`,
    ...copyLines(files, folder),
    `mount -o remount,bind,ro,nosuid,nodev ${folder}`,
  ];
}

/** Returns the lines that copy files. strace makes each program of the script slow: those that keep their names are copied by one. */
function copyLines(files: readonly (readonly [name: string, from: string])[], folder: string) {
  const same = files.filter(([name, from]) => from.endsWith(`/${name}`));
  const others = files.filter((file) => !same.includes(file));
  return [
    ...(same.length === 0 ? [] : [`cp -L ${same.map(([, from]) => quoted(from)).join(' ')} ${folder}/`]),
    ...others.map(([name, from]) => `cp -L ${quoted(from)} ${folder}/${quoted(name)}`),
  ];
}

/** Returns the lines that mount something. The working directory is the new root. */
function linesOf(mount: Mount, table: MountTable): readonly string[] {
  const target = inRoot(mount.target);
  switch (mount.kind) {
    case 'bind': {
      const { flags, below } = mountsBelow(table, mount.source);
      return [
        `bind ${quoted(mount.source)} ${target} ${flagsOf(flags, mount.readOnly)}`,
        ...below.map(
          (each) =>
            `mount -o remount,bind,${flagsOf(each.flags, mount.readOnly)} ${inRoot(mount.target + each.point)}`,
        ),
      ];
    }
    case 'memory': {
      const size = mount.size === null ? '' : `,size=${mount.size}`;
      const mode = mount.isShared ? '1777' : '755';
      return [
        `[ -d ${target} ] || mkdir -p ${target}`,
        `mount -t tmpfs -o nosuid,nodev,mode=${mode}${size} tmpfs ${target}`,
      ];
    }
    case 'seal':
      return [`mount -o remount,bind,ro,nosuid,nodev ${target}`];
    case 'queues':
      return [`mkdir ${target}`, `mount -t mqueue -o nosuid,nodev,noexec mqueue ${target}`];
  }
}

/** Returns the flags of a bind: those that it must keep, and those that protect this machine. */
function flagsOf(flags: readonly string[], readOnly: boolean): string {
  return [...new Set([...flags, 'nosuid', 'nodev', ...(readOnly ? ['ro'] : [])])].join(',');
}

/** Returns the words behind the new root that set the environment, give up rights and become the user, and how many programs that are. */
function behindRoot(
  { uid, gid, groups, env }: Container,
  { users, privileges }: Pick<Confinement, 'users' | 'privileges'>,
): { readonly words: readonly string[]; readonly programs: number } {
  const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  const isOther = users === 'one' && (uid !== 0 || gid !== 0);
  // In a namespace with one user, only another namespace makes that one another.
  const rename = ['--user', `--map-user=${uid}`, `--map-group=${gid}`, '--keep-caps', '--'];
  return {
    words: [
      ...carried('env'),
      '-i',
      ...variables,
      ...(isOther ? [...carried('unshare'), ...rename] : []),
      ...carried('setpriv'),
      ...rightsOf({
        capabilities: users === 'one' && uid !== 0 ? [] : privileges.capabilities,
        user: users === 'all' ? { uid, gid, groups } : null,
      }),
      '--',
    ],
    programs: isOther ? 3 : 2,
  };
}

/** Returns a path of the root as a word of the script, from the new root on. */
function inRoot(path: string): string {
  return quoted(`.${path}`);
}

function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
