/**
 * Makes AppArmor profiles (apparmor.d(5)) of traces: of the files that a program used, its sockets and its capabilities. The command
 * `trace apparmor` and `slim --record --apparmor` call it; docs/profiles.md says what a profile holds.
 */
import { OcislimError } from '../errors.ts';
import { atOnce, type Steps } from '../steps.ts';
import { denialLines } from './apparmor/denials.ts';
import { type FileRule, rights, ruleText } from './apparmor/file-rule.ts';
import { fileRules } from './apparmor/file-rules.ts';
import { groupRules } from './apparmor/grouping.ts';
import type { ProfiledImage } from './apparmor/path-patterns.ts';
import type { Capability } from './rights.ts';
import type { Trace } from './trace.ts';

export interface ProfileOptions {
  /** The name by which runtimes are told to use the profile. */
  readonly name: string;
  /** The image that was traced, in which every path counts from the root. Default: not known. */
  readonly image?: ProfiledImage | null;
}

/** A profile, and how many rules of a kind it has. */
export interface ApparmorProfile {
  /** Lines of ASCII text. */
  readonly text: string;
  readonly files: number;
  readonly capabilities: number;
  readonly sockets: number;
  /** Number of paths whose directory is not known, so that a rule allows them in each directory. */
  readonly relative: number;
}

/** Names that need no quotes, are not paths, and have no separator of namespaces and child profiles. */
const validName = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

/** Returns the name of a profile. @throws USAGE for one that AppArmor would read as something else */
export function checkProfileName(name: string, where: string): string {
  if (validName.test(name)) return name;
  throw new OcislimError(
    'USAGE',
    `${where}: ${JSON.stringify(name)} is not a name of a profile: use up to 128 letters, digits, dots, dashes and underscores, beginning with a letter or digit`,
  );
}

/** Returns the name of a profile in this file: that of the file without its suffix, as far as it may be one. Default: "ocislim". */
export function profileNameOf(file: string | null): string {
  const base = file === null || file === '-' ? '' : file.slice(file.lastIndexOf('/') + 1);
  const name = base
    .replace(/\.[^.]*$/, '')
    .replace(/[^A-Za-z0-9._-]/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '')
    .slice(0, 128);
  return name === '' ? 'ocislim' : name;
}

/** Returns the profile of a trace, in an order that depends on its contents only. */
export function apparmorProfile(trace: Trace, options: ProfileOptions): ApparmorProfile {
  return atOnce(apparmorSteps(trace, options));
}

/** Makes the profile of a trace in steps. */
export function* apparmorSteps(trace: Trace, { name, image = null }: ProfileOptions): Steps<ApparmorProfile> {
  const found = yield* fileRules(trace, image);
  const rules = yield* groupRules([...found.rules, ...always]);
  const body = [
    '#include <abstractions/base>',
    '',
    ...networkLines(trace),
    '',
    ...capabilityLines(trace, image),
    '',
    ...processLines(trace),
    '',
    ...rules.map(ruleText),
    '',
    ...denialLines(trace, found.ofKernel),
  ];
  const lines = [
    '# An AppArmor profile of what a traced program used, made by ocislim. Load it: apparmor_parser -r FILE',
    ...trace.gaps.map((gap) => `# The trace ${comment(gap)}.`),
    '#include <tunables/global>',
    '',
    `profile ${name} flags=(attach_disconnected,mediate_deleted) {`,
    ...body.map((line) => (line === '' ? '' : `  ${line}`)),
    '}',
  ];
  return {
    text: `${lines.join('\n')}\n`,
    files: rules.length,
    capabilities: trace.rights.capabilities.size,
    sockets: trace.rights.sockets.size,
    relative: [...trace.paths.keys()].filter((path) => path === '.' || path.startsWith('./')).length,
  };
}

/** Rules that each program needs: the root directory, of which traces do not tell, and the terminal that a runtime may give it. */
const always: readonly FileRule[] = [
  { parts: [], ending: '', rights: rights.read },
  ...[
    ['dev', 'console'],
    ['dev', 'tty'],
    ['dev', 'pts', '*'],
  ].map((parts): FileRule => ({ parts, ending: '', rights: rights.read | rights.write })),
];

/** Address families and types that the parser knows (apparmor.d(5); those since 3.0 are left out). */
const families = new Set(
  (
    'unix inet ax25 ipx appletalk netrom bridge atmpvc x25 inet6 rose netbeui security key netlink packet ash econet atmsvc rds sna irda ' +
    'pppox wanpipe llc ib mpls can tipc bluetooth iucv rxrpc isdn phonet ieee802154 caif alg nfc vsock kcm qipcrtr smc'
  ).split(' '),
);
const types = new Set(['stream', 'dgram', 'seqpacket', 'rdm', 'raw', 'packet']);

function networkLines({ rights: { isComplete, sockets } }: Trace): readonly string[] {
  if (!isComplete)
    return ['# The trace does not show all sockets: every kind is allowed.', 'network,', 'unix,'];
  const kinds = new Set(sockets);
  // Where a machine has no IPv6, a program makes do with IPv4, and the other way round it would make both.
  for (const kind of sockets) if (kind.startsWith('inet ')) kinds.add(kind.replace('inet', 'inet6'));
  if (kinds.size === 0) return ['# The trace shows no sockets.'];
  const known = [...kinds].sort().flatMap((kind) => {
    const [family = '', type = ''] = kind.split(' ');
    if (!families.has(family) || !types.has(type))
      return [`# network ${kind}: used, but older parsers do not know it, so that it is refused`];
    return family === 'unix' ? [`network ${kind},`, `unix type=${type},`] : [`network ${kind},`];
  });
  return ['# Sockets', ...known];
}

/** Capabilities that programs with the rights of root use without a call that shows it. */
const unseen: readonly Capability[] = ['dac_override', 'fowner'];

function capabilityLines(
  { rights: { isComplete, capabilities } }: Trace,
  image: ProfiledImage | null,
): readonly string[] {
  if (!isComplete)
    return [
      '# The trace does not show all calls that need capabilities: those that the runtime gives are allowed.',
      'capability,',
    ];
  const seen = [...capabilities]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([capability, calls]) => `capability ${capability}, # ${[...calls].sort().join(', ')}`);
  const isRoot = (['chown', 'setuid', 'setgid'] as const).some((each) => capabilities.has(each));
  const needed = image?.overridesModes === true || isRoot;
  return [
    seen.length === 0
      ? '# The trace shows no call that needs a capability.'
      : '# Capabilities, and the calls that needed them',
    ...seen,
    needed
      ? '# The program starts as root: it may use files of other users, whatever their modes. No call shows that.'
      : '# A program that uses files of other users as root needs these, which no call shows.',
    ...unseen
      .filter((each) => !capabilities.has(each))
      .map((each) => `${needed ? '' : '# '}capability ${each},`),
  ];
}

function processLines({ syscalls, rights: { capabilities } }: Trace): readonly string[] {
  const traces = syscalls.has('ptrace') || capabilities.has('sys_ptrace');
  return [
    '# Processes of this profile among themselves, and signals of the runtime that stops them',
    'signal (send, receive) peer=@{profile_name},',
    'signal (receive) peer={unconfined,runc,crun,podman},',
    `ptrace (read, readby${traces ? ', trace, tracedby' : ''}) peer=@{profile_name},`,
    'unix peer=(label=@{profile_name}),',
  ];
}

/** Makes a text of a trace file safe for a comment. */
function comment(text: string): string {
  return text.replace(/[^ -~]/g, '?').slice(0, 500);
}
