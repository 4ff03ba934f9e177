import { describe, expect, test } from 'vitest';
import { basesShown, changesOfLayers } from '../../src/slim/layer-changes.ts';
import { imageOf } from '../laws/rig.ts';

const tars = Array.from({ length: 4 }, (_, i) => new Uint8Array(1024).fill(i));
const row = (created: string | null, created_by: string) => ({
  ...(created === null ? {} : { created }),
  created_by,
});
const image = (rows: readonly object[]) => {
  const plain = imageOf(tars);
  const history = rows.map((json) => ({
    emptyLayer: 'empty_layer' in json,
    created: (json as { created?: string }).created ?? null,
    createdBy: (json as { created_by?: string }).created_by ?? null,
    json: json as never,
  }));
  return { ...plain, config: { ...plain.config, history } };
};
const empty = (created_by: string) => ({ created_by, empty_layer: true });

describe('what the history tells of layers', () => {
  test('the older, the less likely to change; never less than the layer below', () => {
    const times = ['2024-01-01', '2022-01-01', '2024-12-30', '2025-01-01'];
    const changes = changesOfLayers(image(times.map((time) => row(`${time}T00:00:00Z`, 'RUN x'))));
    const chances = changes.map(({ change }) => change);
    expect(chances).toEqual([...chances].sort((a, b) => a - b));
    expect(chances[0]).toBeLessThan(0.03);
    expect(chances[3]).toBe(1);
  });

  test.each([
    ['no history', []],
    ['no times', tars.map(() => row(null, 'RUN x'))],
    ['one time', tars.map(() => row('1970-01-01T00:00:00Z', 'RUN x'))],
    ['times that are none', tars.map(() => row('yesterday', 'RUN x'))],
  ])('with %s, only their place counts', (_, rows) => {
    expect(changesOfLayers(image(rows)).map(({ change }) => change)).toEqual([0.25, 0.5, 0.75, 1]);
  });

  test('bases end where a command stands below further layers', () => {
    const rows = [
      row(null, '/bin/sh -c #(nop) ADD file:1 in / '),
      empty('/bin/sh -c #(nop)  CMD ["bash"]'),
      empty('ENV A=b'),
      row(null, 'RUN CMD=1'),
      row(null, 'COPY . ENTRYPOINT'),
      empty('ENTRYPOINT ["python3"]'),
      row(null, 'COPY app /app'),
      empty('CMD ["app"]'),
    ];
    expect(basesShown(image(rows))).toEqual([3, 1, 0]);
    expect(basesShown(image([]))).toEqual([0]);
  });
});
