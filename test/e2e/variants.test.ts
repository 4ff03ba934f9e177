import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { rewrite } from '../support/e2e/cli.ts';
import { DockerRegistry } from '../support/e2e/docker-registry.ts';
import { inspectRaw } from '../support/e2e/judge.ts';
import { removeFolder, run, workFolder } from '../support/e2e/programs.ts';

// An image in gzip and zstd, judged by a registry and by skopeo.
let work: string;
let registry: DockerRegistry;

beforeAll(async () => {
  work = workFolder('variants');
  registry = await DockerRegistry.start();
});

afterAll(async () => {
  await registry?.stop();
  removeFolder(work);
});

async function skopeo(...args: readonly string[]): Promise<void> {
  await run('skopeo', ['--insecure-policy', 'copy', '--src-tls-verify=false', ...args]);
}

/** Returns the digests of the rows of a layout. */
async function rowsOf(name: string): Promise<readonly string[]> {
  const text = await readFile(join(work, name, 'index.json'), 'utf8');
  return (JSON.parse(text) as { manifests: { digest: string }[] }).manifests.map(({ digest }) => digest);
}

it('skopeo copies an image in gzip and zstd from a registry, as ocislim does', async () => {
  const source = `oci:${inject('images')}/busybox`;
  const both = `${registry.host}/app:both`;
  await rewrite(['recompress', source, both, '--add-variant', 'zstd:9']);
  const index = (await inspectRaw(both)) as unknown as { manifests: readonly { digest: string }[] };
  expect(index.manifests).toHaveLength(2);
  await skopeo('--all', `docker://${both}`, `oci:${join(work, 'all')}:app`);
  await rewrite(['copy', both, `oci:${join(work, 'back')}:app`]);
  const rows = await Promise.all(['all', 'back'].map(rowsOf));
  expect(rows[0]).toEqual(rows[1]);
});
