/** Images written to an archive that is there: the others stay. */
import { appendFile, chmod, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { buildIndex, digestOf } from '../../support/image-builder.ts';
import { writeTar } from '../../support/model/tar-bytes.ts';
import { never } from '../../support/registry/setup.ts';
import { digestAt, membersOf, newFile, write } from '../../support/store/archives.ts';
import { newForm, oldArchive, oldForm } from '../../support/store/docker-archives.ts';
import {
  bytesStream,
  copy,
  newFolder,
  publish,
  refused,
  smallImage,
  source,
  target,
} from '../../support/store/local.ts';

const one = smallImage({ compress: 'none' });
const two = smallImage({ compress: 'none', seed: 'two' });
const three = smallImage({ compress: 'none', seed: 'three' });

/** Returns the names in both lists of an archive; `-` for an image without a name. */
async function listed(path: string): Promise<{ rows: string[]; docker: string[] | null }> {
  const { json } = await membersOf(path);
  const { manifests } = json('index.json') as { manifests: { annotations?: Record<string, string> }[] };
  const docker = json('manifest.json') as { RepoTags: string[] | null }[] | null;
  return {
    rows: manifests.map(
      ({ annotations = {} }) =>
        annotations['io.containerd.image.name'] ?? annotations['org.opencontainers.image.ref.name'] ?? '-',
    ),
    docker: docker?.flatMap(({ RepoTags }) => RepoTags ?? ['-']) ?? null,
  };
}

describe('an OCI archive', () => {
  test('gets one more image, under another name', async () => {
    const path = await newFile();
    await write(`oci-archive:${path}:v1`, one);
    await write(`oci-archive:${path}:v2`, two);
    await write(`oci-archive:${path}:v3`, two);
    expect(await listed(path)).toEqual({ rows: ['v1', 'v2', 'v3'], docker: null });
    expect(await digestAt(`oci-archive:${path}:v1`)).toBe(one.descriptor.digest);
    expect(await digestAt(`oci-archive:${path}:v2`)).toBe(two.descriptor.digest);
    const { adoptions } = await copy(
      await source(`oci-archive:${path}:v1`),
      await target(`oci:${await newFolder()}:v1`),
    );
    expect(adoptions).toHaveLength(4);
  });

  test('keeps its mode: an archive that is kept from others stays so', async () => {
    const path = await newFile();
    await write(`oci-archive:${path}:v1`, one);
    expect((await stat(path)).mode & 0o777).toBe(0o644);
    await chmod(path, 0o600);
    await write(`oci-archive:${path}:v2`, two);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  test('gets another image under a name that is there, and does not grow', async () => {
    const path = await newFile();
    await write(`oci-archive:${path}:v1`, one);
    const { size } = await stat(path);
    await write(`oci-archive:${path}:v1`, two);
    await write(`oci-archive:${path}:v1`, one);
    expect(await digestAt(`oci-archive:${path}`)).toBe(one.descriptor.digest);
    expect((await stat(path)).size).toBe(size);
  });

  test('keeps indexes with all that they name, and referrers without a name', async () => {
    const folder = await newFolder();
    const path = join(folder, 'images.tar');
    const tree = buildIndex({ images: [one, two], attestations: true });
    await write(`oci-archive:${path}:all`, { ...tree, manifest: tree.index });
    await write(`oci-archive:${path}`, three);
    await write(`oci-archive:${path}:v3`, three);
    expect((await listed(path)).rows).toEqual(['all', '-', 'v3']);
    const { root } = await copy(
      await source(`oci-archive:${path}:all`),
      await target(`oci:${folder}/to:all`),
    );
    expect(root.descriptor.digest).toBe(tree.descriptor.digest);
  });

  test('without a name stays once', async () => {
    const path = await newFile();
    await write(`oci-archive:${path}`, one);
    await write(`oci-archive:${path}`, one);
    expect((await listed(path)).rows).toEqual(['-']);
    await write(`oci-archive:${path}`, two);
    expect((await listed(path)).rows).toEqual(['-', '-']);
  });
});

describe('a Docker archive', () => {
  const forms = {
    'the old form': writeTar(oldArchive(oldForm(one, ['app:v1', 'app:latest']), oldForm(two, null))),
    'the new form': writeTar(
      newForm([
        { tree: one, name: 'app:v1', image: one },
        { tree: two, name: 'other:v1', image: two },
      ]),
    ),
  };

  test('of the old form gets one more image, and becomes one of both forms', async () => {
    const path = await newFile();
    await writeFile(path, forms['the old form']);
    await write(`docker-archive:${path}:x/y:3`, three);
    expect(await listed(path)).toEqual({
      rows: ['docker.io/library/app:v1', 'docker.io/library/app:latest', '-', 'docker.io/x/y:3'],
      docker: ['app:v1', 'app:latest', '-', 'x/y:3'],
    });
    for (const name of ['app:v1', 'app', 'x/y:3']) {
      const opened = await source(`docker-archive:${path}:${name}`);
      const { adoptions } = await copy(opened, await target(`oci:${await newFolder()}:v1`));
      expect(adoptions).toHaveLength(4);
    }
    expect(await digestAt(`docker-archive:${path}:x/y:3`)).toBe(three.descriptor.digest);
  });

  test('of the new form gets one more image, or another one under a name that is there', async () => {
    const path = await newFile();
    await writeFile(path, forms['the new form']);
    await write(`docker-archive:${path}:app:v2`, three);
    expect((await listed(path)).docker).toEqual(['app:v1', 'other:v1', 'app:v2']);
    await write(`docker-archive:${path}:docker.io/library/app:v1`, three);
    expect(await listed(path)).toEqual({
      rows: ['docker.io/library/other:v1', 'docker.io/library/app:v2', 'docker.io/library/app:v1'],
      docker: ['other:v1', 'app:v2', 'docker.io/library/app:v1'],
    });
    expect(await digestAt(`docker-archive:${path}:app:v1`)).toBe(three.descriptor.digest);
    expect(await digestAt(`docker-archive:${path}:other:v1`)).toBe(two.descriptor.digest);
  });

  test('loses one of several names of an image to a new one', async () => {
    const path = await newFile();
    await writeFile(path, forms['the old form']);
    await write(`docker-archive:${path}:app`, three);
    expect((await listed(path)).docker).toEqual(['app:v1', '-', 'app:latest']);
  });

  test('and an OCI archive can be one file', async () => {
    const path = await newFile();
    await write(`docker-archive:${path}:app:1`, one);
    await write(`oci-archive:${path}:1`, two);
    expect(await listed(path)).toEqual({ rows: ['docker.io/library/app:1', '1'], docker: ['app:1'] });
    await write(`docker-archive:${path}:app:2`, three);
    expect(await listed(path)).toEqual({
      rows: ['docker.io/library/app:1', '1', 'docker.io/library/app:2'],
      docker: ['app:1', 'app:2'],
    });
    expect(await digestAt(`docker-archive:${path}:app:1`)).toBe(one.descriptor.digest);
  });
});

describe('what is there is left as it is:', () => {
  test.each([
    ['is no archive', 'ARCHIVE_INVALID', Buffer.from('a letter to grandmother\n'.repeat(100))],
    ['is a tar of other things', 'ARCHIVE_INVALID', writeTar([{ name: 'hello', body: Buffer.from('x') }])],
    ['is a packed tar of other things', 'ARCHIVE_INVALID', gzipSync(writeTar([{ name: 'hello' }]))],
  ] as const)('a file that %s', async (_, code, bytes) => {
    const path = await newFile();
    await writeFile(path, bytes);
    for (const form of ['oci-archive', 'docker-archive'])
      expect(await refused(code, target(`${form}:${path}:v1`))).toMatch(/another (?:one|file)/);
    expect((await readFile(path)).equals(bytes)).toBe(true);
  });

  test('a file that another program has written meanwhile', async () => {
    for (const isThere of [true, false]) {
      const path = await newFile();
      if (isThere) await write(`oci-archive:${path}:v1`, one);
      const opened = await target(`oci-archive:${path}:v2`);
      const staged = await opened.stage(() => bytesStream(two.config), never);
      await staged.commit(digestOf(two.config) as never, two.config.length, never);
      await appendFile(path, 'more');
      const before = await readFile(path);
      expect(await refused('IO', publish(opened, two))).toContain('changed by another program');
      expect((await readFile(path)).equals(before)).toBe(true);
    }
  });

  test('a file whose other images are damaged', async () => {
    const path = await newFile();
    await write(`oci-archive:${path}:v1`, one);
    const bytes = await readFile(path);
    const at = bytes.indexOf(Buffer.from(one.blobs.get(one.layers[0]?.digest ?? '') as Uint8Array));
    bytes[at + 600] = (bytes[at + 600] as number) ^ 1;
    await writeFile(path, bytes);
    await refused('DIGEST_MISMATCH', write(`oci-archive:${path}:v2`, two));
    expect((await readFile(path)).equals(bytes)).toBe(true);
    await write(`oci-archive:${path}:v1`, two);
  });
});

test('an empty file is written as a new one', async () => {
  const path = await newFile();
  await writeFile(path, '');
  await write(`docker-archive:${path}:app:1`, one);
  expect(await digestAt(`docker-archive:${path}`)).toBe(one.descriptor.digest);
});
