import type { ClosureRule, Need } from '../rule.ts';

const files = [
  ['etc/passwd', 'names of users'],
  ['etc/group', 'names of groups'],
  ['etc/nsswitch.conf', 'where names are looked up'],
  ['etc/hosts', 'runtimes put theirs in its place'],
  ['etc/resolv.conf', 'runtimes put theirs in its place'],
  ['etc/hostname', 'runtimes put theirs in its place'],
  ['etc/host.conf', 'how host names are looked up'],
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
