import { describe, expect, test } from 'vitest';
import { buildImage } from '../support/image-builder.ts';
import { specOf } from '../support/model/shorthand.ts';
import { writeTar } from '../support/model/tar-bytes.ts';
import { callCli } from '../support/cli.ts';
import { openScene } from '../support/scene.ts';
import { serve } from '../support/store/serving.ts';

/** A version of an image: `app` changes, `lib` and `tool` do not. It was made on that day of January. */
const version = (day: number, app: string) =>
  buildImage({
    compress: 'none',
    config: { created: `2026-01-${String(day).padStart(2, '0')}T00:00:00Z` },
    layers: [
      writeTar(['usr/', `usr/lib=${'l'.repeat(5000)}`].map(specOf)),
      writeTar(['opt/', `opt/tool=${'t'.repeat(9000)}`, 'srv/', `srv/app=${app.repeat(3000)}`].map(specOf)),
    ],
  });

const scene = openScene(() => ({
  v1: version(1, 'a'),
  v2: version(2, 'b'),
  v3: version(3, 'c'),
  v4: version(4, 'd'),
  later: version(9, 'e'),
}));
const options = ['--group', 'app=srv/**', '--group', 'tool=opt/**', '--group', 'lib=usr/**'];

/** Returns the chance that each component changes, by the plan of a run. */
async function chances(...args: readonly string[]): Promise<Readonly<Record<string, number>>> {
  const text = await scene.succeed('relayer', ...args, ...options, '--plan-only', '--format', 'json');
  const report = JSON.parse(text) as {
    platforms: { relayering: { layers: { components: { name: string; change: number }[] }[] } }[];
  };
  const layers = report.platforms[0]?.relayering.layers ?? [];
  return Object.fromEntries(
    layers.flatMap(({ components }) => components.map(({ name, change }) => [name, change] as const)),
  );
}

describe('--history', () => {
  test('of references tells which components change: the layers of versions without a note are scanned', async () => {
    const without = await chances(scene.at('v4'));
    const found = await chances(
      scene.at('v4'),
      ...['v1', 'v2', 'v3'].flatMap((tag) => ['--history', scene.at(tag)]),
    );
    expect(without['group:app']).toBe(without['group:lib']);
    expect(found['group:app']).toBeGreaterThan(without['group:app'] ?? 1);
    expect(found['group:lib']).toBeLessThan(without['group:lib'] ?? 0);
  });

  test('of a number is what naming the newest earlier versions is, in any order', async () => {
    const named = (tags: readonly string[]) =>
      chances(scene.at('v4'), ...tags.flatMap((tag) => ['--history', scene.at(tag)]));
    const numbered = await chances(scene.at('v4'), '--history', '2');
    expect(numbered).toEqual(await named(['v2', 'v3']));
    expect(numbered).toEqual(await named(['v3', 'v2', 'v3']));
    expect(numbered).not.toEqual(await named(['v1', 'v2', 'v3']));
    expect(await chances(scene.at('v1'), '--history', '5')).toEqual(await chances(scene.at('v1')));
  });

  test('reads versions that relayer wrote by their notes, and counts each once', async () => {
    const before = await chances(scene.at('v4'), '--history', '3');
    for (const tag of ['v1', 'v2', 'v3'])
      await scene.succeed('relayer', scene.at(tag), scene.at(`${tag}-layers`, 'laid'), ...options);
    const args = [scene.at('v4'), scene.at('v4-layers', 'laid'), '--history', '3', '--verbose'];
    const { stderr } = await callCli(['relayer', ...args, ...options, '--plan-only']);
    expect(stderr).toContain('history: 3 earlier images, 3 of them known by their notes');
    const both = await chances(
      scene.at('v4'),
      ...['v1', 'v2', 'v3'].flatMap((tag) => ['--history', scene.at(`${tag}-layers`, 'laid')]),
    );
    expect(both).toEqual(before);
    for (const tag of ['v2', 'v3'])
      await scene.succeed('copy', scene.at(`${tag}-layers`, 'laid'), scene.at(`${tag}-layers`));
    expect(await chances(scene.at('v4'), '--history', '3')).toEqual(before);
  });

  test('of a number takes the tags of a repository: of the destination, where it has as many', async () => {
    const { host } = await serve();
    for (const tag of ['v1', 'v2', 'v3', 'v4', 'later'])
      await scene.succeed('copy', scene.at(tag), `${host}/app:${tag}`);
    const expected = await chances(scene.at('v4'), '--history', '3');
    expect(await chances(`${host}/app:v4`, '--history', '3')).toEqual(expected);
    const laid = ['v1', 'v2', 'v3'].map((tag) => `${host}/laid/app:${tag}`);
    for (const [i, name] of laid.entries())
      await scene.succeed('relayer', `${host}/app:v${i + 1}`, name, ...options);
    const args = [`${host}/app:v4`, `${host}/laid/app:v4`, '--history', '3', '--verbose'];
    const { stderr } = await callCli(['relayer', ...args, ...options]);
    expect(stderr).toContain('history: 3 earlier images, 3 of them known by their notes');
    const missing = await callCli([
      'relayer',
      `${host}/app:v4`,
      `${host}/x:1`,
      '--history',
      `${host}/app:v9`,
    ]);
    expect(missing.status).toBe(1);
    expect(missing.stderr).toMatch(/manifest v9.*\[NOT_FOUND\]/);
  });

  test('gives the same image in any order', async () => {
    const tags = ['v3', 'v1', 'v2'];
    const written = (order: readonly string[], name: string) =>
      scene.succeed(
        'relayer',
        scene.at('v4'),
        scene.at(name, name),
        ...options,
        ...order.flatMap((tag) => ['--history', scene.at(tag)]),
      );
    const digest = (line: string) => line.slice(line.lastIndexOf('@'));
    expect(digest(await written(tags, 'one'))).toBe(digest(await written(tags.toReversed(), 'two')));
  });

  test('refuses a version that is not there, and numbers where nothing lists images', async () => {
    const missing = await callCli(['relayer', scene.at('v4'), scene.at('x'), '--history', scene.at('none')]);
    expect(missing).toMatchObject({ status: 1, stdout: '' });
    expect(missing.stderr).toContain('none');
    await scene.succeed('copy', scene.at('v4'), `oci-archive:${scene.path('v4.tar')}`);
    const archive = `oci-archive:${scene.path('v4.tar')}`;
    const unlisted = await callCli(['relayer', archive, `${archive}2`, '--history', '2']);
    expect(unlisted).toMatchObject({ status: 1, stdout: '' });
    expect(unlisted.stderr).toContain('neither in a registry nor in a layout');
  });
});
