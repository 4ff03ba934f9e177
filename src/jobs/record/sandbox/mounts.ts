/**
 * What a container runtime mounts in a root filesystem, as data: `bubblewrap.ts` makes options of it, and `unshare.ts` lines of a script.
 * `image-sandbox.ts` takes it for every sandbox.
 */
import { access, readFile } from 'node:fs/promises';
import type { MountSetting, TmpfsSetting } from '../../../probe/mounts.ts';

/**
 * Something that is mounted, at an absolute path of the root without symlinks. `bind`: a file or folder of this machine, which has the path `source`.
 * `memory`: a file system in memory, of at most `size` bytes (null for half of the memory), which only root may write to, or every user.
 * `seal`: makes what was mounted there read-only. `queues`: the message queues of the container.
 */
export type Mount =
  | { readonly kind: 'bind'; readonly source: string; readonly target: string; readonly readOnly: boolean }
  | {
      readonly kind: 'memory';
      readonly target: string;
      readonly size: number | null;
      readonly isShared: boolean;
    }
  | { readonly kind: 'seal'; readonly target: string }
  | { readonly kind: 'queues'; readonly target: string };

/** What programs ask of /sys: processors and memory. The rest says more of the machine than a program needs. */
const shown = ['/sys/devices/system/cpu', '/sys/devices/system/node', '/sys/kernel/mm/transparent_hugepage'];

/** Files of /proc that runtimes hide (moby, oci/defaults.go). */
const hidden = [
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/sched_debug',
  '/proc/timer_list',
  '/proc/timer_stats',
];

/** Folders of /proc that runtimes hide. */
const emptied = ['/proc/acpi', '/proc/scsi', '/proc/asound'];

/**
 * Parts of /proc that are read-only, as in runtimes (moby, oci/defaults.go): root may write to them without any capability, and
 * `kernel.core_pattern` names a program that the kernel runs outside.
 */
export const guarded = ['/proc/sys', '/proc/sysrq-trigger', '/proc/irq', '/proc/bus', '/proc/fs'];

/** Returns the mounts for /sys and what is hidden of /proc, as far as this machine has it. */
export async function systemMounts(): Promise<readonly Mount[]> {
  const isThere = (path: string) =>
    access(path).then(
      () => true,
      () => false,
    );
  const all = [...shown, ...hidden, ...emptied];
  const there = await Promise.all(all.map(isThere));
  const known = new Set(all.filter((_, i) => there[i] === true));
  const kinds = await readFile('/proc/filesystems', 'latin1').catch(() => '');
  return [
    ...sealed(
      '/sys',
      shown.filter((path) => known.has(path)).map((path) => readOnly(path, path)),
    ),
    ...emptied.filter((path) => known.has(path)).flatMap((path) => sealed(path, [])),
    ...hidden.filter((path) => known.has(path)).map((path) => readOnly('/dev/null', path)),
    ...(kinds.split('\n').includes('nodev\tmqueue')
      ? [{ kind: 'queues', target: '/dev/mqueue' } as const]
      : []),
  ];
}

function readOnly(source: string, target: string): Mount {
  return { kind: 'bind', source, target, readOnly: true };
}

/** Returns the mounts of a folder that has only these, and is read-only. */
function sealed(target: string, inner: readonly Mount[]): readonly Mount[] {
  return [{ kind: 'memory', target, size: null, isShared: false }, ...inner, { kind: 'seal', target }];
}

/** Returns the mounts of files and folders of this machine, and of file systems in memory. Those below others come after them. */
export function fileMounts(
  mounts: readonly MountSetting[],
  tmpfs: readonly TmpfsSetting[],
): readonly Mount[] {
  const all = [
    ...mounts.map((each) => ({ kind: 'bind', ...each }) as const),
    // As runtimes do: the program may be of any user.
    ...tmpfs.map((each) => ({ kind: 'memory', ...each, isShared: true }) as const),
  ];
  const depth = ({ target }: { readonly target: string }) => target.split('/').length;
  return all.toSorted((a, b) => depth(a) - depth(b));
}
