import { expect, it } from 'vitest';
import { identityRule } from '../../../../src/slim/closure/rules/identity.ts';
import { closureOf, symlink } from '../rig.ts';
import { stays } from './stays.ts';

const image = {
  'etc/passwd': 'x',
  'etc/group': 'x',
  'etc/shadow': 'x',
  'etc/nsswitch.conf': 'x',
  'etc/hosts': 'x',
  'etc/motd': 'x',
  'etc/os-release': symlink('../usr/lib/os-release'),
  'usr/lib/os-release': 'ID=debian',
};

it('keeps who one is and where, but neither passwords nor greetings', async () => {
  expect(await stays(identityRule, image)).toEqual([
    'etc/group',
    'etc/hosts',
    'etc/nsswitch.conf',
    'etc/os-release',
    'etc/passwd',
    'usr/lib/os-release',
  ]);
});

it('keeps the name of the distribution as a courtesy, link and target', async () => {
  const closure = await closureOf({ image }, [identityRule]);
  expect(closure.strengthOf('etc/os-release')).toBe('courtesy');
  expect(closure.strengthOf('usr/lib/os-release')).toBe('courtesy');
  expect(closure.strengthOf('etc/passwd')).toBe('needed');
});
