/** Finds out what a machine lacks or forbids, where no sandbox works on it. `image-sandbox.ts` calls it for its error. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { OcislimError } from '../../../errors.ts';
import type { Refused } from '../find-entrance.ts';

/** What a machine says about itself. */
export interface Findings {
  /** The ways that were tried, and what their programs said. */
  readonly refused: readonly Refused[];
  readonly hasBubblewrap: boolean;
  readonly isRoot: boolean;
  /** Whether root has CAP_SYS_ADMIN, without which it can mount nothing. */
  readonly canMount: boolean;
  /** /proc/sys/kernel/unprivileged_userns_clone (Debian), user.max_user_namespaces, apparmor_restrict_unprivileged_userns (Ubuntu); null where the system has none. */
  readonly clone: string | null;
  readonly most: string | null;
  readonly apparmor: string | null;
}

/** Returns the error for a machine on which no sandbox works: what it forbids, and what to do. */
export async function whyNoSandbox(
  sandbox: string,
  refused: readonly Refused[],
  signal: AbortSignal,
): Promise<OcislimError> {
  const read = (file: string) =>
    readFile(file, 'utf8').then(
      (text) => text.trim(),
      () => null,
    );
  const status = (await read('/proc/self/status')) ?? '';
  const effective = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`);
  const found = await promisify(execFile)('bwrap', ['--version'], { signal }).then(
    () => true,
    () => false,
  );
  signal.throwIfAborted();
  return explainNoSandbox(sandbox, {
    refused,
    hasBubblewrap: found,
    isRoot: process.getuid?.() === 0,
    canMount: ((effective >> 21n) & 1n) === 1n,
    clone: await read('/proc/sys/kernel/unprivileged_userns_clone'),
    most: await read('/proc/sys/user/max_user_namespaces'),
    apparmor: await read('/proc/sys/kernel/apparmor_restrict_unprivileged_userns'),
  });
}

/** Returns the error for what was found. */
export function explainNoSandbox(sandbox: string, found: Findings): OcislimError {
  const [why, advice] = reasonOf(sandbox, found);
  return new OcislimError('UNSUPPORTED', `the program of an image cannot be run in a sandbox here: ${why}`, {
    advice: `${advice} Or unpack the image and use "ocislim trace record --root"; or record in a container of the image with "trace record --sandbox none".`,
  });
}

function reasonOf(sandbox: string, found: Findings): readonly [why: string, advice: string] {
  if (sandbox === 'chroot')
    return found.isRoot
      ? ['--sandbox chroot needs unshare', 'Install util-linux, or leave --sandbox out.']
      : ['--sandbox chroot needs root', 'Be root, or leave --sandbox out.'];
  const forbidden = forbiddenBy(found);
  if (forbidden !== null) return forbidden;
  const unshare = saidBy('unshare', found);
  if (sandbox === 'unshare')
    return [
      `unshare does not work${unshare}`,
      'It needs util-linux and coreutils (apt-get install util-linux coreutils iproute2), and leave to mount. Or install bubblewrap.',
    ];
  if (!found.hasBubblewrap)
    return [
      `bubblewrap is not installed${sandbox === 'auto' ? `, and unshare does not work${unshare}` : ''}`,
      'Install it (apt-get install bubblewrap; apk add bubblewrap).',
    ];
  return [
    `namespaces or mounts are forbidden here${saidBy('bwrap', found)}`,
    'A container of a CI job needs --security-opt seccomp=unconfined, and --cap-add SYS_ADMIN where it is root.',
  ];
}

/** Returns what a program said when it was tried last, in parentheses; '' for nothing. */
function saidBy(by: Refused['by'], { refused, isRoot }: Findings): string {
  const own = refused.filter((each) => each.by === by);
  // An ordinary user is tried with all users first, which most do not have. As root, that is what matters.
  const why = own.at(isRoot ? 0 : -1)?.why ?? '';
  return why === '' ? '' : ` (${why})`;
}

/** Returns what keeps every user but root from making namespaces, or all; null for nothing that the machine says. */
function forbiddenBy(found: Findings): readonly [why: string, advice: string] | null {
  if (found.clone === '0' && !found.isRoot)
    return [
      'kernel.unprivileged_userns_clone is 0, which forbids user namespaces',
      'As root: sysctl kernel.unprivileged_userns_clone=1.',
    ];
  if (found.most === '0' && (!found.isRoot || !found.canMount))
    return [
      'user.max_user_namespaces is 0, which forbids user namespaces',
      'As root: sysctl user.max_user_namespaces=10000.',
    ];
  if (found.apparmor === '1' && !found.isRoot)
    return [
      'AppArmor forbids user namespaces (kernel.apparmor_restrict_unprivileged_userns)',
      'As root: sysctl kernel.apparmor_restrict_unprivileged_userns=0, or run as root.',
    ];
  if (found.isRoot && !found.canMount)
    return [
      'this container may neither mount nor make namespaces',
      'Run the container of this job with --cap-add SYS_ADMIN --cap-add SYS_PTRACE --security-opt seccomp=unconfined --security-opt apparmor=unconfined (Docker, Podman).',
    ];
  return null;
}
