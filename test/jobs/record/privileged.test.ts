import { expect, it } from 'vitest';
import { capabilitiesOf, portableOf } from '../../../src/jobs/record/privileged.ts';

it('of the capabilities of a process, those that container runtimes leave to root are handed on', () => {
  expect(capabilitiesOf('Name:\tx\nCapEff:\t0000000000000003\n')).toEqual(['CAP_CHOWN', 'CAP_DAC_OVERRIDE']);
  const all = capabilitiesOf('CapEff:\t000001ffffffffff\n');
  expect(all).toContain('CAP_SETFCAP');
  // CAP_MKNOD would make the disks of this machine readable, CAP_SYS_ADMIN its mounts.
  expect(all).toHaveLength(13);
  expect(capabilitiesOf('')).toEqual([]);
});

it.each([
  [
    'glibc',
    '\tlinux-vdso.so.1 (0x00007ffd)\n\tlibcap-ng.so.0 => /lib/x86_64-linux-gnu/libcap-ng.so.0 (0x00007f1)\n\tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f2)\n\t/lib64/ld-linux-x86-64.so.2 (0x00007f3)\n',
    [
      '/lib64/ld-linux-x86-64.so.2',
      '/lib/x86_64-linux-gnu/libcap-ng.so.0',
      '/lib/x86_64-linux-gnu/libc.so.6',
    ],
  ],
  [
    'musl',
    '\t/lib/ld-musl-x86_64.so.1 (0x7f1)\n\tlibcap-ng.so.0 => /usr/lib/libcap-ng.so.0 (0x7f2)\n\tlibc.musl-x86_64.so.1 => /lib/ld-musl-x86_64.so.1 (0x7f1)\n',
    ['/lib/ld-musl-x86_64.so.1', '/usr/lib/libcap-ng.so.0'],
  ],
])('ldd of %s tells what a program needs', (_, printed, [loader = '', ...libraries]) => {
  expect(portableOf('/usr/bin/setpriv', printed)).toEqual({ program: '/usr/bin/setpriv', loader, libraries });
});

it('a static program cannot be carried into another root this way', () => {
  expect(portableOf('/usr/bin/setpriv', '\tnot a dynamic executable\n')).toBeNull();
});
