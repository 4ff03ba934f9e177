/**
 * Rules that refuse what no program in a container should do. Without a rule it is refused anyway; a rule that refuses wins over rules that
 * are added to the profile later, and keeps attempts out of the log. What a trace did is not refused.
 */
import type { Trace, TracedPath } from '../trace.ts';
import { rights, type Rights } from './file-rule.ts';

interface Denial {
  /** What the rules refuse, for a comment. */
  readonly what: string;
  readonly rules: readonly string[];
  /** Returns whether the rules would refuse these rights to this path, which is below /proc or /sys. */
  readonly refuses: (path: TracedPath, used: Rights) => boolean;
}

const changes = rights.write | rights.link | rights.lock;

/** Files of /proc that show or change the machine: kernel memory, keys, timers, devices. Container runtimes hide most of them. */
const ofMachine =
  /^proc\/(?:sysrq-trigger|kcore|keys|latency_stats|timer_list|sched_debug|acpi\/|scsi\/|asound\/)/;

const ofFiles: readonly Denial[] = [
  {
    what: 'settings of the kernel',
    rules: ['deny @{PROC}/sys/** wl,', 'deny @{PROC}/* w,'],
    refuses: (path, used) => (used & changes) !== 0 && /^proc\/(?:sys\/|[^/]+$)/.test(path),
  },
  {
    what: 'memory, keys and devices of the machine',
    rules: [
      'deny @{PROC}/{sysrq-trigger,kcore,keys,latency_stats,timer_list,sched_debug} rwklx,',
      'deny @{PROC}/{acpi,scsi,asound}/** rwklx,',
    ],
    refuses: (path) => ofMachine.test(path),
  },
  {
    what: 'devices and control groups of the machine',
    rules: ['deny /sys/** wklx,'],
    refuses: (path, used) => path.startsWith('sys/') && (used & (changes | rights.execute)) !== 0,
  },
  {
    what: 'firmware and security modules',
    rules: ['deny /sys/{firmware,kernel/security,devices/virtual/powercap}/** rwklx,'],
    refuses: (path) => /^sys\/(?:firmware|kernel\/security|devices\/virtual\/powercap)\//.test(path),
  },
];

/** Calls that change which file systems are where. */
const ofMounts = [
  'mount',
  'umount',
  'umount2',
  'move_mount',
  'mount_setattr',
  'fsmount',
  'open_tree',
  'pivot_root',
];

/** Returns the lines of rules that refuse, with comments. `ofKernel`: the rights that were used below /proc and /sys. */
export function denialLines(
  { rights: needed }: Pick<Trace, 'rights'>,
  ofKernel: ReadonlyMap<TracedPath, Rights>,
): readonly string[] {
  const lines = ofFiles.flatMap(({ what, rules, refuses }) => {
    const used = [...ofKernel].some(([path, bits]) => refuses(path, bits));
    return used ? [`# Not refused, since the trace uses them: ${what}.`] : [`# ${what}`, ...rules];
  });
  const admin = needed.capabilities.get('sys_admin');
  if (ofMounts.some((call) => admin?.has(call) === true))
    return [...lines, '# The trace mounts file systems.', 'mount,', 'umount,', 'pivot_root,'];
  return [...lines, '# mounts', 'deny mount,', 'deny umount,', 'deny pivot_root,'];
}
