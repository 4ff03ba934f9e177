/**
 * Sums results up over images: each contender of a work as a multiple of ocislim. The tables and the chart are made
 * of these lines.
 */
import { median, pairedRatio, spread, type Spread } from '../measure/statistics.ts';
import type { Results, Row } from '../results.ts';
import { works } from '../works/all.ts';
import type { Work } from '../works/work.ts';

/** One contender of one work over all images, as multiples of ocislim; null where there is nothing to compare with. */
export interface Line {
  readonly label: string;
  readonly rival: string;
  /** Multiples of the medians of the images. */
  readonly time: Spread | null;
  readonly cpu: number | null;
  /** The largest memory of all images, in bytes. */
  readonly memory: number | null;
  readonly output: number | null;
  readonly moved: number | null;
  /** How many of the verified results `ocislim verify` found to be the same. */
  readonly same: { readonly count: number; readonly of: number };
  /** The number of images that it ran on. */
  readonly images: number;
  /** The failure on the first image where it failed; null for none. */
  readonly failure: string | null;
}

export interface WorkSummary {
  readonly work: Work;
  readonly lines: readonly Line[];
}

/** Groups the rows of one work and one image, ocislim first. The first one that ran is the base of the comparison. */
export function groupRows(rows: readonly Row[]): readonly (readonly Row[])[] {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const key = `${row.work} ${row.image}`;
    groups.set(key, [...(groups.get(key) ?? []), row]);
  }
  return [...groups.values()];
}

/** Returns the row that the others of a group are compared with: ocislim, in the first of its ways that ran. */
export function baseOf(group: readonly Row[]): Row | undefined {
  return group.find(({ rival, runs }) => rival === 'ocislim' && runs.length > 0);
}

/** Returns the times of a row as multiples of those of the base, round by round. */
export function timeRatio(row: Row, base: Row | undefined): Spread | null {
  return base === undefined ? null : pairedRatio(seconds(row), seconds(base));
}

function seconds({ runs }: Row): readonly number[] {
  return runs.map((run) => run.seconds);
}

/** Returns all measured works in their order, and the contenders of each in theirs. */
export function summarise({ rows }: Pick<Results, 'rows'>): readonly WorkSummary[] {
  return works.flatMap((work) => {
    const groups = groupRows(rows.filter((row) => row.work === work.name));
    const labels = [...new Set(groups.flatMap((group) => group.map(({ label }) => label)))];
    return labels.length === 0 ? [] : [{ work, lines: labels.map((label) => summariseLine(label, groups)) }];
  });
}

function summariseLine(label: string, groups: readonly (readonly Row[])[]): Line {
  const pairs = groups.flatMap((group) => {
    const row = group.find((each) => each.label === label);
    return row === undefined ? [] : [{ row, base: baseOf(group) }];
  });
  const ran = pairs.filter(({ row }) => row.runs.length > 0);
  const of = (pick: (row: Row, base: Row) => number | null): readonly number[] =>
    ran.flatMap(({ row, base }) => {
      const value = base === undefined ? null : pick(row, base);
      return value === null || !Number.isFinite(value) ? [] : [value];
    });
  const middle = (values: readonly number[]): number | null => (values.length === 0 ? null : median(values));
  const times = of((row, base) => timeRatio(row, base)?.median ?? null);
  return {
    label,
    rival: pairs[0]?.row.rival ?? '',
    time: times.length === 0 ? null : spread(times),
    cpu: middle(of((row, base) => pairedRatio(cpu(row), cpu(base))?.median ?? null)),
    memory:
      ran.length === 0 ? null : Math.max(...ran.flatMap(({ row }) => row.runs.map(({ memory }) => memory))),
    output: middle(
      of((row, base) =>
        row.output === null || base.output === null ? null : row.output.size / base.output.size,
      ),
    ),
    moved: middle(
      of((row, base) =>
        row.moved === null || base.moved === null ? null : sum(row.moved) / sum(base.moved),
      ),
    ),
    same: {
      count: ran.filter(({ row }) => row.verified === 'same').length,
      of: ran.filter(({ row }) => row.verified !== null).length,
    },
    images: ran.length,
    failure: pairs.find(({ row }) => row.failure !== null)?.row.failure ?? null,
  };
}

function cpu({ runs }: Row): readonly number[] {
  return runs.map((run) => run.cpu);
}

function sum({ downloaded, uploaded }: NonNullable<Row['moved']>): number {
  return downloaded + uploaded;
}
