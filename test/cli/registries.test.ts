import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { callCli } from '../support/cli.ts';
import { makeAuthority, writePkcs12 } from '../support/registry/authority.ts';
import { type FakeOptions, FakeRegistry } from '../support/registry/fake-registry.ts';
import { ProxyServer } from '../support/registry/proxy-server.ts';
import { closing, startRegistry } from '../support/registry/opened.ts';

const authority = makeAuthority('The CA of a test');
let folder = '';

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ocislim-registries-'));
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

/** Starts a registry with one image, `app:v1`. */
async function start(options: Partial<FakeOptions> = {}): Promise<FakeRegistry> {
  const fake = await startRegistry(options);
  const content = fake.repository('app');
  const config = content.addBlob(
    Buffer.from(
      JSON.stringify({ os: 'linux', architecture: 'amd64', rootfs: { type: 'layers', diff_ids: [] } }),
    ),
    'application/vnd.oci.image.config.v1+json',
  );
  const mediaType = 'application/vnd.oci.image.manifest.v1+json';
  content.addManifest({ schemaVersion: 2, mediaType, config: config.json, layers: [] }, mediaType, 'v1');
  return fake;
}

const copy = (host: string, flags: readonly string[] = [], env: Readonly<Record<string, string>> = {}) =>
  callCli(['copy', `${host}/app:v1`, `oci:${join(folder, 'out')}:v1`, ...flags], env);

async function write(name: string, content: string | Uint8Array): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

describe('N16: TLS', () => {
  test('--cert-dir names the CA; without it the error says that it may', async () => {
    const fake = await start({ tls: authority.issue() });
    const refused = await copy(fake.host);
    expect(refused.status).toBe(1);
    expect(refused.stderr).toMatch(
      /issued by CN=The CA of a test, which is not known here.*\[NETWORK\]\n.*--cert-dir/,
    );
    await write('ca.crt', authority.cert);
    expect(await copy(fake.host, ['--cert-dir', folder])).toMatchObject({ status: 0 });
  });

  test.each(['environment', 'file'])(
    '--client-p12 takes its passphrase from the %s, and no output shows it',
    async (where) => {
      const client = authority.issue({ names: [], commonName: 'me' });
      const tls = { ...authority.issue(), ca: authority.cert, requestCert: true, rejectUnauthorized: true };
      const fake = await start({ tls });
      await write('ca.crt', authority.cert);
      const p12 = await write('me.p12', writePkcs12(client, 'canary-word', 'aes256'));
      const flags = ['--cert-dir', folder, '--client-p12', p12, '-v'];
      const wrong = await copy(fake.host, flags, { OCISLIM_CLIENT_P12_PASSPHRASE: 'wrong-canary' });
      expect(wrong.status).toBe(1);
      expect(wrong.stderr).toContain('does not open with the passphrase given [IO]');
      const right =
        where === 'environment'
          ? await copy(fake.host, flags, { OCISLIM_CLIENT_P12_PASSPHRASE: 'canary-word' })
          : await copy(fake.host, [
              ...flags,
              '--client-p12-passphrase-file',
              await write('word', 'canary-word\n'),
            ]);
      expect(right).toMatchObject({ status: 0 });
      for (const { stdout, stderr } of [wrong, right]) expect(stdout + stderr).not.toMatch(/canary/);
    },
  );

  test('NODE_TLS_REJECT_UNAUTHORIZED=0 has no effect, and a warning says so', async () => {
    const fake = await start({ tls: authority.issue() });
    const { status, stderr } = await copy(fake.host, [], { NODE_TLS_REJECT_UNAUTHORIZED: '0' });
    expect(status).toBe(1);
    expect(stderr).toContain('NODE_TLS_REJECT_UNAUTHORIZED=0 has no effect: certificates are checked');
    expect(fake.requests).toEqual([]);
  });
});

describe('N18: proxies', () => {
  test('HTTPS_PROXY is used, NO_PROXY goes without, passwords are not shown', async () => {
    const fake = await start({ tls: authority.issue({ names: ['registry.test'] }) });
    await write('ca.crt', authority.cert);
    const proxy = closing(await ProxyServer.start());
    const host = fake.host.replace('127.0.0.1', 'registry.test');
    const env = { HTTPS_PROXY: `http://user:canary@${proxy.host}` };
    const used = await copy(host, ['--cert-dir', folder, '-v'], env);
    expect(used).toMatchObject({ status: 0 });
    expect(proxy.passages.length).toBeGreaterThan(0);
    const before = proxy.passages.length;
    const around = await copy(host, ['--cert-dir', folder, '-v'], { ...env, NO_PROXY: '.test' });
    expect(around.status).toBe(1);
    expect(proxy.passages).toHaveLength(before);
    expect(used.stderr + around.stderr).not.toContain('canary');
  });
});

describe('several tags', () => {
  /** Copies the image to tags of another repository, the first of which that match `refused` is not taken. */
  async function copyTo(names: readonly string[], refused: RegExp) {
    const fake = await start();
    fake.fault({ method: 'PUT', path: refused, effect: { kind: 'answer', status: 403 } });
    const tags = names.flatMap((tag) => ['-t', `${fake.host}/other:${tag}`]);
    return { fake, result: await callCli(['copy', `${fake.host}/app:v1`, ...tags]) };
  }

  test('of which one is refused: the image is there, and the error says under which it is not', async () => {
    const { fake, result } = await copyTo(['v2', 'v3', 'v4'], /manifests\/v3$/);
    expect(result.status, result.stderr).toBe(5);
    const { tags } = fake.repository('other');
    expect([...tags.keys()]).toEqual(['v2']);
    expect(result.stdout).toBe(`${fake.host}/other@${tags.get('v2')}\n`);
    expect(result.stderr).toMatch(/ocislim: published, but not as v3, v4: .*\[PUBLISHED\]/);
  });

  test('of which the first is refused: nothing is published', async () => {
    const { result } = await copyTo(['v2', 'v3'], /manifests\/v2$/);
    expect(result).toMatchObject({ status: 1, stdout: '' });
  });
});

describe('--mirror', () => {
  test('reads from the mirror, without the credentials given for the registry', async () => {
    const [origin, mirror] = [await start(), await start()];
    const flags = ['--mirror', `${origin.host}=${mirror.host}`, '--src-creds', 'user:canary'];
    expect(await copy(origin.host, flags)).toMatchObject({ status: 0 });
    // Of what refers to the image a mirror may know nothing.
    const asked = origin.requests.map(({ path }) => path).filter((path) => !/referrers|\/sha256-/.test(path));
    expect(asked).toEqual([]);
    expect(mirror.requests.length).toBeGreaterThan(1);
    expect(mirror.requests.flatMap(({ headers }) => headers.authorization ?? [])).toEqual([]);
  });

  test('a mirror that demands a login is skipped: the registry gets its own credentials', async () => {
    const auth = { kind: 'basic', username: 'user', password: 'canary' } as const;
    const [origin, mirror] = [await start({ auth }), await start({ auth })];
    const flags = ['--mirror', `${origin.host}=${mirror.host}`, '--src-creds', 'user:canary', '-v'];
    const { status, stderr } = await copy(origin.host, flags);
    expect(status).toBe(0);
    expect(stderr).toContain(`not from the mirror ${mirror.host}/app:v1`);
    expect(mirror.requests.flatMap(({ headers }) => headers.authorization ?? [])).toEqual([]);
    expect(origin.requests.some(({ headers }) => headers.authorization !== undefined)).toBe(true);
  });

  test('a value that is not a mirror is wrong usage', async () => {
    expect(await copy('127.0.0.1:1', ['--mirror', 'docker.io'])).toMatchObject({ status: 2 });
  });
});
