import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { ocislim, rewrite } from '../support/e2e/cli.ts';
import { DockerRegistry, fetchedBlobs, mountedBlobs } from '../support/e2e/docker-registry.ts';
import { inspectRaw, push } from '../support/e2e/judge.ts';
import { removeFolder, workFolder } from '../support/e2e/programs.ts';
import { makeAuthority, writePkcs12 } from '../support/registry/authority.ts';

const images = inject('images');
const users = { pusher: 'secret' };
const credentials = 'pusher:secret';
const authority = makeAuthority('The CA of the end-to-end tests');

let work: string;
let certDir: string;

beforeAll(() => {
  work = workFolder('tls');
  certDir = folderOf('certs', { 'ca.crt': authority.cert });
});

afterAll(() => removeFolder(work));

function folderOf(name: string, files: Readonly<Record<string, string | Uint8Array>>): string {
  const folder = join(work, name);
  mkdirSync(folder, { recursive: true });
  for (const [file, content] of Object.entries(files)) writeFileSync(join(folder, file), content);
  return folder;
}

describe('a registry behind TLS and a password', () => {
  let registry: DockerRegistry;
  let source: string;

  beforeAll(async () => {
    registry = await DockerRegistry.start({ users, tls: authority.issue() });
    source = `${registry.host}/real/nginx:v1`;
    await push(`oci:${images}/nginx:v1`, source, credentials);
  });

  afterAll(() => registry?.stop());

  it.each(['--cert-dir', 'certs.d', 'SSL_CERT_FILE'])(
    'is trusted by %s: squash, with mounts',
    async (way) => {
      const home = join(work, 'home');
      folderOf(`home/.docker/certs.d/${registry.host}`, { 'ca.crt': authority.cert });
      const env = {
        '--cert-dir': {},
        'certs.d': { HOME: home },
        SSL_CERT_FILE: { SSL_CERT_FILE: join(certDir, 'ca.crt') },
      }[way];
      const flags = way === '--cert-dir' ? [way, certDir] : [];
      const target = `${registry.host}/out/${way.replaceAll(/[^a-z]/gi, '').toLowerCase()}:v1`;
      const { requests } = await registry.during(() =>
        rewrite(['squash', source, target, '--last', '2', '--creds', credentials, ...flags], env),
      );
      const { layers: before } = await inspectRaw(source, credentials);
      expect((await inspectRaw(target, credentials)).layers).toHaveLength(before.length - 1);
      expect(mountedBlobs(requests)).toContain(before[0]?.digest);
    },
  );

  it('is refused otherwise, before any password is sent', async () => {
    const target = `${registry.host}/out/refused:v1`;
    const { result, requests } = await registry.during(() =>
      ocislim(['squash', source, target, '--last', '2', '--creds', credentials]),
    );
    expect(result.status).toBe(1);
    expect(result.stderr).toContain('issued by CN=The CA of the end-to-end tests, which is not known here');
    expect(requests).toEqual([]);
  });
});

describe('a registry that wants a client certificate', () => {
  const client = { ca: authority.cert, ...authority.issue({ names: [], commonName: 'a client' }) };
  let registry: DockerRegistry;

  beforeAll(async () => {
    registry = await DockerRegistry.start({ tls: { ...authority.issue(), clients: client } });
  });

  afterAll(() => registry?.stop());

  it.each(['PEM', 'aes256', '3des'] as const)('gets one (%s), and the image', async (form) => {
    const target = `${registry.host}/real/nginx-${form.toLowerCase()}:v1`;
    const pair = folderOf('pair', { 'ca.crt': authority.cert, 'me.cert': client.cert, 'me.key': client.key });
    const p12 =
      form === 'PEM'
        ? ''
        : join(folderOf('p12', { [`${form}.p12`]: writePkcs12(client, 'word', form) }), `${form}.p12`);
    const flags = form === 'PEM' ? ['--cert-dir', pair] : ['--cert-dir', certDir, '--client-p12', p12];
    const { requests } = await registry.during(() =>
      rewrite(['copy', `oci:${images}/nginx:v1`, target, ...flags], {
        OCISLIM_CLIENT_P12_PASSPHRASE: 'word',
      }),
    );
    expect(requests).toContainEqual(
      expect.objectContaining({
        method: 'PUT',
        path: expect.stringContaining('/manifests/v1') as string,
        status: 201,
      }),
    );
  });

  it('says what it wants when it gets none', async () => {
    const { status, stderr } = await ocislim([
      'copy',
      `oci:${images}/nginx:v1`,
      `${registry.host}/real/nginx:v1`,
      '--cert-dir',
      certDir,
    ]);
    expect(status).toBe(1);
    expect(stderr).toContain('client certificate');
    expect(stderr).toContain('--client-p12');
  });
});

it('a mirror is read, the registry is mounted from and written to', async () => {
  const [origin, mirror] = [await DockerRegistry.start(), await DockerRegistry.start()];
  try {
    const source = `${origin.host}/real/nginx:v1`;
    await push(`oci:${images}/nginx:v1`, source);
    await push(`oci:${images}/nginx:v1`, `${mirror.host}/cache/real/nginx:v1`);
    const flags = ['--last', '2', '--mirror', `${origin.host}=${mirror.host}/cache`];
    const { result, requests } = await origin.during(() =>
      mirror.during(() => rewrite(['squash', source, `${origin.host}/out/nginx:v1`, ...flags])),
    );
    expect(fetchedBlobs(result.requests).size).toBeGreaterThan(1);
    expect(result.requests.filter(({ method }) => method !== 'GET' && method !== 'HEAD')).toEqual([]);
    expect([...fetchedBlobs(requests)]).toEqual([]);
    const { layers: before } = await inspectRaw(source);
    expect(mountedBlobs(requests)).toContain(before[0]?.digest);
    const direct = await rewrite(['squash', source, `${origin.host}/out/direct:v1`, '--last', '2']);
    expect(direct).toBe(result.result);
  } finally {
    await origin.stop();
    await mirror.stop();
  }
});
