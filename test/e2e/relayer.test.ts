/**
 * Relayered images, judged by other programs: umoci unpacks them to the same files, and skopeo, which has the version before, fetches of the
 * next one as many bytes from a registry as `diff` says. Every run takes the smallest image, `npm run test:all` the large ones, too.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { diffSchema } from '../../src/report/diff/schema.ts';
import { ocislim, rewrite } from '../support/e2e/cli.ts';
import { DockerRegistry, fetchedBlobs } from '../support/e2e/docker-registry.ts';
import { type LayoutImage, openLayout, plainLayout, pull, unpack } from '../support/e2e/judge.ts';
import { removeFolder, run, workFolder } from '../support/e2e/programs.ts';
import { differences, type Listing, listRootfs } from '../support/e2e/rootfs-listing.ts';
import { isWhole } from '../support/extent.ts';

let work: string;
let registry: DockerRegistry;

beforeAll(async () => {
  work = workFolder('relayer');
  registry = await DockerRegistry.start();
});

afterAll(async () => {
  await registry?.stop();
  removeFolder(work);
});

const image = (name: string): string => `oci:${inject('images')}/${name}:v1`;

let count = 0;

/** Lets skopeo take one platform of an image. Returns the image with plain layers, which has checked all DiffIDs. */
async function judged(source: string, architecture: string): Promise<LayoutImage> {
  const folder = join(work, `judged${count++}`);
  mkdirSync(folder);
  const choice = ['--override-os', 'linux', '--override-arch', architecture];
  await run('skopeo', ['--insecure-policy', ...choice, 'copy', '-q', source, `oci:${folder}/one:v1`]);
  return plainLayout(await openLayout(`${folder}/one`), `${folder}/plain`);
}

async function listingOf({ layout }: LayoutImage): Promise<Listing> {
  await unpack(layout, `${layout}/root`);
  const listing = await listRootfs(`${layout}/root`);
  removeFolder(`${layout}/root`);
  return listing;
}

interface Assignment {
  readonly layers: readonly (readonly string[])[];
}

/** Returns which components the config of an image says are in which layer. */
function assignmentOf({ config }: LayoutImage): Assignment {
  const { config: runtime } = config as unknown as { config: { Labels: Record<string, string> } };
  return JSON.parse(runtime.Labels['io.ocislim.layers'] ?? '') as Assignment;
}

const cases = [
  { name: 'platforms', architectures: ['amd64', 'arm64'], most: 6, limit: 300_000 },
  ...(isWhole ? ['nginx', 'python', 'node'] : []).map((name) => ({
    name,
    architectures: ['amd64'],
    most: 24,
    limit: 20_000_000,
  })),
];

describe.each(cases)('$name, laid out again,', ({ name, architectures, most, limit }) => {
  it('unpacks to the same files by umoci, within the limits of layers', async () => {
    const target = join(work, name);
    const limits = ['--max-layers', `${most}`, '--max-layer', `${limit}`];
    await rewrite(['relayer', image(name), `oci:${target}:v1`, ...limits]);
    for (const architecture of architectures) {
      const before = await judged(image(name), architecture);
      const after = await judged(`oci:${target}:v1`, architecture);
      const { layers } = after.manifest;
      expect(layers.length).toBeGreaterThan(2);
      expect(layers.length).toBeLessThanOrEqual(most);
      // Where there are layers to spare, a layer over the limit has one component, of one file.
      if (layers.length < most)
        for (const [i, { size }] of layers.entries())
          if (size > 1.02 * limit) expect(assignmentOf(after).layers[i]).toHaveLength(1);
      expect(differences(await listingOf(before), await listingOf(after))).toEqual([]);
    }
  });

  it('has the next version of which skopeo fetches as many bytes as diff says, and few', async () => {
    const [first, second] = [`${registry.host}/${name}:1`, `${registry.host}/${name}:2`];
    writeFileSync(join(work, 'release'), `the second of ${name}`);
    await rewrite([
      'append',
      image(name),
      `oci:${join(work, 'next')}:${name}`,
      '--layer',
      `${work}/release:/etc/`,
    ]);
    await rewrite(['relayer', image(name), first]);
    await rewrite(['relayer', `oci:${join(work, 'next')}:${name}`, '-t', second, '--previous', first]);
    const store = join(work, `store-${name}`);
    await pull(`docker://${first}`, store);
    const { requests } = await registry.during(() => pull(`docker://${second}`, store));
    const { manifest } = await openLayout(store);
    const sizes = new Map([manifest.config, ...manifest.layers].map(({ digest, size }) => [digest, size]));
    const bytes = [...fetchedBlobs(requests)].reduce((sum, digest) => sum + (sizes.get(digest) ?? 0), 0);
    const said = await ocislim([
      'diff',
      first,
      second,
      '--summary',
      '--format',
      'json',
      '--platform',
      'linux/amd64',
    ]);
    const { platforms } = diffSchema.parse(JSON.parse(said.stdout));
    expect(platforms[0]?.downloads[0]).toMatchObject({ model: 'blob', transferBytes: bytes });
    const whole = [...sizes.values()].reduce((sum, size) => sum + size, 0);
    expect(bytes).toBeGreaterThan(0);
    expect(bytes).toBeLessThan(whole / 2);
  });
});

// A test that is skipped counts as failed, so this one is not there unless everything is tested.
const largeBases = isWhole ? ['nginx-base'] : [];
it.each(largeBases)('layers of the base %s stay, blob by blob', async (name) => {
  const base = await openLayout(join(inject('images'), name));
  const target = join(work, 'above');
  await rewrite(['relayer', image('nginx'), `oci:${target}:v1`, '--base', image(name), '--max-layers', '20']);
  const { manifest, config } = await openLayout(target);
  const lowest = base.manifest.layers.length;
  expect(manifest.layers.slice(0, lowest)).toEqual(base.manifest.layers);
  expect(config.rootfs.diff_ids.slice(0, lowest)).toEqual(base.config.rootfs.diff_ids);
  expect(manifest.layers.length).toBeGreaterThan(lowest);
  expect(manifest.layers.length).toBeLessThanOrEqual(20);
  for (const { digest } of base.manifest.layers) {
    const path = join('blobs', ...digest.split(':'));
    const [was, is] = await Promise.all(
      [join(inject('images'), name), target].map((folder) => readFile(join(folder, path))),
    );
    expect(is?.equals(was as Buffer)).toBe(true);
  }
});
