/** The options of bubblewrap that mount what a container runtime mounts. `image-sandbox.ts` takes them for every sandbox. */
import { access } from 'node:fs/promises';
import type { MountSetting, TmpfsSetting } from '../../../probe/mounts.ts';

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

/** Returns the options for /sys and what is hidden of /proc, as far as this machine has it. */
export async function systemOptions(): Promise<readonly string[]> {
  const isThere = (path: string) =>
    access(path).then(
      () => true,
      () => false,
    );
  const all = [...shown, ...hidden, ...emptied];
  const there = await Promise.all(all.map(isThere));
  const known = new Set(all.filter((_, i) => there[i] === true));
  return [
    '--tmpfs',
    '/sys',
    ...shown.filter((path) => known.has(path)).flatMap((path) => ['--ro-bind-try', path, path]),
    '--remount-ro',
    '/sys',
    ...emptied.filter((path) => known.has(path)).flatMap((path) => ['--tmpfs', path, '--remount-ro', path]),
    ...hidden.filter((path) => known.has(path)).flatMap((path) => ['--ro-bind', '/dev/null', path]),
  ];
}

/** Returns the options for files and folders of this machine, and for file systems in memory. Those below others come after them. */
export function fileOptions(
  mounts: readonly MountSetting[],
  tmpfs: readonly TmpfsSetting[],
): readonly string[] {
  const all = [
    ...mounts.map(({ source, target, readOnly }) => ({
      target,
      options: [readOnly ? '--ro-bind' : '--bind', source, target],
    })),
    ...tmpfs.map(({ target, size }) => ({
      target,
      options: [...(size === null ? [] : ['--size', String(size)]), '--tmpfs', target],
    })),
  ];
  const depth = ({ target }: { readonly target: string }) => target.split('/').length;
  return all.toSorted((a, b) => depth(a) - depth(b)).flatMap(({ options }) => options);
}
