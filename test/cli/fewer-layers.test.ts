import { describe, expect, test } from 'vitest';
import { callCli } from '../support/cli.ts';
import { buildImage } from '../support/image-builder.ts';
import { openScene } from '../support/scene.ts';
import { specOf } from '../support/model/shorthand.ts';
import { writeTar } from '../support/model/tar-bytes.ts';

const tars = Array.from({ length: 200 }, (_, i) =>
  writeTar([`d${i % 7}/`, `d${i % 7}/f${i % 90}=${'x'.repeat((i * 37) % 500)}`, `g${i}`].map(specOf)),
);
/** The base has 5 layers and ends with its command. */
const history = tars.flatMap((_, i) => [
  { created: `2024-01-01T00:00:${String(i % 60).padStart(2, '0')}Z`, created_by: `RUN ${i}` },
  ...(i === 4 ? [{ created: '2024-01-01T00:00:00Z', created_by: 'CMD ["sh"]', empty_layer: true }] : []),
]);
const scene = openScene(() => ({ many: buildImage({ layers: tars, config: { history } }) }));

describe('squash --max-layers', () => {
  test('leaves so many layers of 200, those of the base among them, and the same files', async () => {
    await scene.succeed('squash', scene.at('many'), scene.at('fewer'), '--max-layers', '127');
    const before = await scene.read('many');
    const after = await scene.read('fewer');
    expect(after.layers).toHaveLength(127);
    const digests = (image: typeof before) => image.manifest.layers.map(({ digest }) => digest);
    expect(digests(after).slice(0, 5)).toEqual(digests(before).slice(0, 5));
    await scene.expectSame(scene.at('many'), scene.at('fewer'));
  });

  test('gives the same digest again, and keeps that of an image with no more layers', async () => {
    const digestOf = async (...args: string[]) => (await scene.succeed(...args)).split('@')[1];
    const first = await digestOf('squash', scene.at('many'), scene.at('a'), '--max-layers', '20');
    expect(
      await digestOf('squash', scene.at('many'), scene.at('b'), '--max-layers', '20', '--jobs', '1'),
    ).toBe(first);
    expect(await digestOf('squash', scene.at('a'), scene.at('c'), '--max-layers', '20')).toBe(first);
  });

  test('merges only selected layers, and says so where that is not enough', async () => {
    const args = ['squash', scene.at('many'), scene.at('upper'), '--layers', '101..200'];
    await scene.succeed(...args, '--max-layers', '110');
    const { layers } = await scene.read('upper');
    expect(layers).toHaveLength(110);
    const { status, stderr } = await callCli([...args, '--max-layers', '100']);
    expect(status).toBe(2);
    expect(stderr).toContain('has 100 layers that must stay: 100 cannot be the most');
  });

  test('is a stage of plans, too', async () => {
    const plan = await scene.write('plan.yaml', 'version: 1\nsquash: { maxLayers: 20 }\n');
    const planned = await scene.succeed('slim', scene.at('many'), scene.at('planned'), '-f', plan);
    expect(planned.split('@')[1]).toBe(
      (await scene.succeed('squash', scene.at('many'), scene.at('d'), '--max-layers', '20')).split('@')[1],
    );
    const { stderr } = await callCli(['slim', scene.at('many'), scene.at('x'), '--max-layers', '20']);
    expect(stderr).toContain('squash --max-layers N');
  });
});
