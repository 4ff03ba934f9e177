import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { OcislimError } from '../../src/errors.ts';
import type { Digest } from '../../src/oci/digest.ts';
import { type AccessEntry, serveRegistry } from '../../src/store/server/serve-registry.ts';
import {
  type BuiltTree,
  buildIndex,
  digestOf,
  openLayout,
  validateTree,
  writeLayout,
} from '../support/image-builder.ts';
import { drain, never, noise } from '../support/registry/setup.ts';
import {
  afterwards,
  brokenStream,
  bytesStream,
  copy,
  descriptorOf,
  listFiles,
  newFolder,
  refused,
  smallImage,
  source,
  target,
  layerOf,
  blobPath,
} from '../support/store/local.ts';
import { Secret } from '../../src/registry/auth/secret.ts';

const plain = smallImage({ compress: 'none' });
const packed = smallImage({ compress: ['gzip', 'zstd', 'none'] });
const docker = smallImage({ family: 'docker', seed: 'docker' });
const index = buildIndex({ images: [packed, smallImage({ seed: 'arm' })], attestations: true });

async function serve(auth?: { username: string; password: string }) {
  const layoutDir = join(await newFolder(), 'images');
  const log: AccessEntry[] = [];
  const server = await serveRegistry({
    layoutDir,
    signal: never,
    accessLog: (entry) => log.push(entry),
    ...(auth === undefined ? {} : { auth }),
  });
  afterwards(() => server.close());
  return { server, layoutDir, log };
}

describe.each([
  ['plain layers', plain],
  ['packed layers', packed],
  ['Docker media types', docker],
  ['an index and attestations', index],
] as readonly (readonly [string, BuiltTree])[])('images with %s', (_, built) => {
  const kinds = ['layout', 'oci-archive', 'registry', ...(built === plain ? ['docker-archive'] : [])];
  const pairs = kinds.flatMap((from) => kinds.map((to) => [from, to] as const));

  test.each(pairs)('are copied unchanged from %s to %s', async (from, to) => {
    const folder = await newFolder();
    await writeLayout(join(folder, 'origin'), { v1: built });
    const place = async (kind: string, name: string): Promise<string> => {
      switch (kind) {
        case 'layout':
          return `oci:${folder}/${name}:v1`;
        case 'oci-archive':
          return `oci-archive:${folder}/${name}.tar:v1`;
        case 'docker-archive':
          return `docker-archive:${folder}/${name}.tar:app:v1`;
        default:
          return `${(await serve()).server.host}/team/app:v1`;
      }
    };
    const [first, second] = [await place(from, 'first'), await place(to, 'second')];
    await copy(await source(`oci:${folder}/origin:v1`), await target(first));
    const { root } = await copy(await source(first), await target(second));
    expect(root.descriptor.digest).toBe(built.descriptor.digest);
    await copy(await source(second), await target(`oci:${folder}/end:v1`));
    const end = await openLayout(join(folder, 'end'), 'v1');
    expect(validateTree(end)).toEqual([]);
    expect([...end.blobs.keys()].toSorted()).toEqual([...built.blobs.keys()].toSorted());
  });
});

describe('the registry client and the embedded registry', () => {
  test('blobs are mounted within one registry, without a transfer', async () => {
    const { server, log } = await serve();
    const folder = await newFolder();
    await writeLayout(folder, { v1: packed });
    await copy(await source(`oci:${folder}:v1`), await target(`${server.host}/one:v1`));
    log.length = 0;
    const { adoptions } = await copy(
      await source(`${server.host}/one:v1`),
      await target(`${server.host}/two:v1`),
    );
    expect(new Set(adoptions)).toEqual(new Set(['mounted']));
    const blobBytes = log.filter(({ path }) => path.includes('/blobs/'));
    expect(blobBytes.reduce((sum, { received, sent }) => sum + received + sent, 0)).toBe(0);
    expect(
      (await copy(await source(`${server.host}/one:v1`), await target(`${server.host}/two:v2`))).adoptions,
    ).toEqual(adoptions.map(() => 'present'));
  });

  test('a stream of unknown length is staged; one that fails or is aborted leaves nothing', async () => {
    const { server, layoutDir } = await serve();
    const opened = await target(`${server.host}/app:v1`);
    const bytes = noise(20_000_000);
    const digest = digestOf(bytes) as Digest;
    const staged = await opened.stage(() => bytesStream(bytes.subarray(0, 7), bytes.subarray(7)), never);
    await staged.commit(digest, bytes.length, never);
    const descriptor = descriptorOf({ mediaType: 'x/y', digest, size: bytes.length });
    expect(
      Buffer.compare(await drain((await source(`${server.host}/app:v1`)).blob(descriptor, never)), bytes),
    ).toBe(0);
    const other = noise(20_000_000, 9);
    await expect(opened.stage(() => brokenStream(other), never)).rejects.toThrow('went dead');
    await (await opened.stage(() => bytesStream(other), never)).abort();
    expect(await listFiles(layoutDir)).toEqual(
      [`blobs/${digest.replace(':', '/')}`, 'index.json', 'oci-layout'].toSorted(),
    );
    await refused('NOT_FOUND', (await source(`${server.host}/app:v1`)).root(never));
  });

  test('a blob that was changed on disk is refused', async () => {
    const { server, layoutDir } = await serve();
    const folder = await newFolder();
    await writeLayout(folder, { v1: packed });
    await copy(await source(`oci:${folder}:v1`), await target(`${server.host}/app:v1`));
    const layer = layerOf(packed);
    const path = blobPath(layoutDir, layer.digest);
    const bytes = await readFile(path);
    bytes[30] = (bytes[30] as number) ^ 1;
    await writeFile(path, bytes);
    await refused('DIGEST_MISMATCH', drain((await source(`${server.host}/app:v1`)).blob(layer, never)));
  });

  test('referrers are found by their subject', async () => {
    const { server } = await serve();
    const folder = await newFolder();
    await writeLayout(folder, { v1: packed });
    await copy(await source(`oci:${folder}:v1`), await target(`${server.host}/app:v1`));
    const opened = await source(`${server.host}/app:v1`);
    expect(await opened.referrers(packed.descriptor.digest as Digest, never)).toEqual([]);
    const json = JSON.parse(Buffer.from(packed.manifest).toString()) as object;
    const bytes = new TextEncoder().encode(
      JSON.stringify({ ...json, artifactType: 'application/x', subject: packed.descriptor }),
    );
    const artifact = descriptorOf({
      mediaType: packed.descriptor.mediaType,
      digest: digestOf(bytes),
      size: bytes.length,
    });
    await (await target(`${server.host}/app:other`)).putManifest({ descriptor: artifact, bytes }, never);
    const found = await opened.referrers(packed.descriptor.digest as Digest, never);
    expect(found.map(({ digest }) => digest)).toEqual([artifact.digest]);
  });

  test('a password is asked for, and accepted', async () => {
    const { server } = await serve({ username: 'me', password: 'secret' });
    const tagged = `${server.host}/app:v1`;
    await refused('UNAUTHORIZED', (await source(tagged)).root(never));
    const credentials = async () => ({
      kind: 'basic' as const,
      username: 'me',
      password: new Secret('secret'),
    });
    await refused('NOT_FOUND', (await source(tagged, { credentials })).root(never));
  });
});

test('an error names the source or the destination', async () => {
  const folder = await newFolder();
  const error = await (await source(`oci:${folder}/none:v1`)).root(never).catch((reason: unknown) => reason);
  expect((error as OcislimError).message).toMatch(/^source oci:/);
  await writeLayout(join(folder, 'a'), { v1: plain });
  const opened = await target(`oci:${folder}/b:v1`);
  const manifest = { descriptor: descriptorOf(plain.descriptor), bytes: plain.manifest };
  expect(await refused('ARCHIVE_INVALID', opened.publish(manifest, never))).toMatch(/^destination oci:/);
});
