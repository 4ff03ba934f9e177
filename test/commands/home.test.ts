import { expect, test, vi } from 'vitest';
import { homeOf } from '../../src/commands/home.ts';

const os = vi.hoisted((): { entry: { homedir: string | null } } => ({ entry: { homedir: null } }));
vi.mock('node:os', async (original) => ({
  ...(await original<object>()),
  userInfo: () => {
    if (os.entry.homedir === null) throw new Error('uv_os_get_passwd returned ENOENT');
    return os.entry;
  },
}));

test.each([
  ['/home/me', '/root', '/home/me'],
  [undefined, '/root', '/root'],
  ['', '/root', '/root'],
  [undefined, null, null],
  ['', null, null],
  ['', '', null],
  ['relative', '/root', null],
])('HOME=%j of a user whose entry says %j is %j', (HOME, homedir, expected) => {
  os.entry.homedir = homedir;
  expect(homeOf({ HOME })).toBe(expected);
});
