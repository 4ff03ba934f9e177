/**
 * Runs an image as a container runtime runs it for a cautious user: as the user of its config, on a root filesystem that is read-only, with
 * nothing of this machine but the loopback network. skopeo and umoci unpack it, bubblewrap runs it.
 */
import { chmodSync, chownSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { unpack } from './judge.ts';
import { type Ended, run, runToEnd } from './programs.ts';

/** How a container of an image is run, as its config says. */
interface RunConfig {
  readonly User: string;
  readonly Env: readonly string[];
  readonly Entrypoint: readonly string[];
  readonly WorkingDir: string;
  readonly Labels: Readonly<Record<string, string>>;
}

/** An unpacked image. */
export interface Container {
  readonly rootfs: string;
  readonly config: RunConfig;
}

/** Unpacks the image of one platform from any transport of skopeo's. `folder` must be readable for all; it gets a folder for this image. */
export async function unpackContainer(
  source: string,
  architecture: string,
  folder: string,
  flags: readonly string[] = [],
): Promise<Container> {
  mkdirSync(folder, { recursive: true });
  const layout = join(folder, 'layout');
  const rootfs = join(folder, 'rootfs');
  const common = ['--insecure-policy', '--override-arch', architecture];
  await run('skopeo', [...common, 'copy', '--quiet', ...flags, source, `oci:${layout}:v1`]);
  await unpack(layout, rootfs);
  const told = JSON.parse(await run('skopeo', [...common, 'inspect', '--config', `oci:${layout}:v1`])) as {
    readonly architecture: string;
    readonly config: RunConfig;
  };
  if (told.architecture !== architecture) throw new Error(`the image is one for ${told.architecture}`);
  return { rootfs, config: told.config };
}

/** What a container is given. */
export interface ContainerRun {
  /** Takes the place of the entrypoint. */
  readonly entrypoint?: readonly string[];
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Folders of this machine by where they are mounted. They are given to the user of the image. */
  readonly volumes?: Readonly<Record<string, string>>;
}

/** Runs a container to its end. /tmp is in memory. */
export function runContainer({ rootfs, config }: Container, wanted: ContainerRun): Promise<Ended> {
  const [uid = '', gid = ''] = config.User.split(':');
  const env = [...config.Env.map((each) => each.split('=', 2)), ...Object.entries(wanted.env ?? {})];
  const volumes = Object.entries(wanted.volumes ?? {});
  for (const [, folder] of volumes) giveAway(folder, Number(uid), Number(gid));
  const privileges = `--reuid=${uid} --regid=${gid} --clear-groups --inh-caps=-all --no-new-privs`;
  const isolation = '--unshare-pid --unshare-ipc --unshare-uts --die-with-parent --new-session --clearenv';
  const places = '--dev /dev --proc /proc --tmpfs /tmp';
  return runToEnd('setpriv', [
    ...privileges.split(' '),
    'bwrap',
    '--ro-bind',
    rootfs,
    '/',
    ...places.split(' '),
    ...volumes.flatMap(([place, folder]) => ['--bind', folder, place]),
    ...isolation.split(' '),
    ...env.flatMap(([name = '', value = '']) => ['--setenv', name, value]),
    '--chdir',
    config.WorkingDir,
    ...(wanted.entrypoint ?? config.Entrypoint),
    ...wanted.args,
  ]);
}

function giveAway(folder: string, uid: number, gid: number): void {
  mkdirSync(folder, { recursive: true });
  chownSync(folder, uid, gid);
  chmodSync(folder, 0o755);
}

/** A file of an ELF format in an unpacked image, with the libraries that it asks for. */
export interface Linked {
  readonly path: string;
  readonly needed: readonly string[];
  readonly machine: string;
}

/** Lists the programs and libraries of an unpacked image by readelf. */
export async function listLinked(rootfs: string): Promise<readonly Linked[]> {
  const files = (await run('find', [rootfs, '-type', 'f', '-size', '+1k'])).trim().split('\n');
  const linked: Linked[] = [];
  for (const file of files) {
    if (readFileSync(file).subarray(0, 4).toString('latin1') !== '\x7fELF') continue;
    const told = await run('readelf', ['--wide', '--file-header', '--dynamic', file]);
    const needed = [...told.matchAll(/\(NEEDED\).*\[(.+)\]/g)].map(([, name = '']) => name);
    const machine = /Machine: +(.*)/.exec(told)?.[1] ?? '';
    linked.push({ path: file.slice(rootfs.length), needed, machine });
  }
  return linked;
}
