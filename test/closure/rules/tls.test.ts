import { describe, expect, it } from 'vitest';
import { tlsRule } from '../../../src/closure/rules/tls.ts';
import { b } from '../../support/bytes.ts';
import { elf, symlink } from '../rig.ts';
import { saysOf, stays } from './stays.ts';

const certificates = [
  'etc/ssl/certs/ISRG_X1.pem',
  'etc/ssl/certs/b0e59380.0',
  'etc/ssl/certs/ca-certificates.crt',
];
const sources = ['usr/share/ca-certificates/mozilla/ISRG_X1.crt'];
const image = {
  'usr/bin/app': elf(),
  'usr/lib/x86_64-linux-gnu/libssl.so.3': elf(),
  'usr/lib/x86_64-linux-gnu/libgnutls.so.30': elf(),
  'usr/lib/x86_64-linux-gnu/libcrypto.so.3': elf(),
  'etc/ssl/certs/ISRG_X1.pem': symlink('/usr/share/ca-certificates/mozilla/ISRG_X1.crt'),
  'etc/ssl/certs/b0e59380.0': symlink('ISRG_X1.pem'),
  'etc/ssl/certs/ca-certificates.crt': 'all',
  'usr/share/ca-certificates/mozilla/ISRG_X1.crt': 'one',
  'usr/share/ca-certificates/mozilla/unused.crt': 'one',
  'opt/own.pem': 'own',
  'opt/more/a.pem': 'a',
};
const trust = [...certificates, ...sources];

describe('tls', () => {
  it.each(['usr/lib/x86_64-linux-gnu/libssl.so.3', 'usr/lib/x86_64-linux-gnu/libgnutls.so.30'])(
    'keeps the CA certificates with %s',
    async (library) => {
      expect(await stays(tlsRule, image, { want: [library] })).toEqual([...trust, library].sort());
    },
  );

  it('keeps no certificates for a program without TLS, nor for libcrypto alone', async () => {
    expect(
      await stays(tlsRule, image, { want: ['usr/bin/app', 'usr/lib/x86_64-linux-gnu/libcrypto.so.3'] }),
    ).toEqual(['usr/bin/app', 'usr/lib/x86_64-linux-gnu/libcrypto.so.3']);
  });

  it('keeps all CA certificates if one was used, since other hosts have others', async () => {
    expect(await stays(tlsRule, image, { trace: { 'etc/ssl/certs/b0e59380.0': 'open' } })).toEqual(trust);
    expect(await stays(tlsRule, image, { trace: { 'etc/ssl/certs': 'stat' } })).toEqual(trust);
  });

  it('keeps the CA certificates for a program that may load a TLS library, as .NET and PyInstaller do, except at file', async () => {
    for (const name of ['libssl.so.3', 'libgnutls.so.30']) {
      const app = { ...image, 'app/one': { ...elf(), mentions: [b('libz.so.1'), b(name)] } };
      const granularity = 'package';
      expect(await stays(tlsRule, app, { want: ['app/one'], granularity })).toEqual(
        [...trust, 'app/one'].sort(),
      );
      expect(await stays(tlsRule, app, { want: ['app/one'] })).toEqual(['app/one']);
    }
    const app = { ...image, 'app/one': { ...elf(), mentions: [b('etc/mime.types'), b('libz.so.1')] } };
    expect(await stays(tlsRule, app, { want: ['app/one'], granularity: 'package' })).toEqual(['app/one']);
  });

  it('keeps the paths in environment variables', async () => {
    const environment = { SSL_CERT_FILE: '/opt/own.pem', SSL_CERT_DIR: '/opt/more:/nowhere' };
    expect(await stays(tlsRule, image, { environment })).toEqual(['opt/more/a.pem', 'opt/own.pem']);
    expect(
      await saysOf(tlsRule, image, 'opt/own.pem', { environment: { NODE_EXTRA_CA_CERTS: '/opt/own.pem' } }),
    ).toBe('tls: named by NODE_EXTRA_CA_CERTS');
  });

  it('takes paths in variables as bytes in UTF-8, as programs do', async () => {
    const path = Buffer.from('opt/schlüssel.pem', 'utf8').toString('latin1');
    expect(
      await stays(tlsRule, { [path]: 'x' }, { environment: { SSL_CERT_FILE: '/opt/schlüssel.pem' } }),
    ).toEqual([path]);
  });

  it('keeps the bundle of certifi (reported as missing)', async () => {
    const site = 'usr/lib/python3/dist-packages';
    const python = {
      [`${site}/certifi/__init__.py`]: '',
      [`${site}/certifi/cacert.pem`]: symlink('/etc/ssl/certs/ca-certificates.crt'),
      [`${site}/other/cacert.pem`]: 'x',
      [`${site}/other/__init__.py`]: '',
      'etc/ssl/certs/ca-certificates.crt': 'all',
    };
    expect(await stays(tlsRule, python, { want: [`${site}/certifi/__init__.py`] })).toEqual([
      'etc/ssl/certs/ca-certificates.crt',
      `${site}/certifi/__init__.py`,
      `${site}/certifi/cacert.pem`,
    ]);
    expect(await stays(tlsRule, python, { want: [`${site}/other/__init__.py`] })).toEqual([
      `${site}/other/__init__.py`,
    ]);
  });

  it('keeps the bundle of Red Hat (reported as missing)', async () => {
    const fedora = {
      'usr/lib64/libssl.so.3': elf(),
      'etc/pki/tls/certs/ca-bundle.crt': symlink('/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem'),
      'etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem': 'all',
      'etc/pki/rpm-gpg/KEY': 'x',
    };
    expect(await stays(tlsRule, fedora, { want: ['usr/lib64/libssl.so.3'] })).toEqual([
      'etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem',
      'etc/pki/tls/certs/ca-bundle.crt',
      'usr/lib64/libssl.so.3',
    ]);
  });
});
