/**
 * What every command that writes an image does with layers that it cannot read (foreign, encrypted, of unknown types) and with
 * manifests of Docker's schema 1: kept by their descriptors, or refused with advice before anything is written.
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { callCli } from '../support/cli.ts';
import {
  type BlobDescriptor,
  buildImage,
  type BuiltTree,
  digestOf,
  jsonBytes,
  openLayout,
} from '../support/image-builder.ts';
import { tar } from '../support/model/shorthand.ts';
import { sha256 } from '../support/registry/content.ts';
import type { FakeRegistry } from '../support/registry/fake-registry.ts';
import { hold } from '../support/registry/held-image.ts';
import { startRegistry } from '../support/registry/opened.ts';
import { openScene } from '../support/scene.ts';

const tars = ['base=1', 'app=3', 'top=4'].map((entry) => tar(entry));

type Odd = {
  readonly family?: 'oci' | 'docker';
  /** Whether the blob is elsewhere, so that no place need have it. */
  readonly isElsewhere?: boolean;
  readonly layer: Readonly<Record<string, unknown>>;
};

const urls = ['https://example.test/layer'];
const odd: Readonly<Record<string, Odd>> = {
  foreign: {
    isElsewhere: true,
    layer: { mediaType: 'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip', urls },
  },
  'foreign of Docker': {
    family: 'docker',
    isElsewhere: true,
    layer: { mediaType: 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip', urls },
  },
  'foreign without an address': {
    layer: { mediaType: 'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip' },
  },
  encrypted: {
    layer: {
      mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip+encrypted',
      annotations: {
        'org.opencontainers.image.enc.keys.jwe': 'eyJ9',
        'org.opencontainers.image.enc.pubopts': 'e30',
      },
    },
  },
  'encrypted zstd': { layer: { mediaType: 'application/vnd.oci.image.layer.v1.tar+zstd+encrypted' } },
  unknown: { layer: { mediaType: 'application/vnd.example.layer', 'x-more': 1 } },
};

/** Makes an image of three layers, the lowest of which is odd. */
function imageWith({ family = 'oci', isElsewhere = false, layer }: Odd, more: object = {}): BuiltTree {
  const built = buildImage({ layers: tars, family });
  const manifest = JSON.parse(new TextDecoder().decode(built.manifest)) as { layers: object[] };
  const [lowest, ...others] = manifest.layers;
  const bytes = jsonBytes({ ...manifest, layers: [{ ...lowest, ...layer, ...more }, ...others] });
  const lost = isElsewhere ? [built.layers[0]?.digest] : [];
  const blobs = [...built.blobs].filter(
    ([digest]) => !lost.includes(digest) && digest !== built.descriptor.digest,
  );
  const descriptor = { ...built.descriptor, digest: digestOf(bytes), size: bytes.length };
  return { descriptor, blobs: new Map([...blobs, [descriptor.digest, bytes]]) };
}

const scene = openScene(() =>
  Object.fromEntries(Object.entries(odd).map(([name, each]) => [name.replaceAll(' ', '-'), imageWith(each)])),
);

beforeAll(() => {
  mkdirSync(scene.path('files'));
  writeFileSync(scene.path('files', 'new'), 'new');
});

/** Reads the manifests of images that a layout has under a tag. */
async function manifestsOf(tag: string, layout: string) {
  const { descriptor, blobs } = await openLayout(scene.path(layout), tag);
  const read = (digest: string) =>
    JSON.parse(new TextDecoder().decode(blobs.get(digest))) as {
      layers?: BlobDescriptor[];
      manifests?: BlobDescriptor[];
    };
  const root = read(descriptor.digest);
  return root.manifests === undefined ? [root] : root.manifests.map(({ digest }) => read(digest));
}

/** The commands that write no other contents of the odd layer, and whether they say that it is skipped. */
const keeping: readonly (readonly [name: string, args: readonly string[], isTold: boolean])[] = [
  ['copy', ['copy'], false],
  ['config', ['config', '--label', 'a=b'], false],
  ['append', ['append', '--layer', 'FILES'], false],
  ['build', ['build', '--layer', 'FILES'], false],
  ['recompress', ['recompress', '--compression', 'zstd'], true],
  ['recompress in both formats', ['recompress', '--add-variant', 'zstd'], true],
  ['recompress of other layers', ['recompress', '--compression', 'zstd', '--layers', '2..'], false],
  ['squash of other layers', ['squash', '--last', '2'], false],
];

/** The commands that must read every layer. */
const reading: readonly (readonly [name: string, args: readonly string[]])[] = [
  ['squash', ['squash', '--all']],
  ['prune', ['prune', '--rule', 'app']],
  ['prune of other layers', ['prune', '--rule', 'app', '--layers', '2..']],
  ['slim', ['slim']],
  ['append to a path', ['append', '--layer', 'FILES:/opt']],
];

const withFiles = (args: readonly string[]) => args.map((arg) => arg.replace('FILES', scene.path('files')));

describe.each(Object.entries(odd))('a layer that is %s', (name, { layer, isElsewhere = false }) => {
  const tag = name.replaceAll(' ', '-');

  test.each(keeping)('keeps its descriptor in %s', async (command, args, isTold) => {
    const layout = `kept-${command.replaceAll(' ', '-')}`;
    const [verb = '', ...options] = withFiles(args);
    const { status, stderr } = await callCli([verb, scene.at(tag), scene.at(tag, layout), ...options]);
    expect({ status, stderr }).toMatchObject({ status: 0 });
    expect(stderr.match(/LAYER_SKIPPED/g)?.length ?? 0).toBe(isTold ? 1 : 0);
    const [before] = await manifestsOf(tag, 'layout');
    for (const { layers } of await manifestsOf(tag, layout)) {
      // In a layout, what is Docker's becomes OCI.
      const mediaType = String(layer['mediaType']).replace(
        'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip',
        'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip',
      );
      const lowest = before?.layers?.[0];
      expect(layers?.[0]).toEqual({ ...lowest, mediaType });
      const blob = scene.path(layout, 'blobs', ...(lowest?.digest ?? '').split(':'));
      expect(existsSync(blob)).toBe(!isElsewhere);
    }
  });

  test.each(reading)('is refused with advice by %s, before anything is written', async (_, args) => {
    const [verb = '', ...options] = withFiles(args);
    const { status, stderr } = await callCli([verb, scene.at(tag), scene.at(tag, 'refused'), ...options]);
    expect(status).toBe(1);
    expect(stderr).toMatch(
      /layer 1: it is (?:a non-distributable layer|of the media type ").*\[UNSUPPORTED\]/,
    );
    expect(stderr).toContain('other layers (--layers)');
    expect(stderr.includes('--decryption-key')).toBe(name.startsWith('encrypted'));
    expect(existsSync(scene.path('refused'))).toBe(false);
  });

  test('goes along to an OCI archive, and is refused by one of Docker, which names the other', async () => {
    const archive = `oci-archive:${scene.path(`${tag}.tar`)}:1`;
    await scene.run('copy', scene.at(tag), archive);
    const back = await scene.run('copy', archive, scene.at(tag, 'back'));
    expect(back.stdout).toContain('sha256:');
    const docker = await callCli(['copy', scene.at(tag), `docker-archive:${scene.path('no.tar')}:a:1`]);
    expect([docker.status, docker.stderr]).toEqual([
      1,
      expect.stringContaining('Write an oci-archive: instead'),
    ]);
    expect(existsSync(scene.path('no.tar'))).toBe(false);
  });
});

test.each(keeping)('no address of a foreign layer is asked between registries by %s', async (_, args) => {
  const [registry, elsewhere] = [await startRegistry(), await startRegistry()];
  const address = { urls: [`http://${elsewhere.host}/layer`] };
  const tree = imageWith(odd['foreign of Docker'] as Odd, address);
  hold(registry.repository('app'), tree, '1');
  const [verb = '', ...options] = withFiles(args);
  const to = `${registry.host}/other:1`;
  const { status, stderr } = await callCli([verb, `${registry.host}/app:1`, to, ...options]);
  expect({ status, stderr }).toMatchObject({ status: 0 });
  expect(elsewhere.requests).toEqual([]);
  const content = registry.repository('other');
  const root = content.manifests.get(content.tags.get('1') ?? sha256(Buffer.of()));
  expect(root?.bytes.toString() ?? '').toMatch(/"urls"|"manifests"/);
  expect(uploadsOf(registry)).not.toContain(buildImage({ layers: tars, family: 'docker' }).layers[0]?.digest);
});

/** Returns the digests of all blobs that a client has uploaded. */
function uploadsOf({ requests }: FakeRegistry): readonly string[] {
  return requests.flatMap(({ method, path }) =>
    method === 'PUT' || method === 'POST'
      ? (/digest=([^&]+)/.exec(path)?.slice(1).map(decodeURIComponent) ?? [])
      : [],
  );
}

describe('a manifest of Docker’s schema 1 is refused with advice', () => {
  const types = ['prettyjws', 'json'].map((end) => `application/vnd.docker.distribution.manifest.v1+${end}`);
  const document = {
    schemaVersion: 1,
    name: 'app',
    tag: '1',
    architecture: 'amd64',
    fsLayers: [],
    history: [],
  };
  const cases = [...keeping, ...reading].map(([name, args]) => [name, args] as const);

  test.each(cases)('by %s', async (_, args) => {
    const registry = await startRegistry({ strictAccept: false });
    for (const mediaType of types) {
      const bytes = Buffer.from(JSON.stringify(document));
      const digest = sha256(bytes);
      const app = registry.repository('app');
      app.manifests.set(digest, { mediaType, bytes });
      app.tags.set('1', digest);
      const [verb = '', ...options] = withFiles(args);
      const { status, stderr } = await callCli([
        verb,
        `${registry.host}/app:1`,
        scene.at('schema', 'schema1'),
        ...options,
      ]);
      expect(status).toBe(1);
      expect(stderr).toMatch(/schema 1.*\[UNSUPPORTED\]\n {2}\S/);
      expect(existsSync(scene.path('schema1'))).toBe(false);
    }
  });
});
