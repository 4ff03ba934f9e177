import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { rewrite, tar } from '../jobs/rig.ts';
import { layerStack } from '../support/arbitrary/layers.ts';
import { createEncoderPool } from '../../src/codec/encoder-pool.ts';
import { runCli } from '../support/cli.ts';
import { engines } from '../support/engines.ts';
import { buildImage, buildIndex, writeLayout } from '../support/image-builder.ts';
import { diffImages } from '../support/image-diff.ts';
import { lawRuns } from './rig.ts';
import { compressStage, slimStage } from './stages.ts';
import { MiB } from '../../src/units.ts';
import { layersIn } from '../support/made-layers.ts';

const folders: string[] = [];
afterAll(async () => {
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
});

test('law 8: neither jobs nor chunks nor time change the digest', async () => {
  await fc.assert(
    fc.asyncProperty(
      layerStack({ minLayers: 1, maxLayers: 5, maxIntents: 6 }),
      slimStage,
      compressStage,
      fc.integer({ min: 1, max: 5000 }),
      async (stack, slimming, compression, chunk) => {
        const tars = stack.layers.map((layer) => layer.tar);
        const built = buildImage({ layers: tars });
        const stages = [slimming(tars.length), compression(tars.length)];
        const first = await rewrite(built, stages, { jobs: 1 });
        for (const [jobs, maxScratch] of [
          [1, 1e9],
          [2, 0],
          [4, 5000],
        ] as const) {
          const again = await rewrite(built, stages, { jobs, maxScratch, source: { chunk } });
          expect(diffImages(first.tree, again.tree)).toEqual([]);
          expect(again.outcome.root?.descriptor.digest).toBe(first.outcome.root?.descriptor.digest);
        }
      },
    ),
    { numRuns: lawRuns({ usual: 40 }) },
  );
});

test('law 8: the same digest for layers of several blocks, whatever jobs says', async () => {
  // Noise that packs a little, over several members and frames of every encoder.
  const noise = new Uint8Array(9 * MiB);
  let state = 12345;
  for (let i = 0; i < noise.length; i += 1) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    noise[i] = i % 3 === 0 ? 97 : state >>> 27;
  }
  // Packed layers of this size are unpacked in threads, plain ones are not.
  const image = (compress: 'none' | 'gzip' | 'zstd') =>
    buildImage({ layers: [tar({ name: 'big', body: noise }), tar('small=x')], compress });
  const images = { none: image('none'), gzip: image('gzip'), zstd: image('zstd') };
  const { recompress } = await import('../../src/compress/recompress.ts');
  const all = { kind: 'all' } as const;
  for (const wish of [
    { kind: 'gzip', level: 4, engine: 'libdeflate' },
    { kind: 'gzip', level: 2, engine: 'zlib' },
    { kind: 'gzip', level: 1, engine: 'pako' },
    { kind: 'zstd', level: 2 },
  ] as const) {
    const digests = new Set<string>();
    for (const [compress, jobs, chunk] of [
      ['none', 1, 65_536],
      // In its own format a layer might stay as it is.
      [wish.kind === 'gzip' ? 'zstd' : 'gzip', 2, 1_000_003],
      [wish.kind === 'gzip' ? 'zstd' : 'gzip', 4, 4096],
    ] as const) {
      const { outcome } = await rewrite(images[compress], [recompress(all, wish)], {
        jobs,
        source: { chunk },
      });
      digests.add(JSON.stringify(layersIn(outcome).map(({ digest, diffId }) => [digest, diffId])));
    }
    expect(digests.size, JSON.stringify(wish)).toBe(1);
  }
});

test('law 8: the same digests from each gzip engine, at low, usual and high levels', async () => {
  const text = Buffer.from(
    Array.from({ length: 600_000 }, (_, i) => `${(i * 2_654_435_761) % 10_007} `).join(''),
  );
  const built = buildImage({
    layers: [tar({ name: 'big', body: text }), tar('small=x'), tar('.wh.small', 'new=y')],
    compress: 'gzip',
  });
  const { recompress } = await import('../../src/compress/recompress.ts');
  const { squash } = await import('../../src/slim/index.ts');
  const all = { kind: 'all' } as const;
  for (const level of [1, 6, 10]) {
    const wish = { kind: 'gzip', level, engine: 'libdeflate' } as const;
    const digests = new Set<string | undefined>();
    for (const { path } of engines) {
      await using pool = createEncoderPool({ jobs: 2, native: path ?? '0' });
      const stages = [squash(all), recompress(all, wish)];
      const { outcome } = await rewrite(built, stages, { jobs: 2, pool });
      digests.add(outcome.root?.descriptor.digest);
    }
    expect(digests.size, `level ${level}`).toBe(1);
  }
});

test('law 8: time zone, locale and umask change nothing, twice in a row', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'ocislim-determinism-'));
  folders.push(folder);
  const layers = [
    tar('etc/', 'etc/a=1', 'etc/b=2', 'z=1', 'Z=2'),
    tar('etc/.wh.a', 'new/', 'new/file=3'),
    tar('new/link->new/file', '.wh.z'),
  ];
  const images = ['amd64', 'arm64'].map((architecture) =>
    buildImage({ layers, platform: { os: 'linux', architecture }, history: 'with-empty-layers' }),
  );
  await writeLayout(join(folder, 'source'), { '1': buildIndex({ images }) });
  const surroundings = [
    { env: { TZ: 'UTC', LANG: 'C' }, umask: '022' },
    { env: { TZ: 'Pacific/Kiritimati', LANG: 'tr_TR.UTF-8', LC_ALL: 'tr_TR.UTF-8' }, umask: '077' },
    { env: { TZ: 'America/St_Johns', LANG: 'sv_SE.UTF-8' }, umask: '000' },
  ];
  const digests = new Set<string>();
  for (const [i, each] of [...surroundings, surroundings[0]].entries()) {
    const result = await runCli(
      [
        'slim',
        `oci:${folder}/source:1`,
        `oci:${folder}/result-${i}:1`,
        '--last',
        '2',
        '--rule',
        'etc/*',
        '-j',
        String((i % 3) + 1),
      ],
      each,
    );
    expect(result.stderr).not.toContain('bug');
    expect(result.status, result.stderr).toBe(0);
    digests.add(result.stdout.trim().replace(/^.*@/, ''));
  }
  expect([...digests]).toEqual([expect.stringMatching(/^sha256:[0-9a-f]{64}$/)]);
});
