import { describe, expect, it } from 'vitest';
import { opensslRule } from '../../../src/closure/rules/openssl.ts';
import { elf, symlink } from '../rig.ts';
import { saysOf, stays } from './stays.ts';

const lib = 'usr/lib/x86_64-linux-gnu';
const image = {
  'usr/bin/app': elf(),
  [`${lib}/libcrypto.so.3`]: elf(),
  [`${lib}/ossl-modules/legacy.so`]: elf(),
  [`${lib}/ossl-modules/fips.so`]: elf(),
  [`${lib}/engines-3/padlock.so`]: elf(),
  [`${lib}/engines-3/afalg.so`]: elf(),
  'usr/lib/ssl/openssl.cnf': symlink('/etc/ssl/openssl.cnf'),
  'etc/ssl/openssl.cnf': '[openssl_init]\nproviders = provider_sect\n# fips = fips_sect\n[fips_sect]\n',
};
const libcrypto = { want: [`${lib}/libcrypto.so.3`] };
const always = [
  'etc/ssl/openssl.cnf',
  'usr/lib/ssl/openssl.cnf',
  `${lib}/libcrypto.so.3`,
  `${lib}/ossl-modules/legacy.so`,
];

describe('openssl', () => {
  it('keeps the configuration and the legacy provider with libcrypto, but no engine', async () => {
    expect(await stays(opensslRule, image, libcrypto)).toEqual(always);
  });

  it('keeps nothing without libcrypto', async () => {
    expect(await stays(opensslRule, image, { want: ['usr/bin/app'] })).toEqual(['usr/bin/app']);
  });

  it('skips lines that are too long', async () => {
    const lines = `[openssl_init]\nmodule =${' '.repeat(120_000)}a b#\nmodule =${' '.repeat(120_000)}a b\0`;
    const image_ = { ...image, 'etc/ssl/openssl.cnf': lines };
    expect(await stays(opensslRule, image_, libcrypto)).toEqual(always);
  });

  it('keeps the providers and engines that the configuration activates', async () => {
    const configured = {
      ...image,
      'etc/ssl/openssl.cnf':
        '[provider_sect]\ndefault = default_sect\nfips = fips_sect\n[default_sect]\nactivate = 1\n[fips_sect]\nactivate = yes # now\n[engine_sect]\npad = pad_sect\n[pad_sect]\nengine_id = padlock\n',
    };
    expect(await stays(opensslRule, configured, libcrypto)).toEqual(
      [...always, `${lib}/engines-3/padlock.so`, `${lib}/ossl-modules/fips.so`].sort(),
    );
    expect(await saysOf(opensslRule, configured, `${lib}/ossl-modules/fips.so`, libcrypto)).toContain(
      'a provider that /etc/ssl/openssl.cnf activates',
    );
  });

  it('does not keep a provider that is switched off', async () => {
    const off = { ...image, 'etc/ssl/openssl.cnf': '[p]\nfips = fips_sect\n[fips_sect]\nactivate = 0\n' };
    expect(await stays(opensslRule, off, libcrypto)).toEqual(always);
  });

  it('keeps the files of .include, and those that the environment names', async () => {
    const included = {
      ...image,
      'etc/ssl/openssl.cnf': '.include = /etc/crypto-policies/back-ends/opensslcnf.config\n.include more\n',
      'etc/crypto-policies/back-ends/opensslcnf.config': 'x',
      'etc/ssl/more/a.cnf': 'x',
      'etc/ssl/other/a.cnf': 'x',
      'opt/modules/own.so': elf(),
    };
    const kept = await stays(opensslRule, included, {
      ...libcrypto,
      environment: { OPENSSL_MODULES: '/opt/modules' },
    });
    expect(kept).toEqual(
      [
        ...always,
        'etc/crypto-policies/back-ends/opensslcnf.config',
        'etc/ssl/more/a.cnf',
        'opt/modules/own.so',
      ].sort(),
    );
  });
});
