import { describe, expect, it } from 'vitest';
import { pamRule } from '../../../src/closure/rules/pam.ts';
import { elf, symlink } from '../rig.ts';
import { saysOf, stays } from './stays.ts';

const modules = 'usr/lib/x86_64-linux-gnu/security';
const image = {
  'usr/bin/app': elf(),
  'usr/bin/su': elf({ imports: ['pam_start'] }),
  'usr/sbin/unix_chkpwd': elf(),
  'usr/lib/x86_64-linux-gnu/libpam.so.0': elf({ imports: ['pam_start'] }),
  'etc/pam.d/su':
    '#%PAM-1.0\nauth sufficient pam_rootok.so\n@include common-auth\n-session optional pam_systemd.so\n',
  'etc/pam.d/common-auth':
    'auth\t[success=1 default=ignore]\tpam_unix.so nullok\nauth requisite pam_deny.so\nauth optional /opt/pam_own.so arg\n',
  'etc/security/limits.conf': 'x',
  'etc/shadow': 'x',
  'opt/pam_own.so': elf(),
  [`${modules}/pam_rootok.so`]: elf(),
  [`${modules}/pam_unix.so`]: elf(),
  [`${modules}/pam_deny.so`]: elf(),
  [`${modules}/pam_ftp.so`]: elf(),
};
const asked = [
  'etc/pam.d/common-auth',
  'etc/pam.d/su',
  'etc/security/limits.conf',
  'etc/shadow',
  'opt/pam_own.so',
  `${modules}/pam_deny.so`,
  `${modules}/pam_rootok.so`,
  `${modules}/pam_unix.so`,
  'usr/sbin/unix_chkpwd',
];

describe('pam', () => {
  it('keeps the settings, and the modules that they name, for a program that calls PAM', async () => {
    expect(await stays(pamRule, image, { want: ['usr/bin/su'] })).toEqual([...asked, 'usr/bin/su'].sort());
    expect(await saysOf(pamRule, image, `${modules}/pam_unix.so`, { want: ['usr/bin/su'] })).toBe(
      'pam: named by /etc/pam.d/common-auth',
    );
  });

  it('keeps them if a file of the settings was used', async () => {
    expect(await stays(pamRule, image, { trace: { 'etc/pam.d/su': 'open' } })).toEqual(asked);
  });

  it('keeps nothing for a program that does not call PAM, nor for the library alone', async () => {
    const want = ['usr/bin/app', 'usr/lib/x86_64-linux-gnu/libpam.so.0'];
    expect(await stays(pamRule, image, { want })).toEqual(want);
  });

  it('follows settings that include others, through links', async () => {
    const fedora = {
      'usr/sbin/sshd': elf({ imports: ['pam_start'] }),
      'etc/pam.d/sshd': 'auth substack password-auth\n',
      'etc/pam.d/password-auth': symlink('/etc/authselect/password-auth'),
      'etc/authselect/password-auth': 'auth required pam_env.so\n',
      'usr/lib64/security/pam_env.so': elf(),
      'usr/lib64/security/pam_ftp.so': elf(),
    };
    expect(await stays(pamRule, fedora, { want: ['usr/sbin/sshd'] })).toEqual(
      Object.keys(fedora)
        .filter((path) => !path.includes('pam_ftp'))
        .sort(),
    );
  });
});
