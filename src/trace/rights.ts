/**
 * What a program needs apart from files: sockets of which kinds, and capabilities. `Trace` holds it, readers of formats add to it
 * through the sink, and `apparmor.ts` makes rules of it.
 */
import type { Trace } from './trace.ts';

/** The capabilities of Linux, as profiles write them: capabilities(7), without `CAP_` and in small letters. */
export const capabilities = [
  'audit_control',
  'audit_read',
  'audit_write',
  'block_suspend',
  'bpf',
  'checkpoint_restore',
  'chown',
  'dac_override',
  'dac_read_search',
  'fowner',
  'fsetid',
  'ipc_lock',
  'ipc_owner',
  'kill',
  'lease',
  'linux_immutable',
  'mac_admin',
  'mac_override',
  'mknod',
  'net_admin',
  'net_bind_service',
  'net_broadcast',
  'net_raw',
  'perfmon',
  'setfcap',
  'setgid',
  'setpcap',
  'setuid',
  'sys_admin',
  'sys_boot',
  'sys_chroot',
  'sys_module',
  'sys_nice',
  'sys_pacct',
  'sys_ptrace',
  'sys_rawio',
  'sys_resource',
  'sys_time',
  'sys_tty_config',
  'syslog',
  'wake_alarm',
] as const;

export type Capability = (typeof capabilities)[number];

/** What a run needed apart from files, as far as its trace shows it. */
export interface Rights {
  /** Whether the tracer was asked for the calls that show these rights. If not, what is absent may only not have been recorded. */
  readonly isComplete: boolean;
  /** The kinds of sockets that were made, as address family and type: "inet stream", "netlink raw". */
  readonly sockets: ReadonlySet<string>;
  /** The capabilities that calls needed to succeed, each with the names of these calls: "chown" with "fchownat". */
  readonly capabilities: ReadonlyMap<Capability, ReadonlySet<string>>;
}

/** What a trace without such calls shows. */
export const noRights: Rights = { isComplete: false, sockets: new Set(), capabilities: new Map() };

/** Returns the rights of several traces. They are complete if those of each trace that is not empty are. */
export function uniteRights(traces: readonly Pick<Trace, 'rights' | 'lines'>[]): Rights {
  const sockets = new Set<string>();
  const united = new Map<Capability, Set<string>>();
  for (const { rights } of traces) {
    for (const kind of rights.sockets) sockets.add(kind);
    for (const [capability, calls] of rights.capabilities)
      united.set(capability, new Set([...(united.get(capability) ?? []), ...calls]));
  }
  const read = traces.filter(({ lines }) => lines > 0);
  const isComplete = read.length > 0 && read.every(({ rights }) => rights.isComplete);
  return { isComplete, sockets, capabilities: united };
}

/** The form of a kind of socket, as the trace file has it. */
const socketKind = /^[a-z0-9_]{1,20} [a-z0-9_]{1,20}$/;

export function isSocketKind(text: string): boolean {
  return socketKind.test(text);
}

const known: ReadonlySet<string> = new Set(capabilities);

export function isCapability(text: string): text is Capability {
  return known.has(text);
}
