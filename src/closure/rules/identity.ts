import { ascii } from '../../bytes/bytes.ts';
import type { ClosureRule, Need } from '../rule.ts';

const files = [
  [ascii`etc/passwd`, ascii`names of users`],
  [ascii`etc/group`, ascii`names of groups`],
  [ascii`etc/nsswitch.conf`, ascii`where names are looked up`],
  [ascii`etc/hosts`, ascii`runtimes put theirs in its place`],
  [ascii`etc/resolv.conf`, ascii`runtimes put theirs in its place`],
  [ascii`etc/hostname`, ascii`runtimes put theirs in its place`],
  [ascii`etc/host.conf`, ascii`how host names are looked up`],
] as const;

/**
 * Who one is and where one is: a few hundred bytes that every library may ask for at any time. Nothing says that it was
 * used, so it does not bring the package that it comes with.
 */
export const identityRule: ClosureRule = {
  name: 'identity',
  describe: 'etc/passwd, etc/group, nsswitch.conf, hosts, resolv.conf, hostname and host.conf stay always.',
  *roots(): Generator<Need> {
    for (const [path, detail] of files) yield { path, detail, strength: 'whole' };
  },
};
