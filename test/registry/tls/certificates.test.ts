import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import type { TLSSocket, TlsOptions } from 'node:tls';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { pemCertificates } from '../../../src/registry/tls/authorities.ts';
import {
  type CertificateOptions,
  type Certificates,
  createCertificates,
} from '../../../src/registry/tls/certificates.ts';
import type { RegistryOptions } from '../../../src/registry/lease.ts';
import { openPkcs12 } from '../../../src/registry/tls/pkcs12.ts';
import { openRegistrySource } from '../../../src/registry/source.ts';
import { makeAuthority, writePkcs12 } from '../../support/registry/authority.ts';
import { FakeRegistry } from '../../support/registry/fake-registry.ts';
import { never, refer, type Setup, setup } from '../../support/registry/setup.ts';
import type { Source } from '../../../src/place/place.ts';
import { newFolder } from '../../support/store/local.ts';
import { Secret } from '../../../src/registry/auth/secret.ts';
import { closing, startRegistry } from '../../support/registry/opened.ts';

const authority = makeAuthority('The CA of a test');
const clients = makeAuthority('The CA of clients');
const server = authority.issue();
const client = clients.issue({ names: [], commonName: 'a client' });
const old = new URL('../../support/registry/old-client.p12', import.meta.url);

const index = { schemaVersion: 2, mediaType: 'application/vnd.oci.image.index.v1+json', manifests: [] };

async function start(
  tls: TlsOptions & { readonly key: string; readonly cert: string },
): Promise<FakeRegistry> {
  const fake = await startRegistry({ tls });
  fake.repository('app').addManifest(index, index.mediaType, 'v1');
  return fake;
}

function sourceOf(
  host: string,
  overrides: Partial<RegistryOptions> = {},
): Setup & { readonly source: Source } {
  const made = setup(overrides);
  const source = closing(openRegistrySource(refer(`${host}/app:v1`), made.options));
  return { ...made, source };
}

async function certificatesOf(given: Partial<CertificateOptions>): Promise<Certificates> {
  return createCertificates({
    certDir: null,
    clientP12: null,
    passphrase: null,
    passphraseFile: null,
    env: {},
    home: await newFolder(),
    ...given,
  });
}

/** A folder with these files. */
async function folderOf(
  files: Readonly<Record<string, string | Uint8Array>>,
  base?: string,
  ...path: readonly string[]
): Promise<string> {
  const folder = join(base ?? (await newFolder()), ...path);
  await mkdir(folder, { recursive: true });
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content);
  return folder;
}

describe('certs.d', () => {
  test.each([
    ['home, podman', {}, ['.config/containers/certs.d']],
    ['home, docker', {}, ['.docker/certs.d']],
  ])('%s holds CAs for one host and port', async (_, env, path) => {
    const fake = await start(server);
    const home = await newFolder();
    await folderOf({ 'ca.crt': authority.cert, README: 'no certificate' }, home, ...path, fake.host);
    const certificates = await certificatesOf({ home, env });
    expect((await sourceOf(fake.host, { certificates }).source.root(never)).bytes.length).toBeGreaterThan(0);
    const another = await start(server);
    await expect(sourceOf(another.host, { certificates }).source.root(never)).rejects.toThrow(
      /cannot be trusted/,
    );
  });

  test('$XDG_CONFIG_HOME replaces ~/.config, and the first folder that exists is the only one', async () => {
    const [home, config] = [await newFolder(), await newFolder()];
    await folderOf({ 'a.crt': authority.cert }, config, 'containers/certs.d/registry.test:5000');
    await folderOf({ 'a.crt': clients.cert }, home, '.docker/certs.d/registry.test:5000');
    await folderOf({ 'a.crt': clients.cert }, home, '.config/containers/certs.d/registry.test:5000');
    const xdg = await certificatesOf({ home, env: { XDG_CONFIG_HOME: config } });
    expect((await xdg.of(['registry.test:5000'], false)).authorities).toEqual(
      pemCertificates(authority.cert),
    );
    expect((await xdg.of(['registry.test'], false)).authorities).toEqual([]);
  });

  test('a file in the place of a folder is passed over', async () => {
    const home = await newFolder();
    await folderOf({ 'registry.test': 'a file' }, home, '.config/containers/certs.d');
    await folderOf({ 'a.crt': authority.cert }, home, '.docker/certs.d/registry.test');
    const { authorities } = await (await certificatesOf({ home })).of(['registry.test'], false);
    expect(authorities).toEqual(pemCertificates(authority.cert));
  });

  test.each(['..', '.', '', 'a/../../b', 'a\\b', '...'])(
    'a host named %j does not lead out of the folder',
    async (name) => {
      const home = await newFolder();
      await folderOf({ 'a.crt': authority.cert }, home, '.docker/certs.d');
      await folderOf({ 'a.crt': authority.cert }, home, '.docker/b');
      await folderOf({ 'a.crt': authority.cert }, home, '.docker');
      const certificates = await certificatesOf({ home });
      expect(await certificates.of([name], true)).toEqual({ authorities: [], clients: [] });
    },
  );

  test.each([
    [{ 'me.cert': client.cert }, /me\.cert has no key: .*me\.key is missing/],
    [{ 'me.key': client.key }, /me\.key has no certificate: .*me\.cert is missing/],
    [{ 'me.cert': client.cert, 'me.key': 'garbage' }, /me\.cert and its key .*me\.key cannot be used/],
    [{ 'ca.crt': 'garbage' }, /ca\.crt holds no certificate in PEM$/],
    [
      { 'ca.crt': '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n' },
      /a certificate in .*ca\.crt is broken/,
    ],
  ])('a file that cannot be used is an error that names it: case %#', async (files, sentence) => {
    const certificates = await certificatesOf({ certDir: await folderOf(files) });
    const fake = await start(server);
    const { source, clock } = sourceOf(fake.host, { certificates });
    await expect(source.root(never)).rejects.toMatchObject({
      code: 'IO',
      message: expect.stringMatching(sentence) as string,
    });
    expect(clock.sleeps).toEqual([]);
    expect(fake.requests).toEqual([]);
  });

  test('--cert-dir goes before the standard folders, and must exist', async () => {
    const fake = await start(server);
    const home = await newFolder();
    await folderOf({ 'ca.crt': authority.cert }, home, '.docker/certs.d', fake.host);
    const other = await certificatesOf({ home, certDir: await folderOf({ 'ca.crt': clients.cert }) });
    await expect(sourceOf(fake.host, { certificates: other }).source.root(never)).rejects.toThrow(
      /cannot be trusted/,
    );
    const missing = await certificatesOf({ home, certDir: join(home, 'missing') });
    await expect(sourceOf(fake.host, { certificates: missing }).source.root(never)).rejects.toMatchObject({
      code: 'IO',
      message: expect.stringContaining(join(home, 'missing')) as string,
    });
  });

  test('every file is read once', async () => {
    const certDir = await folderOf({ 'ca.crt': authority.cert });
    const certificates = await certificatesOf({ certDir });
    const first = await certificates.of(['a.test'], false);
    await writeFile(join(certDir, 'ca.crt'), 'garbage');
    expect(await certificates.of(['b.test'], true)).toEqual(first);
  });
});

describe('a server that wants a client certificate', () => {
  const strict = { ...server, ca: clients.cert, requestCert: true, rejectUnauthorized: true };

  test('gets none, which is an error that says so, without a retry', async () => {
    const fake = await start(strict);
    const { source, clock } = sourceOf(fake.host, { authorities: [authority.cert] });
    await expect(source.root(never)).rejects.toMatchObject({
      code: 'NETWORK',
      message: `source ${fake.host}/app: manifest v1: ${fake.host} wants a client certificate, and none was given`,
      advice: expect.stringContaining('--client-p12') as string,
    });
    expect(clock.sleeps).toEqual([]);
    expect(fake.requests).toEqual([]);
  });

  test('over TLS 1.2 does not say why it refuses: the error names both possible reasons', async () => {
    const fake = await start({ ...strict, maxVersion: 'TLSv1.2' });
    const { source, clock } = sourceOf(fake.host, { authorities: [authority.cert] });
    await expect(source.root(never)).rejects.toThrow(
      /or the server wants a client certificate \(ssl\/tls alert handshake failure\)$/,
    );
    expect(clock.sleeps).toEqual([]);
  });

  test('gets the pair of its folder', async () => {
    const fake = await start(strict);
    const home = await newFolder();
    const files = { 'ca.crt': authority.cert, 'me.cert': client.cert, 'me.key': client.key };
    await folderOf(files, home, '.docker/certs.d', fake.host);
    const { source } = sourceOf(fake.host, { certificates: await certificatesOf({ home }) });
    expect((await source.root(never)).bytes.length).toBeGreaterThan(0);
  });

  test('gets one even if its own certificate is not verified', async () => {
    const fake = await start(strict);
    const certDir = await folderOf({ 'me.cert': client.cert, 'me.key': client.key });
    const certificates = await certificatesOf({ certDir });
    const { source } = sourceOf(fake.host, { certificates, tlsVerify: false });
    expect((await source.root(never)).bytes.length).toBeGreaterThan(0);
  });

  test.each([
    ['aes256', 'pass word'],
    ['3des', 'päss word'],
  ] as const)(
    'gets that of a PKCS#12 file (%s) with its passphrase in a file',
    async (algorithm, passphrase) => {
      const fake = await start(strict);
      const folder = await folderOf({
        'me.p12': writePkcs12(client, passphrase, algorithm),
        passphrase: `${passphrase}\nand a second line\n`,
      });
      const certificates = await certificatesOf({
        certDir: await folderOf({ 'ca.crt': authority.cert }),
        clientP12: join(folder, 'me.p12'),
        passphraseFile: join(folder, 'passphrase'),
      });
      expect((await sourceOf(fake.host, { certificates }).source.root(never)).bytes.length).toBeGreaterThan(
        0,
      );
    },
  );

  test('gets that of an old PKCS#12 file (RC2), which OpenSSL 3 does not open', async () => {
    const opened = await openPkcs12(await readFile(old), new Secret('secret'), 'old-client.p12');
    if (opened.kind !== 'pem') throw new Error('Node opened it: the fixture shows nothing');
    const fake = await start({ ...strict, ca: opened.cert });
    const folder = await folderOf({ 'old.p12': await readFile(old) });
    const certificates = await certificatesOf({
      clientP12: join(folder, 'old.p12'),
      passphrase: new Secret('secret'),
    });
    const { source } = sourceOf(fake.host, { certificates, authorities: [authority.cert] });
    expect((await source.root(never)).bytes.length).toBeGreaterThan(0);
  });

  test('gets none if the registry named it', async () => {
    const certDir = await folderOf({
      'ca.crt': authority.cert,
      'me.cert': client.cert,
      'me.key': client.key,
    });
    const certificates = await certificatesOf({ certDir });
    expect((await certificates.of(['registry.test'], false)).clients).toHaveLength(1);
    expect(await certificates.of(['storage.test'], true)).toEqual({
      authorities: pemCertificates(authority.cert),
      clients: [],
    });
    const p12 = await certificatesOf({ clientP12: old.pathname, passphrase: new Secret('secret') });
    expect((await p12.of(['storage.test'], true)).clients).toEqual([]);
    expect((await p12.of(['registry.test'], false)).clients).toHaveLength(1);
  });
});

describe('a PKCS#12 file', () => {
  test.each(['wrong', null])(
    'does not open with the passphrase %j, and the error says what to do',
    async (passphrase) => {
      for (const bytes of [writePkcs12(client, 'right', 'aes256'), await readFile(old)]) {
        await expect(
          openPkcs12(bytes, passphrase === null ? null : new Secret(passphrase), 'me.p12'),
        ).rejects.toMatchObject({
          code: 'IO',
          message:
            passphrase === null
              ? 'me.p12 needs a passphrase'
              : 'me.p12 does not open with the passphrase given',
          advice: expect.stringContaining('OCISLIM_CLIENT_P12_PASSPHRASE') as string,
        });
      }
    },
  );

  test('opens without a passphrase if it was made without one', async () => {
    expect((await openPkcs12(writePkcs12(client, '', 'aes256'), null, 'me.p12')).kind).toBe('pfx');
  });

  test('is an error that names it if it is malformed or cut off', async () => {
    for (const bytes of [
      Buffer.from(client.cert),
      (await readFile(old)).subarray(0, 1000),
      Buffer.alloc(0),
    ]) {
      await expect(openPkcs12(bytes, new Secret('secret'), 'me.p12')).rejects.toMatchObject({
        code: 'IO',
        message: expect.stringContaining('me.p12') as string,
      });
    }
  });
});

describe('the message of a refused certificate', () => {
  const past = { from: new Date('2001-01-01'), to: new Date('2002-03-04') };
  const bad = (tls: { readonly cert: string; readonly key: string }, sentence: string, ca = authority.cert) =>
    [sentence, tls, ca] as const;

  test.each([
    bad(authority.issue(past), 'it expired on 2002-03-04'),
    bad(
      authority.issue({ from: new Date('2110-01-01') }),
      'it is not valid before 2110-01-01 (is the clock right?)',
    ),
    bad(
      authority.issue({ names: ['a.test', 'b.test', '10.0.0.1'] }),
      'it is for a.test, b.test, 10.0.0.1, not for 127.0.0.1',
    ),
    bad(
      authority.issue({ names: ['a', 'b', 'c', 'd', 'e', 'f'].map((each) => `${each}.test`) }),
      'it is for a.test, b.test, c.test, d.test, e.test, … (6 names), not for 127.0.0.1',
    ),
    bad(authority.issue({ names: [] }), 'it is for no name, not for 127.0.0.1'),
    bad(
      clients.issue(),
      'it was issued by CN=The CA of clients, which is not known here; or the server leaves out part of the chain',
    ),
    bad(
      { ...server, cert: server.cert + authority.cert },
      'its chain ends in the CA CN=The CA of a test, which is not known here',
      clients.cert,
    ),
    bad({ ...server, cert: authority.cert }, 'it is self-signed', clients.cert),
  ])('says that %s', async (sentence, tls, ca) => {
    const fake = await start(tls);
    const { source, clock } = sourceOf(fake.host, { authorities: [ca] });
    await expect(source.root(never)).rejects.toMatchObject({
      code: 'NETWORK',
      message: `source ${fake.host}/app: manifest v1: the certificate of ${fake.host} cannot be trusted: ${sentence}`,
      advice: expect.stringContaining('--cert-dir') as string,
    });
    expect(fake.requests).toEqual([]);
    expect(clock.sleeps).toEqual([]);
  });

  test('a server that speaks only an older TLS is an error that says so', async () => {
    const ancient = {
      ...server,
      minVersion: 'TLSv1.1',
      maxVersion: 'TLSv1.1',
      ciphers: 'ALL:@SECLEVEL=0',
    } as const;
    const fake = await start(ancient);
    const { source, clock } = sourceOf(fake.host, { authorities: [authority.cert] });
    await expect(source.root(never)).rejects.toThrow(/no version or cipher of TLS in common/);
    expect(clock.sleeps).toEqual([]);
    expect(source.mountable?.registry).toBe(`https://${fake.host}`);
  });
});

test('N16: the server is sent names, but not addresses (SNI)', async () => {
  const names: unknown[] = [];
  const listening = createTlsServer(server, (request, response) => {
    names.push((request.socket as TLSSocket & { readonly servername?: unknown }).servername);
    response.writeHead(404).end();
  });
  listening.listen(0, '127.0.0.1');
  await once(listening, 'listening');
  closing({ close: () => void listening.close() });
  const { port } = listening.address() as AddressInfo;
  for (const host of ['localhost', '127.0.0.1']) {
    const { source } = sourceOf(`${host}:${port}`, { authorities: [authority.cert] });
    await expect(source.root(never)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  }
  expect(names).toEqual(['localhost', false]);
});

describe('SSL_CERT_FILE and SSL_CERT_DIR, in a process of its own', () => {
  const script = new URL('../../support/registry/read-root.ts', import.meta.url).pathname;
  const readRoot = (host: string, env: Record<string, string>) =>
    promisify(execFile)(process.execPath, [script, host], {
      env: { PATH: process.env['PATH'] ?? '', HOME: '/nonexistent', ...env },
    });

  test('each is trusted, also a list of folders, and missing ones are ignored', async () => {
    const fake = await start(server);
    const folder = await folderOf({ 'any-name.pem': authority.cert, other: 'no certificate' });
    const file = join(folder, 'any-name.pem');
    const trusted = [
      { SSL_CERT_FILE: file },
      { SSL_CERT_DIR: folder },
      { SSL_CERT_DIR: `/nonexistent:${folder}`, SSL_CERT_FILE: '/nonexistent' },
      { NODE_EXTRA_CA_CERTS: file },
    ];
    for (const env of trusted) {
      const { stdout, stderr } = await readRoot(fake.host, env);
      expect(JSON.parse(stdout)).toMatchObject({ mediaType: index.mediaType });
      expect(stderr).toBe('');
    }
    for (const env of [{}, { SSL_CERT_FILE: '/nonexistent' }, { NODE_TLS_REJECT_UNAUTHORIZED: '0' }]) {
      const { stdout } = await readRoot(fake.host, env);
      expect(JSON.parse(stdout)).toMatchObject({
        error: expect.stringContaining('cannot be trusted') as string,
      });
    }
  });
});
