import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { reportSchema } from '../../src/report/schema.ts';
import { runs } from '../support/extent.ts';
import { callCli } from '../support/cli.ts';
import {
  type BlobDescriptor,
  buildImage,
  buildIndex,
  type BuiltTree,
  type LayerCompression,
  openLayout,
  readImageFrom,
  validateTree,
  writeLayout,
} from '../support/image-builder.ts';
import { tar } from '../support/model/shorthand.ts';
import { newFolder } from '../support/store/local.ts';
import { serve } from '../support/store/serving.ts';

const mark = 'io.github.containers.compression.zstd';
const tars = ['etc/motd=hello', 'app/run=#!/bin/sh', 'app/data=words words words'].map((entry) => tar(entry));

const imageOf = (
  architecture: string,
  compress: LayerCompression = 'gzip',
  family: 'oci' | 'docker' = 'oci',
) => buildImage({ layers: tars, compress, family, platform: { os: 'linux', architecture } });
const two = buildIndex({ images: [imageOf('amd64'), imageOf('arm64')], attestations: true });

async function run(...args: readonly string[]): Promise<string> {
  const { status, stdout, stderr } = await callCli(args);
  expect({ status, stderr }).toMatchObject({ status: 0 });
  return stdout.trim();
}

/** The rows of an index: platform, the formats of the layers, and whether it has the mark. */
type Row = {
  readonly platform: string;
  readonly formats: string;
  readonly isMarked: boolean;
  readonly diffIds: string;
};

/** Reads the root of a layout as an index that an independent validator accepts. */
async function rowsOf(folder: string, tag = 'app'): Promise<{ digest: string; rows: readonly Row[] }> {
  const read = await openLayout(folder, tag);
  expect(validateTree(read)).toEqual([]);
  const json = (digest: string) => JSON.parse(Buffer.from(read.blobs.get(digest) ?? '').toString()) as never;
  const { manifests } = json(read.descriptor.digest) as { manifests: readonly BlobDescriptor[] };
  const images = manifests.filter(({ platform }) => platform?.os !== 'unknown');
  const rows = images.map((row): Row => {
    const { layers, config } = json(row.digest) as {
      layers: readonly BlobDescriptor[];
      config: BlobDescriptor;
    };
    const { rootfs } = json(config.digest) as { rootfs: { diff_ids: readonly string[] } };
    return {
      platform: `${row.platform?.os}/${row.platform?.architecture}`,
      formats: [...new Set(layers.map(({ mediaType }) => mediaType.split(/[+.]/).at(-1)))].join(),
      isMarked: row.annotations?.[mark] === 'true',
      diffIds: rootfs.diff_ids.join(),
    };
  });
  return { digest: read.descriptor.digest, rows };
}

const shape = (rows: readonly Row[]) =>
  rows.map(({ platform, formats, isMarked }) => [platform, formats, isMarked]);
const both = [
  ['linux/amd64', 'gzip', false],
  ['linux/arm64', 'gzip', false],
  ['linux/amd64', 'zstd', true],
  ['linux/arm64', 'zstd', true],
];

async function world(built: BuiltTree = two): Promise<string> {
  const folder = await newFolder();
  await writeLayout(join(folder, 'in'), { app: built });
  return folder;
}

describe('--add-variant zstd', () => {
  test('gives every platform a manifest in gzip, as it was, and then one in zstd', async () => {
    const folder = await world();
    await run('recompress', `oci:${folder}/in:app`, `oci:${folder}/out:app`, '--add-variant', 'zstd:19');
    const { rows } = await rowsOf(join(folder, 'out'));
    expect(shape(rows)).toEqual(both);
    expect(rows[2]?.diffIds).toBe(rows[0]?.diffIds);
    const before = JSON.parse(Buffer.from(two.index).toString()) as { manifests: readonly unknown[] };
    const out = await openLayout(join(folder, 'out'), 'app');
    const after = JSON.parse(
      Buffer.from(out.blobs.get(out.descriptor.digest) ?? '').toString(),
    ) as typeof before;
    // Attestations of images that stay as they are stay, too.
    expect(after.manifests.slice(0, 4)).toEqual(before.manifests);
  });

  test.each<[string, LayerCompression, 'oci' | 'docker']>([
    ['gzip', 'gzip', 'oci'],
    ['zstd, which is packed with gzip for the first one', 'zstd', 'oci'],
    ["Docker's gzip, which becomes OCI", 'gzip', 'docker'],
  ])('makes an index of one image in %s', async (_, compress, family) => {
    const folder = await world(imageOf('amd64', compress, family));
    const { host } = await serve();
    const args = ['recompress', `oci:${folder}/in:app`, '--add-variant', 'zstd'];
    await run(...args, '-t', `oci:${folder}/out:app`);
    const { digest, rows } = await rowsOf(join(folder, 'out'));
    expect(shape(rows)).toEqual([
      ['linux/amd64', 'gzip', false],
      ['linux/amd64', 'zstd', true],
    ]);
    // The same everywhere.
    expect(await run(...args, '-t', `${host}/app:1`)).toContain(digest);
    expect(await run(...args, '-t', `oci-archive:${folder}/x.tar:app`)).toContain(digest);
    await run('verify', `oci:${folder}/in:app`, `${host}/app:1`, '--platform', 'linux/amd64');
  });

  test('replaces the variant that is there, whatever was there and however often', async () => {
    const options = fc.constantFrom('zstd', 'zstd:3', 'zstd:19');
    await fc.assert(
      fc.asyncProperty(fc.array(options, { minLength: 1, maxLength: 3 }), options, async (befores, last) => {
        const folder = await world();
        for (const [i, option] of befores.entries())
          await run(
            'recompress',
            `oci:${folder}/${i === 0 ? 'in' : 'out'}:app`,
            `oci:${folder}/${i === 0 ? 'out' : 'out2'}:app`,
            '--add-variant',
            option,
          ).then(() => (i === 0 ? null : run('copy', `oci:${folder}/out2:app`, `oci:${folder}/out:app`)));
        const wanted = await run(
          'recompress',
          `oci:${folder}/in:app`,
          `oci:${folder}/once:app`,
          '--add-variant',
          last,
        );
        const got = await run(
          'recompress',
          `oci:${folder}/out:app`,
          `oci:${folder}/again:app`,
          '--add-variant',
          last,
        );
        expect(got.split('@')[1]).toBe(wanted.split('@')[1]);
        expect(shape((await rowsOf(join(folder, 'again'))).rows)).toEqual(both);
      }),
      { numRuns: runs(2, 10) },
    );
  });

  test('and its image are one row where another packing makes them one image', async () => {
    const folder = await world();
    await run('recompress', `oci:${folder}/in:app`, `oci:${folder}/two:app`, '--add-variant', 'zstd');
    for (const words of [['gzip', '--level', '9'], ['gzip'], ['zstd'], ['none']]) {
      await run('recompress', `oci:${folder}/two:app`, `oci:${folder}/one:app`, '--compression', ...words);
      const { rows } = await rowsOf(join(folder, 'one'));
      expect(rows.map(({ platform }) => platform)).toEqual(['linux/amd64', 'linux/arm64']);
    }
  });

  test('of slim changes both, which hold the same', async () => {
    const folder = await world();
    const report = join(folder, 'report.json');
    await run(
      'slim',
      `oci:${folder}/in:app`,
      `oci:${folder}/out:app`,
      '--rule',
      'app/data',
      '--add-variant',
      'zstd',
      '--report',
      report,
    );
    const { rows } = await rowsOf(join(folder, 'out'));
    expect(shape(rows)).toEqual(both);
    expect(rows[2]?.diffIds).toBe(rows[0]?.diffIds);
    const { platforms, variants = [] } = reportSchema.parse(JSON.parse(await readFile(report, 'utf8')));
    expect([platforms.length, variants.map(({ platform }) => platform)]).toEqual([
      2,
      ['linux/amd64', 'linux/arm64'],
    ]);
  });

  test('is a stage of a plan', async () => {
    const folder = await world();
    const plan = join(folder, 'plan.yaml');
    await (await import('node:fs/promises')).writeFile(plan, 'version: 1\naddVariant: zstd:9\n');
    await run('slim', `oci:${folder}/in:app`, `oci:${folder}/out:app`, '-f', plan);
    expect(shape((await rowsOf(join(folder, 'out'))).rows)).toEqual(both);
  });

  test('goes through a check of the result', async () => {
    const folder = await world();
    await run(
      'recompress',
      `oci:${folder}/in:app`,
      `oci:${folder}/out:app`,
      '--add-variant',
      'zstd',
      '--verify-with',
      'true',
    );
    expect(shape((await rowsOf(join(folder, 'out'))).rows)).toEqual(both);
  });

  test.each([
    [['--add-variant', 'gzip'], 2, /takes zstd or zstd:LEVEL/],
    [['--add-variant', 'zstd:40'], 2, /40/],
    [['--add-variant', 'zstd', '--compression', 'zstd'], 2, /do not go together/],
  ])('%s is refused', async (options, wanted, why) => {
    const folder = await world();
    const { status, stderr } = await callCli([
      'recompress',
      `oci:${folder}/in:app`,
      `oci:${folder}/out:app`,
      ...options,
    ]);
    expect([status, stderr]).toEqual([wanted, expect.stringMatching(why)]);
  });

  test('is refused for a Docker archive, which has no index', async () => {
    const folder = await world(imageOf('amd64'));
    const { status, stderr } = await callCli([
      'recompress',
      `oci:${folder}/in:app`,
      `docker-archive:${folder}/x.tar:app:1`,
      '--add-variant',
      'zstd',
    ]);
    expect([status, stderr]).toEqual([1, expect.stringContaining('holds one image, and no index')]);
  });
});

describe('an image in gzip and zstd', () => {
  async function varied(): Promise<string> {
    const folder = await world();
    await run('recompress', `oci:${folder}/in:app`, `oci:${folder}/v:app`, '--add-variant', 'zstd');
    return folder;
  }

  test('is copied as it is, and both go with a platform', async () => {
    const folder = await varied();
    const { digest } = await rowsOf(join(folder, 'v'));
    expect(await run('copy', `oci:${folder}/v:app`, `oci:${folder}/out:app`)).toContain(digest);
    await run(
      'copy',
      `oci:${folder}/v:app`,
      `oci:${folder}/arm:app`,
      '--platform',
      'linux/arm64',
      '--strict',
    );
    expect(shape((await rowsOf(join(folder, 'arm'))).rows)).toEqual([both[1], both[3]]);
  });

  test('keeps both after each command, each in its format', async () => {
    const folder = await varied();
    for (const [command = '', ...options] of [
      ['prune', '--rule', 'app/data'],
      ['squash', '--all'],
      ['slim', '--rule', 'app/data'],
      ['recompress'],
    ]) {
      await run(command, `oci:${folder}/v:app`, `oci:${folder}/${command}:app`, ...options);
      const { rows } = await rowsOf(join(folder, command));
      expect(shape(rows), command).toEqual(both);
      expect(rows[2]?.diffIds).toBe(rows[0]?.diffIds);
    }
  });

  test('is one image to the commands that look at one, and goes into a Docker archive', async () => {
    const folder = await varied();
    for (const [command = '', ...options] of [
      ['ls', '--platform', 'linux/amd64'],
      ['history', '--platform', 'linux/amd64'],
      ['export', '-', '--platform', 'linux/amd64'],
    ]) {
      const [first, ...rest] = options[0] === '-' ? options : ['', ...options];
      const args = [command, `oci:${folder}/v:app`, ...(first === '' ? [] : [first]), ...rest].filter(
        (each) => each !== undefined,
      );
      const { status, stderr } = await callCli(args);
      expect({ command, status, stderr }).toMatchObject({
        status: 0,
        stderr: expect.not.stringContaining('PLATFORM_TIE') as unknown,
      });
    }
    await run(
      'copy',
      `oci:${folder}/v:app`,
      `docker-archive:${folder}/x.tar:app:1`,
      '--platform',
      'linux/amd64',
    );
    await run('copy', `oci:${folder}/v:app`, `oci:${folder}/one:app`, '--platform', 'linux/amd64');
    expect((await callCli(['history', `oci:${folder}/one:app`])).status).toBe(0);
    await run('copy', `oci:${folder}/one:app`, `docker-archive:${folder}/y.tar:app:1`);
  });

  test('is the same image by both manifests', async () => {
    const folder = await varied();
    const read = await openLayout(join(folder, 'v'), 'app');
    const { manifests } = JSON.parse(
      Buffer.from(read.blobs.get(read.descriptor.digest) ?? '').toString(),
    ) as { manifests: readonly BlobDescriptor[] };
    const amd = manifests.filter(({ platform }) => platform?.architecture === 'amd64');
    const [gzip, zstd] = amd.map((descriptor) => readImageFrom({ ...read, descriptor }));
    expect(zstd?.tars).toEqual(gzip?.tars);
  });

  test('has a name of its own in every report', async () => {
    const folder = await varied();
    const [markdown, page] = ['md', 'html'].map((type) => join(folder, `named.${type}`)) as [string, string];
    const args = ['config', `oci:${folder}/v:app`, `oci:${folder}/named:app`, '--label', 'a=b'];
    const { status, stderr } = await callCli([...args, '--report', markdown, '--report', page]);
    expect({ status, stderr }).toMatchObject({ status: 0 });
    const names = ['amd64', 'arm64'].flatMap((each) => [`linux/${each} gzip`, `linux/${each} zstd`]);
    const ofPlatforms = (text: string, start: RegExp) =>
      text.split('\n').flatMap((line) => (start.test(line) ? [line.replace(start, 'linux/')] : []));
    expect(ofPlatforms(stderr, /^linux\//).toSorted()).toEqual(names);
    expect(ofPlatforms(await readFile(markdown, 'utf8'), /^## linux\//).toSorted()).toEqual(names);
    for (const name of names) expect(await readFile(page, 'utf8')).toContain(name);
  });
});
