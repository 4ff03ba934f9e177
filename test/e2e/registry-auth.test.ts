import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { ocislim, rewrite } from '../support/e2e/cli.ts';
import { DockerRegistry, mountedBlobs, uploadedBlobs } from '../support/e2e/docker-registry.ts';
import { inspectRaw, push } from '../support/e2e/judge.ts';
import { removeFolder, workFolder } from '../support/e2e/programs.ts';

const images = inject('images');
const credentials = 'reader:p:äss wörd';
const users = { reader: 'p:äss wörd' };

let work: string;

beforeAll(() => {
  work = workFolder('auth');
});

afterAll(() => removeFolder(work));

/** Makes a folder for `DOCKER_CONFIG`, with a login for one registry. */
function dockerConfig(name: string, host: string): string {
  const folder = join(work, name);
  mkdirSync(folder);
  const auth = Buffer.from(credentials).toString('base64');
  writeFileSync(join(folder, 'config.json'), JSON.stringify({ auths: { [host]: { auth } } }));
  return folder;
}

describe.each([
  ['Basic', { users }],
  ['tokens', { tokens: { users, seconds: 60 } }],
] as const)('a registry that wants %s', (kind, options) => {
  let registry: DockerRegistry;
  let source: string;

  beforeAll(async () => {
    registry = await DockerRegistry.start(options);
    source = `${registry.host}/real/nginx:v1`;
    await push(`oci:${images}/nginx:v1`, source, credentials);
  });

  afterAll(() => registry?.stop());

  it('takes --creds for both sides, and mounts the layers that stay', async () => {
    const target = `${registry.host}/out/creds:v1`;
    const { requests } = await registry.during(() =>
      rewrite(['squash', source, target, '--last', '2', '--creds', credentials]),
    );
    const { layers } = await inspectRaw(target, credentials);
    const { layers: before } = await inspectRaw(source, credentials);
    expect(layers).toHaveLength(before.length - 1);
    expect(mountedBlobs(requests)).toContain(before[0]?.digest);
    expect(uploadedBlobs(requests)).not.toContain(before[0]?.digest);
  });

  it("takes the login of Docker's config.json", async () => {
    const env = { DOCKER_CONFIG: dockerConfig(kind, registry.host) };
    const target = `${registry.host}/out/config:v1`;
    await rewrite(['squash', source, target, '--last', '2'], env);
    expect((await inspectRaw(target, credentials)).layers.length).toBeGreaterThan(1);
  });

  it.each([
    ['nobody', []],
    ['a wrong password', ['--creds', 'reader:wrong-secret']],
  ])('refuses %s, and says so without the password', async (_who, flags) => {
    const target = `${registry.host}/out/refused:v1`;
    const { status, stdout, stderr } = await ocislim(['squash', source, target, '--last', '2', ...flags]);
    expect(status).toBe(1);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/log ?in|credential|unauthori[sz]ed|401|denied/i);
    expect(stderr).not.toContain('wrong-secret');
    await expect(inspectRaw(target, credentials)).rejects.toThrow(/unknown/i);
  });
});

it('gets new tokens when the old ones end in the middle of the work', async () => {
  const registry = await DockerRegistry.start({ tokens: { users, seconds: 2 } });
  try {
    const source = `${registry.host}/real/nginx:v1`;
    await push(`oci:${images}/nginx:v1`, source, credentials);
    const before = registry.tokens?.issued() ?? 0;
    const target = `${registry.host}/out/nginx:v1`;
    // This takes far longer than the lifetime of a token.
    await rewrite([
      'recompress',
      source,
      target,
      '--compression',
      'gzip',
      '--level',
      '6',
      '--creds',
      credentials,
    ]);
    expect((registry.tokens?.issued() ?? 0) - before).toBeGreaterThan(2);
    expect((await inspectRaw(target, credentials)).layers).toHaveLength(
      (await inspectRaw(source, credentials)).layers.length,
    );
  } finally {
    await registry.stop();
  }
});
