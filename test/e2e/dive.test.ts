/**
 * The numbers that `analyze` gives under dive's name are those of dive itself, from the same docker archives: made ones with dive's odd
 * cases, random ones, and real images.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { DiveNumbers } from '../../src/analyze/analysis.ts';
import { layerStack } from '../support/arbitrary/layers.ts';
import { ocislim } from '../support/e2e/cli.ts';
import { removeFolder, run, workFolder } from '../support/e2e/programs.ts';
import { runs, sample, seed } from '../support/extent.ts';
import { digestOf, jsonBytes } from '../support/image-builder.ts';
import { type Short, tar } from '../support/model/shorthand.ts';
import { writeTar } from '../support/model/tar-bytes.ts';
import { smallTars } from '../support/small-image.ts';

let work: string;
beforeAll(() => {
  work = workFolder('dive');
});
afterAll(() => removeFolder(work));

/** What both programs tell, in one form. */
interface Numbers {
  readonly layers: readonly number[];
  readonly sizeBytes: number;
  readonly wastedBytes: number;
  readonly efficiency: number;
  /** Paths with count and bytes, sorted: the order of equal sizes is not dive's promise. */
  readonly inefficient: readonly string[];
}

interface DiveExport {
  readonly layer: readonly { readonly sizeBytes: number }[];
  readonly image: {
    readonly sizeBytes: number;
    readonly inefficientBytes: number;
    readonly efficiencyScore: number;
    readonly fileReference: readonly {
      readonly count: number;
      readonly sizeBytes: number;
      readonly file: string;
    }[];
  };
}

async function byDive(archive: string): Promise<Numbers> {
  const file = join(work, 'dive.json');
  // dive writes over what a longer file holds, and leaves its end.
  rmSync(file, { force: true });
  await run('dive', ['--json', file, `docker-archive://${archive}`]);
  const { layer, image } = JSON.parse(readFileSync(file, 'utf8')) as DiveExport;
  return {
    layers: layer.map(({ sizeBytes }) => sizeBytes),
    sizeBytes: image.sizeBytes,
    wastedBytes: image.inefficientBytes,
    efficiency: image.efficiencyScore,
    inefficient: image.fileReference
      .map(({ file: path, count, sizeBytes }) => `${path} ${count} ${sizeBytes}`)
      .sort(),
  };
}

async function byOcislim(archive: string): Promise<Numbers> {
  const args = ['analyze', `docker-archive:${archive}`, '--quick', '--format', 'json'];
  const { status, stdout, stderr } = await ocislim(args);
  expect(status, stderr).toBe(0);
  const { layers, dive } = JSON.parse(stdout) as {
    readonly layers: readonly { readonly diveBytes: number }[];
    readonly dive: DiveNumbers;
  };
  const { sizeBytes, wastedBytes, efficiency } = dive;
  const inefficient = dive.inefficient
    .map(({ path, count, bytes }) => `/${goText(path)} ${count} ${bytes}`)
    .sort();
  return {
    layers: layers.map(({ diveBytes }) => diveBytes),
    sizeBytes,
    wastedBytes,
    efficiency,
    inefficient,
  };
}

/** Returns a path as Go writes it into JSON: the bytes that are not UTF-8 are lost. */
function goText(path: string): string {
  return path.replace(/\\x[89a-f][0-9a-f]/g, '\ufffd').replaceAll('\\\\', '\\');
}

async function expectSame(archive: string): Promise<Numbers> {
  const numbers = await byOcislim(archive);
  expect(numbers).toEqual(await byDive(archive));
  return numbers;
}

/** Writes layers as `docker save` did before Docker 25, which every version of dive reads. */
function writeArchive(tars: readonly Uint8Array[]): string {
  const names = tars.map((_, i) => `layer-${i}/layer.tar`);
  const config = jsonBytes({
    os: 'linux',
    architecture: 'amd64',
    rootfs: { type: 'layers', diff_ids: tars.map((each) => digestOf(each)) },
    history: tars.map((_, i) => ({ created_by: `step ${i}` })),
  });
  const manifest = jsonBytes([{ Config: 'config.json', RepoTags: ['a:1'], Layers: names }]);
  const archive = join(work, 'made.tar');
  writeFileSync(
    archive,
    writeTar([
      ...tars.map((body, i) => ({ name: names[i] as string, body })),
      { name: 'config.json', body: config },
      { name: 'manifest.json', body: manifest },
    ]),
  );
  return archive;
}

const file = (name: string, bytes: number): string => `${name}=${'x'.repeat(bytes)}`;

describe('dive has the same numbers', () => {
  const made: Readonly<Record<string, readonly (readonly Short[])[]>> = {
    'a deleted directory': [
      ['big/', file('big/data', 900), file('rest', 100)],
      ['.wh.big', file('more', 0)],
    ],
    'a deleted file': [[file('data', 900), file('rest', 100)], ['.wh.data']],
    'a dangling whiteout': [[file('kept', 4096)], ['.wh.gone', file('zzz', 4096)]],
    'an opaque marker': [
      ['a/', file('a/one', 100)],
      ['a/', 'a/.wh..wh..opq', file('a/one', 100)],
    ],
    'a directory without an entry': [[file('big/data', 900), file('rest', 100)], ['.wh.big']],
    'whiteouts that sort behind': [
      ['.a/', file('.a/b', 50)],
      ['.wh..a', '.a/', file('.a/c', 70)],
      ['.wh..a'],
    ],
    'a whiteout in the lowest layer': [[file('a', 10), '.wh.a', '.wh.b'], [file('a', 20)]],
    'an entry twice': [[file('a', 10), file('a', 30)], [file('a', 5)]],
    'a file in the place of a directory': [['a/', file('a/b', 40)], [file('a', 7)], ['.wh.a']],
  };

  it.each(Object.entries(made))('of %s', async (_, layers) => {
    await expectSame(writeArchive(layers.map((entries) => tar(...entries))));
  });

  it('of the small image', async () => {
    const { inefficient } = await expectSame(writeArchive(smallTars));
    expect(inefficient.length).toBeGreaterThan(5);
  });

  it('of random layers', async () => {
    const stacks = fc.sample(layerStack({ minLayers: 1, portable: true }), { numRuns: runs(15, 150), seed });
    for (const { layers, describe: text } of stacks) {
      const archive = writeArchive(layers.map((layer) => layer.tar));
      expect(await byOcislim(archive), text()).toEqual(await byDive(archive));
    }
  });

  it.each(sample(['nginx', 'python', 'node'], 3))('of the image %s', async (name) => {
    const archive = join(work, `${name}.tar`);
    await run('skopeo', [
      'copy',
      '-q',
      `oci:${inject('images')}/${name}:v1`,
      `docker-archive:${archive}:${name}:1`,
    ]);
    const { efficiency } = await expectSame(archive);
    expect(efficiency).toBeLessThan(0.7);
    removeFolder(archive);
  });
});
