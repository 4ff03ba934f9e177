import { describe, expect, it } from 'vitest';
import { nssRule } from '../../../src/closure/rules/nss.ts';
import { elf, symlink } from '../rig.ts';
import { saysOf, stays } from './stays.ts';
import { b } from '../../support/bytes.ts';

const library = elf();
const lib = 'usr/lib/x86_64-linux-gnu';
const image = {
  'usr/bin/client': elf({ imports: ['getaddrinfo'] }),
  'usr/bin/id': elf({ imports: ['getpwuid_r', 'getgrgid'] }),
  'usr/bin/true': elf(),
  'etc/nsswitch.conf':
    '# names\npasswd: files systemd # and more\ngroup: files [SUCCESS=merge] systemd\nhosts: files mdns4_minimal [NOTFOUND=return] dns\n',
  'etc/passwd': 'root:x:0:0',
  'etc/group': 'root:x:0:',
  'etc/shadow': 'root:*',
  'etc/hosts': 'x',
  'etc/resolv.conf': 'x',
  'etc/host.conf': 'multi on',
  'etc/services': 'http 80/tcp',
  'etc/protocols': 'tcp 6',
  [`${lib}/libnss_files.so.2`]: library,
  [`${lib}/libnss_systemd.so.2`]: library,
  [`${lib}/libnss_dns.so.2`]: symlink('libnss_dns-2.31.so'),
  [`${lib}/libnss_dns-2.31.so`]: library,
  [`${lib}/libnss_mdns4_minimal.so.2`]: library,
  [`${lib}/libnss_hesiod.so.2`]: library,
  [`${lib}/libresolv.so.2`]: library,
  'usr/lib32/libnss_files.so.2': elf({ bits: 32, machine: 3 }),
};

describe('nss', () => {
  it('keeps libnss_dns and libresolv (reported as missing)', async () => {
    expect(await stays(nssRule, image, { want: ['usr/bin/client'] })).toEqual([
      'etc/host.conf',
      'etc/hosts',
      'etc/nsswitch.conf',
      'etc/resolv.conf',
      'etc/services',
      'usr/bin/client',
      `${lib}/libnss_dns-2.31.so`,
      `${lib}/libnss_dns.so.2`,
      `${lib}/libnss_files.so.2`,
      `${lib}/libnss_mdns4_minimal.so.2`,
      `${lib}/libresolv.so.2`,
    ]);
  });

  it('keeps only the services of the databases that a program asks', async () => {
    expect(await stays(nssRule, image, { want: ['usr/bin/id'] })).toEqual([
      'etc/group',
      'etc/nsswitch.conf',
      'etc/passwd',
      'usr/bin/id',
      `${lib}/libnss_files.so.2`,
      `${lib}/libnss_systemd.so.2`,
    ]);
    expect(await saysOf(nssRule, image, `${lib}/libnss_systemd.so.2`, { want: ['usr/bin/id'] })).toBe(
      'nss: /usr/bin/id calls getpwuid_r, for which /etc/nsswitch.conf names "systemd"',
    );
  });

  it('keeps nothing for a program that looks up no names', async () => {
    expect(await stays(nssRule, image, { want: ['usr/bin/true'] })).toEqual(['usr/bin/true']);
  });

  it('uses the defaults of the C library without nsswitch.conf', async () => {
    const { 'etc/nsswitch.conf': _, ...bare } = image;
    const kept = await stays(nssRule, bare, { want: ['usr/bin/client'] });
    expect(kept).toContain(`${lib}/libnss_dns-2.31.so`);
    expect(kept).not.toContain(`${lib}/libnss_mdns4_minimal.so.2`);
  });

  it('keeps the files that musl reads, but no plug-in of glibc', async () => {
    const client = elf({ imports: ['getpwnam', 'getaddrinfo'], needed: [b('libc.musl-x86_64.so.1')] });
    const kept = await stays(nssRule, { ...image, 'usr/bin/client': client }, { want: ['usr/bin/client'] });
    expect(kept).toEqual(expect.arrayContaining(['etc/passwd', 'etc/hosts', 'etc/resolv.conf']));
    expect(kept.filter((path) => path.startsWith('usr/lib'))).toEqual([]);
  });

  it('treats a program with unreadable imports as one that asks', async () => {
    const unknown = {
      ...image,
      'usr/bin/true': elf({ needed: [b('libc.so.6')], trouble: 'no dynamic symbols' }),
    };
    expect(await stays(nssRule, unknown, { want: ['usr/bin/true'] })).toContain(`${lib}/libnss_dns-2.31.so`);
  });

  it('keeps the shadow file only for a program that asks it', async () => {
    const image2 = { ...image, 'usr/bin/login': elf({ imports: ['getspnam'] }) };
    expect(await stays(nssRule, image2, { want: ['usr/bin/login'] })).toContain('etc/shadow');
    expect(await stays(nssRule, image2, { want: ['usr/bin/id'] })).not.toContain('etc/shadow');
  });
});
