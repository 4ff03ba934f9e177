import { describe, expect, it } from 'vitest';
import { gccRuntimeRule } from '../../../src/closure/rules/gcc-runtime.ts';
import { icuRule } from '../../../src/closure/rules/icu.ts';
import { krb5Rule } from '../../../src/closure/rules/krb5.ts';
import { saslRule } from '../../../src/closure/rules/sasl.ts';
import { directory, elf, symlink } from '../rig.ts';
import { stays } from './stays.ts';
import { b } from '../../support/bytes.ts';

const lib = 'usr/lib/x86_64-linux-gnu';

describe('gcc-runtime', () => {
  const image = {
    'usr/bin/threads': elf({ imports: ['pthread_exit'] }),
    'usr/bin/plain': elf({ imports: ['getpwnam'] }),
    lib: symlink('usr/lib'),
    [`${lib}/libgcc_s.so.1`]: elf(),
    [`${lib}/libc.so.6`]: elf({ imports: ['backtrace'] }),
    'usr/lib/i386-linux-gnu/libgcc_s.so.1': elf({ bits: 32, machine: 3 }),
  };

  it('keeps the libgcc_s of its machine for a program that ends threads', async () => {
    expect(await stays(gccRuntimeRule, image, { want: ['usr/bin/threads'] })).toEqual([
      'usr/bin/threads',
      `${lib}/libgcc_s.so.1`,
    ]);
  });

  it('does not keep it for programs of musl', async () => {
    const loader = elf({ imports: ['pthread_exit'], interpreter: b('/lib/ld-musl-x86_64.so.1') });
    const other = elf({ imports: ['pthread_exit'], needed: [b('libc.so')] });
    const want = ['usr/bin/loader', 'usr/bin/other'];
    const both = { ...image, 'usr/bin/loader': loader, 'usr/bin/other': other };
    expect(await stays(gccRuntimeRule, both, { want })).toEqual(want);
  });

  it('does not keep it for a program that ends no threads, nor for the C library itself', async () => {
    const want = ['usr/bin/plain', `${lib}/libc.so.6`];
    expect(await stays(gccRuntimeRule, image, { want })).toEqual(want);
  });
});

describe('sasl', () => {
  const image = {
    [`${lib}/libsasl2.so.2`]: symlink('libsasl2.so.2.0.25'),
    [`${lib}/libsasl2.so.2.0.25`]: elf(),
    [`${lib}/sasl2/libplain.so`]: elf(),
  };
  const want = [`${lib}/libsasl2.so.2`];
  const alone = [`${lib}/libsasl2.so.2`, `${lib}/libsasl2.so.2.0.25`];

  it('keeps no plug-ins if nothing uses SASL', async () => {
    expect(await stays(saslRule, image, { want })).toEqual(alone);
  });

  it('keeps them if SASL is configured, or their directory was listed', async () => {
    const configured = { ...image, 'etc/sasl2/smtpd.conf': 'pwcheck_method: saslauthd' };
    expect(await stays(saslRule, configured, { want })).toEqual(Object.keys(configured).sort());
    expect(await stays(saslRule, image, { want, trace: { [`${lib}/sasl2`]: 'list' } })).toEqual(
      Object.keys(image).sort(),
    );
  });
});

describe('krb5', () => {
  const image = {
    [`${lib}/libkrb5.so.3`]: elf(),
    [`${lib}/krb5/plugins/tls/k5tls.so`]: elf(),
  };
  const want = [`${lib}/libkrb5.so.3`];

  it('keeps no plug-ins if Kerberos is not configured', async () => {
    expect(await stays(krb5Rule, image, { want })).toEqual(want);
  });

  it('keeps them and the files that settings include if it is', async () => {
    const configured = {
      ...image,
      'etc/krb5.conf': 'includedir /etc/krb5.conf.d/\n[libdefaults]\n',
      'etc/krb5.conf.d/realm': '[realms]\n',
    };
    expect(await stays(krb5Rule, configured, { want })).toEqual(Object.keys(configured).sort());
    expect(await stays(krb5Rule, { ...configured, 'usr/bin/app': elf() }, { want: ['usr/bin/app'] })).toEqual(
      ['usr/bin/app'],
    );
  });
});

describe('icu', () => {
  const image = {
    'usr/bin/app': elf(),
    'usr/lib/libicuuc.so.74': elf(),
    'usr/share/icu/74.1/icudt74l.dat': 'x',
    'usr/share/icu/72.1/icudt72l.dat': 'x',
    'opt/icu/icudt74l.dat': 'x',
    'opt/empty/': directory(),
  };

  it('keeps the data for the version of the library that stays', async () => {
    expect(await stays(icuRule, image, { want: ['usr/lib/libicuuc.so.74'] })).toEqual([
      'usr/lib/libicuuc.so.74',
      'usr/share/icu/74.1/icudt74l.dat',
    ]);
    expect(await stays(icuRule, image, { want: ['usr/bin/app'] })).toEqual(['usr/bin/app']);
  });

  it('keeps the path in NODE_ICU_DATA', async () => {
    expect(await stays(icuRule, image, { environment: { NODE_ICU_DATA: '/opt/icu' } })).toEqual([
      'opt/icu/icudt74l.dat',
    ]);
  });
});
