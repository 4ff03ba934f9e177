import { expect, it } from 'vitest';
import { identityRule } from '../../../src/closure/rules/identity.ts';
import { stays } from './stays.ts';

const image = {
  'etc/passwd': 'x',
  'etc/group': 'x',
  'etc/shadow': 'x',
  'etc/nsswitch.conf': 'x',
  'etc/hosts': 'x',
  'etc/motd': 'x',
};

it('keeps the names of users and hosts, but not passwords and greetings', async () => {
  expect(await stays(identityRule, image)).toEqual([
    'etc/group',
    'etc/hosts',
    'etc/nsswitch.conf',
    'etc/passwd',
  ]);
});
