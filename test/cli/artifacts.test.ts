import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { reportSchema } from '../../src/report/schema.ts';
import { artifacts, artifactOf, blobOf, imageFor, indexOf, sha512 } from '../support/artifacts.ts';
import { startRegistry } from '../support/registry/opened.ts';
import { callCli, pipeCli } from '../support/cli.ts';
import { type BlobDescriptor, type BuiltTree, writeLayout } from '../support/image-builder.ts';
import { newFolder } from '../support/store/local.ts';
import { serve } from '../support/store/serving.ts';

async function copy(from: string, to: string, ...options: string[]): Promise<string> {
  const { status, stderr } = await callCli(['copy', from, to, ...options]);
  expect({ status, stderr }, `${from} → ${to}`).toMatchObject({ status: 0 });
  return stderr;
}

/** Returns the rows of a layout by their tags. */
async function rowsOf(folder: string): Promise<readonly BlobDescriptor[]> {
  return (JSON.parse(await readFile(join(folder, 'index.json'), 'utf8')) as { manifests: BlobDescriptor[] })
    .manifests;
}

/** Expects a layout to hold all of a tree under one row. */
async function expectWhole(folder: string, { descriptor, blobs }: BuiltTree): Promise<void> {
  expect((await rowsOf(folder)).map(({ digest, mediaType }) => [digest, mediaType])).toEqual([
    [descriptor.digest, descriptor.mediaType],
  ]);
  for (const [digest, bytes] of blobs)
    expect(new Uint8Array(await readFile(join(folder, 'blobs', ...digest.split(':')))), digest).toEqual(
      bytes,
    );
}

describe('copy takes all of it, byte for byte, between layouts, archives and registries', () => {
  test.each(Object.entries(artifacts))('of %s', async (_, tree) => {
    const folder = await newFolder();
    const { host } = await serve();
    await writeLayout(join(folder, 'in'), { x: tree });
    await copy(`oci:${folder}/in:x`, `oci:${folder}/layout:x`);
    await expectWhole(join(folder, 'layout'), tree);
    await copy(`oci:${folder}/in:x`, `oci-archive:${folder}/x.tar:x`);
    await copy(`oci-archive:${folder}/x.tar:x`, `${host}/app:x`);
    await copy(`${host}/app:x`, `${host}/other:y`);
    await copy(`${host}/other:y`, `oci:${folder}/out:x`);
    await expectWhole(join(folder, 'out'), tree);
  });
});

test('documents and blobs with digests of sha512 go through a registry and archives, beside others', async () => {
  const folder = await newFolder();
  const { host } = await serve();
  const tree = indexOf([sha512, blobOf('text/plain', 'short'), blobOf('text/plain', 'long', {}, 'sha512')]);
  await writeLayout(join(folder, 'in'), { x: tree });
  await copy(`oci:${folder}/in:x`, `oci-archive:${folder}/x.tar:x`);
  await copy(`oci:${folder}/in:x`, `oci-archive:${folder}/x.tar:y`);
  await copy(`oci-archive:${folder}/x.tar:y`, `${host}/app:x`);
  await copy(`${host}/app:x`, `oci-archive:${folder}/x.tar:x`);
  const { stdout } = await pipeCli(['copy', `oci-archive:${folder}/x.tar:x`, 'oci-archive:-'], null);
  const args = ['copy', 'oci-archive:-', `oci:${folder}/out:x`];
  expect(await pipeCli(args, stdout)).toMatchObject({ status: 0 });
  await expectWhole(join(folder, 'out'), tree);
});

test('a registry that refuses the type of a row gets it as a blob, with a warning', async () => {
  const folder = await newFolder();
  const fake = await startRegistry({
    refusedTypes: ['application/vnd.cncf.oras.artifact.manifest.v1+json'],
  });
  await writeLayout(join(folder, 'in'), { x: artifacts['an artifact manifest in an index'] as BuiltTree });
  const stderr = await copy(`oci:${folder}/in:x`, `${fake.host}/app:x`);
  await copy(`${fake.host}/app:x`, `oci:${folder}/out:x`);
  await expectWhole(join(folder, 'out'), artifacts['an artifact manifest in an index'] as BuiltTree);
  expect(stderr).toMatch(
    /is there as a blob only: .* takes no manifests of the type "application\/vnd\.cncf/,
  );
});

test('the report of an artifact that was copied has no image, and is one of the schema', async () => {
  const folder = await newFolder();
  await writeLayout(join(folder, 'in'), { x: artifacts['a chart'] as BuiltTree });
  const file = join(folder, 'report.json');
  await copy(`oci:${folder}/in:x`, `oci:${folder}/out:x`, '--report', file);
  expect(reportSchema.parse(JSON.parse(await readFile(file, 'utf8'))).platforms).toEqual([]);
});

test('the bytes of an artifact that was copied are counted, and said', async () => {
  const folder = await newFolder();
  const { host } = await serve();
  await writeLayout(join(folder, 'in'), { x: artifacts['a chart'] as BuiltTree });
  const report = join(folder, 'report.json');
  const first = await copy(`oci:${folder}/in:x`, `${host}/app:x`, '--report', report);
  expect(first).toContain('copied as it is, byte for byte');
  const { transfer } = JSON.parse(await readFile(report, 'utf8')) as { transfer: { copiedBytes: number } };
  expect(transfer.copiedBytes).toBeGreaterThan(0);
  expect(await copy(`oci:${folder}/in:x`, `${host}/app:y`)).toContain('nothing to copy');
});

test('a child that is missing is named', async () => {
  const folder = await newFolder();
  const tree = artifacts['a nested index'] as BuiltTree;
  const lost = artifactOf(blobOf('text/plain', 'lost'), []);
  const rows = indexOf([tree, lost]);
  const blobs = new Map([...rows.blobs].filter(([digest]) => digest !== lost.descriptor.digest));
  await writeLayout(join(folder, 'in'), { x: { ...rows, blobs } });
  const { status, stderr } = await callCli(['copy', `oci:${folder}/in:x`, `oci:${folder}/out:x`]);
  expect([status, stderr]).toEqual([1, expect.stringContaining(lost.descriptor.digest)]);
});

test('to several copies of one row only one is made', async () => {
  const folder = await newFolder();
  const blob = blobOf('application/vnd.example.text', 'twice');
  const tree = indexOf([blob, blob, indexOf([blob])]);
  await writeLayout(join(folder, 'in'), { x: tree });
  await copy(`oci:${folder}/in:x`, `oci:${folder}/out:x`);
  await expectWhole(join(folder, 'out'), tree);
});

describe('referrers that a copy leaves behind', () => {
  const image = imageFor('amd64', 'a=1');
  const subject = image.descriptor;
  const signature = artifactOf(blobOf('text/plain', 'key'), [blobOf('text/plain', 'signed')], {
    artifactType: 'application/vnd.example.signature',
    subject: { mediaType: subject.mediaType, digest: subject.digest, size: subject.size },
  });
  const left =
    /1 artifact refers to the source \(application\/vnd\.example\.signature\): they are not copied/;

  async function signed(): Promise<string> {
    const folder = await newFolder();
    await writeLayout(join(folder, 'in'), { app: image, signature });
    return folder;
  }

  test('from a layout', async () => {
    const folder = await signed();
    expect(await copy(`oci:${folder}/in:app`, `oci:${folder}/out:app`)).toMatch(
      /1 artifact refers to the source/,
    );
    expect(await copy(`oci:${folder}/in:app`, `oci:${folder}/in:again`)).not.toMatch(/refers to the source/);
  });

  test.each([
    ['a registry, of the platform that was chosen', 'app:1', ['--platform', 'linux/amd64']],
    ['a docker-archive, which holds no index', null, []],
  ])('to %s', async (_, place, options) => {
    const folder = await newFolder();
    const { host } = await serve();
    const index = indexOf(place === null ? [image] : [image, imageFor('arm64', 'a=1')]);
    await writeLayout(join(folder, 'in'), { app: index, signature });
    const to = place === null ? `docker-archive:${folder}/x.tar:app:1` : `${host}/${place}`;
    expect(await copy(`oci:${folder}/in:app`, to, ...options)).toMatch(/1 artifact refers to the source/);
  });

  test('from a repository to another, and not within one', async () => {
    const folder = await signed();
    const { host } = await serve();
    await copy(`oci:${folder}/in:app`, `${host}/app:1`);
    await copy(`oci:${folder}/in:signature`, `${host}/app:signature`);
    expect(await copy(`${host}/app:1`, `${host}/app:2`)).not.toMatch(/refers to the source/);
    expect(await copy(`${host}/app:1`, `${host}/other:1`)).toMatch(left);
    const strict = await callCli(['copy', `${host}/app:1`, `${host}/strict:1`, '--strict']);
    expect(strict.stderr).toContain('[STRICT]');
  });
});

describe('the empty image of BuildKit, whose lists are null', () => {
  const config = blobOf(
    'application/vnd.oci.image.config.v1+json',
    '{"architecture":"amd64","os":"linux","config":{"Labels":null},"rootfs":{"type":"layers","diff_ids":null},"history":null}',
  );
  const tree = artifactOf(config, [], { layers: null, annotations: null });

  test('is copied, compared, exported, labelled and packed again', async () => {
    const folder = await newFolder();
    await writeLayout(join(folder, 'in'), { x: tree });
    const source = `oci:${folder}/in:x`;
    await copy(source, `oci:${folder}/out:x`);
    await expectWhole(join(folder, 'out'), tree);
    await copy(source, `docker-archive:${folder}/x.tar:app:1`);
    for (const args of [
      ['verify', source, `oci:${folder}/out:x`],
      ['export', source, join(folder, 'root.tar')],
      ['copy', source, `oci:${folder}/labelled:x`, '--label', 'a=b', '--annotation', 'c=d'],
    ]) {
      const { status, stderr } = await callCli(args);
      expect({ status, stderr }, args[0]).toMatchObject({ status: 0 });
    }
    const [row] = await rowsOf(join(folder, 'labelled'));
    const read = async (digest = '') =>
      JSON.parse(await readFile(join(folder, 'labelled', 'blobs', ...digest.split(':')), 'utf8')) as {
        config: { digest: string; Labels: unknown };
      };
    const manifest = await read(row?.digest);
    expect(manifest).toMatchObject({ layers: [], annotations: { c: 'd' } });
    expect(await read(manifest.config.digest)).toMatchObject({
      config: { Labels: { a: 'b' } },
      rootfs: { type: 'layers', diff_ids: [] },
    });
  });
});
