/**
 * The sandbox in which the program of an image runs: its root filesystem in a private folder, entered by bubblewrap, with what a container runtime
 * would give it and nothing of this machine. `trace record --image` makes one for each recording.
 */
import { copyFile, readFile, realpath, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { OcislimError } from '../../../errors.ts';
import type { Limits } from '../../../limits.ts';
import type { MountSetting, TmpfsSetting } from '../../../probe/mounts.ts';
import type { ByteStream } from '../../../stream/byte-stream.ts';
import { type Entrance, outsideOf } from '../entrance.ts';
import { findEntrance, type Refused } from '../find-entrance.ts';
import { type Fittings, type Launch, launchIn } from '../launch.ts';
import { containerOf } from '../root-entry.ts';
import type { RootNames } from '../root-names.ts';
import { whyNoSandbox } from './diagnosis.ts';
import { fileMounts, systemMounts } from './mounts.ts';
import { readMountTable } from './mount-table.ts';
import { openPrivateRoot, type PrivateRoot } from './private-root.ts';

/** How the program of an image is to run: plain data. */
export interface ImageRun {
  readonly sandbox: 'auto' | 'bwrap' | 'unshare' | 'chroot';
  readonly command: readonly string[];
  readonly user: string;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly network: 'private' | 'host';
  /** The volumes of the image. */
  readonly volumes: readonly string[];
  readonly mounts: readonly MountSetting[];
  readonly tmpfs: readonly TmpfsSetting[];
  /** Names with their addresses, for /etc/hosts. */
  readonly hosts: Readonly<Record<string, string>>;
  /** The most bytes of data that each process may have; null for no bound. */
  readonly memory: number | null;
  /** A seccomp filter, as the kernel takes it (`struct sock_filter[]`), under which the program runs; null for none. */
  readonly seccomp: Uint8Array | null;
}

export interface SandboxOptions {
  readonly run: ImageRun;
  /** Opens the tar of the root filesystem. It is called when it is known that the program can run here. */
  readonly open: () => Promise<ByteStream>;
  readonly limits: Limits;
  readonly signal: AbortSignal;
}

/** A sandbox that is ready. Disposing of it removes the root filesystem. */
export interface ImageSandbox extends AsyncDisposable {
  readonly launch: Launch;
  /** The names that the image has. */
  readonly names: RootNames;
  /** What is not as the image says, as rests of sentences. */
  readonly losses: readonly string[];
  /** Whether the program runs under the filter of the run. `why`: the reason why it does not, as the rest of a sentence; null where no filter was given. */
  readonly filtering:
    | { readonly isApplied: true }
    | { readonly isApplied: false; readonly why: string | null };
}

/** The name of the machine, as the program sees it. */
const hostname = 'ocislim';

/** Unpacks an image and returns how its program is launched. @throws UNSUPPORTED where no sandbox works here, USAGE, and what unpacking throws */
export async function openImageSandbox({ run, open, limits, signal }: SandboxOptions): Promise<ImageSandbox> {
  const entrance = await entranceFor(run.sandbox, signal);
  await using cleanup = new AsyncDisposableStack();
  const targets = [...run.mounts, ...run.tmpfs].map(({ target }) => target);
  const kinds = await Promise.all(run.mounts.map(({ source }) => kindOfSource(source)));
  const unpacked = cleanup.use(
    await openPrivateRoot({
      stream: await open(),
      outside: outsideOf(entrance),
      owners: entrance.users === 'all',
      points: [
        ...['/proc', '/dev', '/sys'].map((path) => ({ path, kind: 'mount' }) as const),
        ...['/etc/hosts', '/etc/resolv.conf', '/etc/hostname'].map(
          (path) => ({ path, kind: 'file' }) as const,
        ),
        ...targets.map((path, i) => ({ path, kind: kinds[i] ?? 'directory' })),
        ...run.volumes.map((path) => ({ path, kind: 'directory' }) as const),
      ],
      limits,
      signal,
    }),
  );
  const fittings = await fittingsOf(run, unpacked, entrance);
  const { user, cwd, network, env, command } = run;
  const entry = {
    root: unpacked.root,
    user,
    cwd,
    network,
    hasCompany: true,
    env: { HOSTNAME: hostname, ...env },
  };
  const container = await containerOf(entry, fittings);
  if (
    container.uid !== 0 &&
    entrance.kind === 'sandbox' &&
    entrance.users === 'all' &&
    !entrance.privileges.setpriv
  )
    throw new OcislimError('UNSUPPORTED', 'no program of this system can become the user of the image', {
      advice: 'Install setpriv (util-linux).',
    });
  const launch = launchIn(container, command, entrance);
  if (launch.script !== undefined) await writeFile(launch.script.file, launch.script.text);
  const kept = cleanup.move();
  const { names } = unpacked;
  const isFree = entrance.kind === 'chroot';
  const losses = isFree
    ? [...unpacked.losses, 'a chroot does not confine the program: it can reach this machine']
    : unpacked.losses;
  return {
    launch,
    names,
    losses,
    filtering: filteringOf(run, launch),
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

/** Says whether a program is launched under the filter of its run. */
function filteringOf({ seccomp }: ImageRun, { filter }: Launch): ImageSandbox['filtering'] {
  if (filter !== null) return { isApplied: true };
  const why = seccomp === null ? null : 'only bubblewrap runs a program under a seccomp profile';
  return { isApplied: false, why };
}

/** Finds the way in. @throws UNSUPPORTED with what this machine forbids */
async function entranceFor(sandbox: ImageRun['sandbox'], signal: AbortSignal): Promise<Entrance> {
  const allows = (entrance: Entrance): boolean => {
    if (entrance.kind === 'chroot') return sandbox === 'chroot' && entrance.users === 'all';
    return sandbox === 'auto' || sandbox === entrance.by;
  };
  const refused: Refused[] = [];
  const root = { uid: 0, gid: 0, groups: [] };
  const entrance = await findEntrance(root, allows, signal, (each) => refused.push(each));
  if (entrance !== null) return entrance;
  throw await whyNoSandbox(sandbox, refused, signal);
}

/** Makes the files that a runtime makes, and says how all is mounted. */
async function fittingsOf(run: ImageRun, unpacked: PrivateRoot, entrance: Entrance): Promise<Fittings> {
  const { folder, paths } = unpacked;
  const write = async (name: string, text: string): Promise<string> => {
    const file = join(folder, name);
    await writeFile(file, text, { mode: 0o644 });
    return file;
  };
  const files = [
    await write('hosts', hostsText(run.hosts)),
    await write(
      'resolv.conf',
      run.network === 'host' ? await readFile('/etc/resolv.conf', 'utf8').catch(() => '') : '',
    ),
    await write('hostname', `${hostname}\n`),
  ];
  const places = paths.slice(3);
  const own = files.map((source, i) => ({ source, target: places[i] ?? '', readOnly: false }));
  const sources = await Promise.all(run.mounts.map(({ source }) => realpath(source)));
  const given = run.mounts.map(({ readOnly }, i) => ({
    source: sources[i] ?? '',
    target: places[3 + i] ?? '',
    readOnly,
  }));
  const memory = run.tmpfs.map((each, i) => ({ ...each, target: places[3 + run.mounts.length + i] ?? '' }));
  return {
    bwrap: await ownBubblewrap(folder, entrance),
    script: join(folder, 'enter'),
    table: readMountTable(await readFile('/proc/self/mountinfo', 'utf8').catch(() => '')),
    mounts: [...(await systemMounts()), ...fileMounts([...own, ...given], memory)],
    hostname,
    bounds: ['prlimit', '--core=0', ...(run.memory === null ? [] : [`--data=${run.memory}`]), '--'],
    filter: run.seccomp,
  };
}

function hostsText(hosts: ImageRun['hosts']): string {
  const own = [`127.0.0.1\tlocalhost ${hostname}`, '::1\tlocalhost ip6-localhost ip6-loopback'];
  return [...own, ...Object.entries(hosts).map(([name, address]) => `${address}\t${name}`), ''].join('\n');
}

/** @throws USAGE for a source that does not exist */
async function kindOfSource(source: string): Promise<'directory' | 'file'> {
  const { stat } = await import('node:fs/promises');
  const found = await stat(source).catch((cause: unknown) => {
    throw new OcislimError('USAGE', `--run-mount: ${JSON.stringify(source)} does not exist`, { cause });
  });
  return found.isDirectory() ? 'directory' : 'file';
}

/**
 * Returns the bubblewrap to run. Its first process in the sandbox shows its own file in /proc/1/exe; where the program has the rights of root, that
 * is a copy, since it could write to it.
 */
async function ownBubblewrap(folder: string, entrance: Entrance): Promise<string> {
  const isOther = entrance.kind !== 'sandbox' || entrance.by !== 'bwrap';
  if (isOther || entrance.users === 'one' || process.getuid?.() !== 0) return 'bwrap';
  for (const each of (process.env['PATH'] ?? '').split(delimiter)) {
    const file = await realpath(join(each, 'bwrap')).catch(() => null);
    if (file === null) continue;
    const copy = join(folder, 'bwrap');
    await copyFile(file, copy);
    return copy;
  }
  return 'bwrap';
}
