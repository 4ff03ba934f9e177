import { median, pairedRatio, spread, type Spread } from '../measure/statistics.ts';
import type { Results, Row } from '../results.ts';
import { works } from '../works/all.ts';
import type { Work } from '../works/work.ts';

/** How one contender did one work over all images, as multiples of what ocislim took; null where there is nothing to compare. */
export interface Line {
  readonly label: string;
  readonly rival: string;
  /** Of the medians of the images. */
  readonly time: Spread | null;
  readonly cpu: number | null;
  /** Bytes: the largest of all images. */
  readonly memory: number | null;
  readonly output: number | null;
  readonly moved: number | null;
  /** In how many of the results that were verified `ocislim verify` found nothing. */
  readonly same: { readonly count: number; readonly of: number };
  /** On how many images it ran. */
  readonly images: number;
  /** Of the first image where it failed. */
  readonly failure: string | null;
}

export interface WorkSummary {
  readonly work: Work;
  readonly lines: readonly Line[];
}

/** The rows of one work and one image, that of ocislim first; the first one that ran is what the others are compared with. */
export function groupRows(rows: readonly Row[]): readonly (readonly Row[])[] {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const key = `${row.work} ${row.image}`;
    groups.set(key, [...(groups.get(key) ?? []), row]);
  }
  return [...groups.values()];
}

/** What others of the group are compared with: ocislim, in the first of its ways that ran. */
export function baseOf(group: readonly Row[]): Row | undefined {
  return group.find(({ rival, runs }) => rival === 'ocislim' && runs.length > 0);
}

/** Times of a row as multiples of those of the base, round by round. */
export function timeRatio(row: Row, base: Row | undefined): Spread | null {
  return base === undefined ? null : pairedRatio(seconds(row), seconds(base));
}

function seconds({ runs }: Row): readonly number[] {
  return runs.map((run) => run.seconds);
}

/** All works that were measured, in their order, and in each the contenders in theirs. */
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
