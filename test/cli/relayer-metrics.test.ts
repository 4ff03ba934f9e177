import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { buildImage } from '../support/image-builder.ts';
import { specOf } from '../support/model/shorthand.ts';
import { writeTar } from '../support/model/tar-bytes.ts';
import { openScene } from '../support/scene.ts';

/** An image of two layers, whose second one has `app` as it is given, beside what stays. */
const imageWith = (app: string) =>
  buildImage({
    compress: 'none',
    layers: [
      writeTar(['usr/', 'usr/lib/', `usr/lib/a.so=${'a'.repeat(5000)}`].map(specOf)),
      writeTar(
        [
          'opt/',
          'opt/tool/',
          `opt/tool/t=${'t'.repeat(9000)}`,
          'srv/',
          'srv/app/',
          `srv/app/main=${app}`,
        ].map(specOf),
      ),
    ],
  });
const scene = openScene(() => ({ '1': imageWith('one'), '2': imageWith('two') }));
const options = ['--group', 'app=srv/**', '--group', 'tool=opt/**', '--group', 'lib=usr/**'];

describe('what updates download', () => {
  test('is in the report of a run: by blob it is what the new layers hold that are not in the version before', async () => {
    await scene.succeed('relayer', scene.at('1'), scene.at('1-layers'), ...options);
    const args = [scene.at('2'), scene.at('2-layers'), '--previous', scene.at('1-layers'), ...options];
    const [platform] = (await scene.report('relayer', ...args)).platforms;
    const before = await scene.read('1-layers');
    const after = await scene.read('2-layers');
    const had = new Set(before.manifest.layers.map(({ digest }) => digest));
    const fresh = after.manifest.layers.filter(({ digest }) => !had.has(digest));
    const sizes = [after.manifest.config, ...fresh].reduce((sum, { size }) => sum + size, 0);
    const found = platform?.relayering;
    expect(found?.previous?.digest).toBe(before.descriptor.digest);
    expect(found?.after.downloads?.[0]).toEqual({
      model: 'blob',
      transferBytes: sizes,
      layers: fresh.length,
      isEstimate: false,
    });
    expect(found?.before.downloads?.map(({ model }) => model)).toEqual(['blob', 'prefix', 'file']);
    expect(found?.after.expectedBytes).toBeLessThan(found?.before.expectedBytes ?? 0);
    const byModel = (found?.after.downloads ?? []).map(({ transferBytes }) => transferBytes);
    expect(byModel[2]).toBeLessThanOrEqual(byModel[0] ?? 0);
    expect(byModel[0]).toBeLessThanOrEqual(byModel[1] ?? 0);
    const [old, result] = found?.versions ?? [];
    expect(old?.downloads.map(({ blob }) => blob)).toEqual([0, sizes]);
    expect(result?.name).toBe('result');
  });

  test('of a planned run is what the run itself then says', async () => {
    await scene.succeed('relayer', scene.at('1'), scene.at('a'), ...options);
    const args = ['relayer', scene.at('2'), '--previous', scene.at('a'), ...options];
    const planned = JSON.parse(await scene.succeed(...args, '--plan-only', '--format', 'json')) as {
      platforms: { relayering: { after: { downloads: { layers: number }[] }; layers: unknown[] } }[];
    };
    const real = await scene.report('relayer', scene.at('2'), scene.at('b'), ...args.slice(2));
    const [was] = planned.platforms;
    const [is] = real.platforms;
    expect(was?.relayering.after.downloads[0]?.layers).toBe(is?.relayering?.after.downloads?.[0]?.layers);
    expect(was?.relayering.layers).toHaveLength(is?.relayering?.layers.length ?? 0);
  });

  test('--plan-only prints the layers and their components, and writes nothing', async () => {
    const { stdout } = await scene.run(
      'relayer',
      scene.at('1'),
      scene.at('nothing'),
      '--plan-only',
      ...options,
    );
    expect(stdout).toMatch(/^linux\/amd64: \d+ layers, /);
    for (const name of ['group:app', 'group:tool', 'group:lib']) expect(stdout).toContain(name);
    await expect(scene.read('nothing')).rejects.toThrow();
    expect((await scene.run('relayer', scene.at('1'), '--plan-only', '--quiet')).stderr).toBe('');
  });

  test('stands in the summary, in Markdown and in the page', async () => {
    const files = ['md', 'html'].map((type) => scene.path(`r.${type}`));
    const { stderr } = await scene.run(
      'relayer',
      scene.at('2'),
      '--previous',
      scene.at('1'),
      '--dry-run',
      ...options,
      ...files.flatMap((file) => ['--report', file]),
    );
    expect(stderr).toContain('expected of an update');
    expect(stderr).toContain('by chain of layers');
    const [markdown = '', page = ''] = await Promise.all(files.map((file) => readFile(file, 'utf8')));
    expect(markdown).toContain('### What updates download');
    expect(page).toContain('From version to version, by blob');
  });
});
