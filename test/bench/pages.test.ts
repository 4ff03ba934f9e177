import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { renderChart } from '../../bench/chart/svg.ts';
import { summarise } from '../../bench/chart/summary.ts';
import { benchMarks, renderDetails, renderSummary } from '../../bench/chart/table.ts';
import type { Results, Row } from '../../bench/results.ts';
import type { ScalingResults } from '../../bench/scaling/cases.ts';
import { renderScaling } from '../../bench/scaling/page.ts';
import { withMarked } from '../../scripts/docs/marked.ts';
import { MiB } from '../../src/units.ts';

const read = (file: string) => readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');

describe('the pages and the chart', () => {
  const results = JSON.parse(read('bench/results.json')) as Results;

  it('are what the generator makes of bench/results.json', () => {
    const readme = read('bench/README.md');
    expect(withMarked(readme, renderSummary(results), benchMarks)).toBe(readme);
    expect(renderDetails(results)).toBe(read('bench/results.md'));
    expect(renderChart(results)).toBe(read('docs/speed.svg'));
  });

  it('of scale are what the generator makes of bench/scaling.json', () => {
    expect(renderScaling(JSON.parse(read('bench/scaling.json')) as ScalingResults)).toBe(
      read('bench/scaling.md'),
    );
  });
});

const usage = (seconds: number) => ({ seconds, cpu: seconds * 2, memory: seconds * MiB });

function row(more: Partial<Row>): Row {
  return {
    work: 'zstd3',
    image: 'a',
    label: 'ocislim',
    rival: 'ocislim',
    runs: [usage(1), usage(10)],
    output: { layers: 1, size: 1e6 },
    moved: null,
    verified: 'same',
    differs: null,
    failure: null,
    ...more,
  };
}
const other = { label: 'other | one', rival: 'skopeo', runs: [usage(2), usage(20)] } as const;

describe('summarise', () => {
  it('compares with ocislim round by round, then takes the median of the images', () => {
    const rows = [
      row({}),
      row({ ...other, output: { layers: 1, size: 2e6 } }),
      row({ image: 'b', runs: [usage(1)] }),
      row({ image: 'b', ...other, runs: [usage(4)], output: { layers: 1, size: 4e6 } }),
    ];
    const [{ lines } = { lines: [] }] = summarise({ rows });
    expect(
      lines.map(({ label, time, cpu, output, images }) => ({ label, time, cpu, output, images })),
    ).toEqual([
      { label: 'ocislim', time: { median: 1, min: 1, max: 1 }, cpu: 1, output: 1, images: 2 },
      { label: 'other | one', time: { median: 3, min: 2, max: 4 }, cpu: 3, output: 3, images: 2 },
    ]);
    expect(lines[1]?.memory).toBe(20 * MiB);
  });

  it('compares with the second way of ocislim where the first one failed', () => {
    const failed = row({ runs: [], output: null, failure: 'no such option' });
    const second = row({ label: 'ocislim, otherwise' });
    const [summary] = summarise({ rows: [failed, second, row(other)] });
    expect(summary?.lines.map(({ time }) => time?.median)).toEqual([undefined, 1, 2]);
    expect(summary?.lines[0]).toMatchObject({ images: 0, failure: 'no such option' });
  });

  it('has nothing to compare where ocislim did not run', () => {
    const [summary] = summarise({ rows: [row(other)] });
    expect(summary?.lines).toMatchObject([{ time: null, cpu: null, images: 1, same: { count: 1, of: 1 } }]);
  });
});

const results = (rows: readonly Row[]): Results => ({
  machine: { processor: 'P', cores: 2, memory: 2 ** 33, kernel: '6', system: 'S', node: '26' },
  date: '2026-01-02',
  versions: { ocislim: '1' },
  missing: { crane: 'not installed: crane' },
  images: [{ name: 'a', layers: 1, size: 1e6 }],
  installs: [{ name: 'ocislim', bytes: 2e6, dependencies: 7, what: 'all' }],
  rows,
});

describe('the tables', () => {
  const failure = 'a | `b` <c>\u2028and'.padEnd(300, '.');
  const all = results([row({}), row(other), row({ ...other, label: 'third', runs: [], failure })]);

  it('have as many cells in every row as in their heads', () => {
    for (const text of [renderSummary(all), renderDetails(all)]) {
      const tables = text
        .trimEnd()
        .split(/\n\n+/)
        .filter((part) => part.startsWith('|'));
      expect(tables.length).toBeGreaterThan(0);
      for (const table of tables) {
        const counts = table.split('\n').map((line) => line.match(/(?<!\\)\|/g)?.length);
        expect(new Set(counts).size).toBe(1);
      }
    }
  });

  it('say what is missing, what failed, and how long it took', () => {
    expect(renderSummary(all)).toContain('Missing: crane (not installed: crane).');
    expect(renderDetails(all)).toContain('| failed: a &#124; &#96;b&#96; &#60;c&#62;');
    expect(renderDetails(all)).toContain('| 11.00 (2.00–20.00) | 2.00× (2.00×–2.00×) |');
  });

  it('go between their marks, and nowhere else', () => {
    const text = `a\n${benchMarks[0]}\nold\n${benchMarks[1]}\nb\n`;
    expect(withMarked(text, 'new', benchMarks)).toBe(`a\n${benchMarks[0]}\n\nnew\n\n${benchMarks[1]}\nb\n`);
    expect(() => withMarked('a', 'new', benchMarks)).toThrow('no marks');
  });
});

describe('the chart', () => {
  it('has a bar for each contender, as long as its time, and cuts what is too long', () => {
    const chart = renderChart({
      rows: [
        row({}),
        row({ ...other, label: 'a & <b>', output: { layers: 1, size: 2e6 } }),
        row({ ...other, label: 'slow', runs: [usage(50)] }),
      ],
    });
    const widths = [...chart.matchAll(/<rect [^>]*width="(\d+)"/g)].map(([, width]) => Number(width));
    expect(widths).toHaveLength(3);
    expect(widths[1]).toBeCloseTo((widths[0] as number) * 2, -1);
    expect(widths[2]).toBe(340);
    expect(chart).toContain('→ 50.0×');
    expect(chart).toContain('a &amp; &lt;b&gt;');
    expect(chart).toContain('2.00×, 200.0 % of the bytes<');
    expect(chart).toContain('→ 50.0×<');
  });

  it('leaves out works that only ocislim does', () => {
    expect(renderChart({ rows: [row({})] })).not.toContain('<rect');
  });
});
