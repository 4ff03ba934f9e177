import { ascii } from '../../bytes/bytes.ts';
import type { ClosureRule, Need } from '../rule.ts';

const files = [
  [ascii`etc/passwd`, ascii`names of users`],
  [ascii`etc/group`, ascii`names of groups`],
  [ascii`etc/nsswitch.conf`, ascii`where names are looked up`],
  [ascii`etc/hosts`, ascii`replaced by runtimes`],
  [ascii`etc/resolv.conf`, ascii`replaced by runtimes`],
  [ascii`etc/hostname`, ascii`replaced by runtimes`],
  [ascii`etc/host.conf`, ascii`how host names are looked up`],
] as const;

/**
 * The names of users and hosts: a few hundred bytes that any library may read at any time. They stay as `whole`, since nothing shows
 * that they were used: so they do not make their packages stay.
 */
export const identityRule: ClosureRule = {
  name: 'identity',
  describe: 'Always: etc/passwd, etc/group, nsswitch.conf, hosts, resolv.conf, hostname and host.conf.',
  *roots(): Generator<Need> {
    for (const [path, detail] of files) yield { path, detail, strength: 'whole' };
  },
};
