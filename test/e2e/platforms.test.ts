/**
 * Commands over an image of two architectures, made of Debian packages that were unpacked and not run. skopeo takes all of each result, umoci unpacks
 * each platform, and an independent validator checks digests, sizes, DiffIDs, history and types.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { removedPaths, rewrite } from '../support/e2e/cli.ts';
import { DockerRegistry } from '../support/e2e/docker-registry.ts';
import { openLayout as openSingle, plainLayout, unpack } from '../support/e2e/judge.ts';
import { removeFolder, run, workFolder } from '../support/e2e/programs.ts';
import { differences, type Listing, listRootfs } from '../support/e2e/rootfs-listing.ts';
import { sample } from '../support/extent.ts';
import { openLayout, validateTree } from '../support/image-builder.ts';

const platforms = ['linux/amd64', 'linux/arm64/v8'];

let work: string;
let source: string;
let digest: string;
const originals = new Map<string, Listing>();

beforeAll(async () => {
  work = workFolder('platforms');
  source = join(inject('images'), 'platforms');
  digest = (await openLayout(source, 'v1')).descriptor.digest;
  mkdirSync(join(work, 'files'));
  writeFileSync(join(work, 'files', 'added.txt'), 'added');
  for (const platform of platforms) originals.set(platform, await listingOf(source, platform));
});
afterAll(() => removeFolder(work));

let count = 0;

/** Lets skopeo take one platform of an image, and umoci unpack it. Returns what a container would see. */
async function listingOf(layout: string, platform: string): Promise<Listing> {
  const folder = join(work, `judged${count++}`);
  mkdirSync(folder);
  const [, architecture = ''] = platform.split('/');
  const choice = ['--override-os', 'linux', '--override-arch', architecture];
  await run('skopeo', [
    '--insecure-policy',
    ...choice,
    'copy',
    '-q',
    `oci:${layout}:v1`,
    `oci:${folder}/one:v1`,
  ]);
  await unpack(
    (await plainLayout(await openSingle(`${folder}/one`), `${folder}/plain`)).layout,
    `${folder}/root`,
  );
  const listing = await listRootfs(`${folder}/root`);
  removeFolder(folder);
  return listing;
}

interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
}

/** An index, a manifest or a config, as far as the tests read it. */
interface Document extends Platform {
  readonly config?: { readonly digest: string };
  readonly manifests?: readonly {
    readonly platform: Platform;
    readonly annotations?: Readonly<Record<string, string>>;
  }[];
}

/** What an index has: its platforms, in their order, with the mark of a variant in zstd, and whether it has an attestation. */
async function rowsOf(layout: string): Promise<readonly string[]> {
  const tree = await openLayout(layout, 'v1');
  expect(validateTree(tree)).toEqual([]);
  const read = (bytes: Uint8Array | undefined) => JSON.parse(new TextDecoder().decode(bytes)) as Document;
  const root = read(tree.blobs.get(tree.descriptor.digest));
  // One platform alone is an image without an index.
  const { manifests = [{ platform: read(tree.blobs.get(root.config?.digest ?? '')) }] } = root;
  return manifests.map(({ platform: { os, architecture, variant }, annotations = {} }) => {
    const isZstd = annotations['io.github.containers.compression.zstd'] === 'true';
    return (
      [os, architecture, ...(variant === undefined ? [] : [variant])].join('/') + (isZstd ? ' zstd' : '')
    );
  });
}

interface Row {
  readonly name: string;
  readonly args: readonly string[];
  /** The rows of the result. Default: those of the images, without the attestation. */
  readonly rows?: readonly string[];
  /** What the result has that the source lacks. */
  readonly added?: readonly string[];
}

const attestation = 'unknown/unknown';
const commands: readonly Row[] = [
  { name: 'squash', args: ['squash', '--all'] },
  { name: 'prune', args: ['prune', '--preset', 'docs', '--preset', 'apt-cache'] },
  { name: 'recompress', args: ['recompress', '--compression', 'zstd', '--level', '3'] },
  { name: 'slim', args: ['slim'] },
  { name: 'config', args: ['config', '--label', 'a=b', '--entrypoint', '["/app/run.sh"]'] },
  { name: 'append', args: ['append', '--layer', 'FILES'], added: ['added.txt'] },
  {
    name: 'append to one platform',
    args: ['append', '--layer', 'FILES:/srv', '--platform', 'linux/arm64'],
    rows: ['linux/arm64/v8'],
    added: ['srv', 'srv/added.txt'],
  },
  {
    name: 'recompress in both formats',
    args: ['recompress', '--add-variant', 'zstd:3'],
    rows: [...platforms, attestation, ...platforms.map((platform) => `${platform} zstd`)],
  },
  { name: 'copy', args: ['copy'], rows: [...platforms, attestation] },
];

describe.each(sample(commands, 5))(
  '$name over two architectures',
  ({ name, args, rows = platforms, added = [] }) => {
    it('makes an image that others read whole, with the same files on each platform but those that it names', async () => {
      const out = join(work, name.replaceAll(' ', '-'));
      const report = `${out}.json`;
      const [command = '', ...options] = args.map((arg) => arg.replace('FILES', join(work, 'files')));
      const made = await rewrite([
        command,
        `oci:${source}:v1`,
        `oci:${out}:v1`,
        ...options,
        '--report',
        report,
      ]);
      expect(made === digest).toBe(command === 'copy');
      expect(await rowsOf(out)).toEqual(rows);
      await run('skopeo', ['--insecure-policy', 'copy', '-q', '--all', `oci:${out}:v1`, `dir:${out}.dir`]);
      const removed = await removedPaths(report);
      expect(removed.size > 0).toBe(['prune', 'slim'].includes(command));
      for (const platform of platforms.filter((each) => rows.includes(each))) {
        const listing = new Map(await listingOf(out, platform));
        for (const path of added) expect(listing.delete(path), path).toBe(true);
        expect(differences(originals.get(platform) as Listing, listing, removed), platform).toEqual([]);
      }
      // A second run over the result changes nothing that a first one has not.
      if (command === 'append') return;
      const again = await rewrite([command, `oci:${out}:v1`, `oci:${out}:again`, ...options]);
      expect(again).toBe(made);
    });
  },
);

it('an image of two architectures goes through docker-registry unchanged, and is rewritten within it', async () => {
  const registry = await DockerRegistry.start();
  try {
    const at = `${registry.host}/platforms:v1`;
    expect(await rewrite(['copy', `oci:${source}:v1`, at])).toBe(digest);
    const back = join(work, 'back');
    await run('skopeo', [
      '--insecure-policy',
      'copy',
      '-q',
      '--all',
      '--preserve-digests',
      '--src-tls-verify=false',
      `docker://${at}`,
      `oci:${back}:v1`,
    ]);
    expect((await openLayout(back, 'v1')).descriptor.digest).toBe(digest);
    const made = await rewrite(['config', at, `${registry.host}/platforms:v2`, '--user', '1000']);
    expect(await rewrite(['copy', `${registry.host}/platforms:v2`, `oci:${back}2:v1`])).toBe(made);
    expect(await rowsOf(`${back}2`)).toEqual(platforms);
  } finally {
    await registry.stop();
  }
});
