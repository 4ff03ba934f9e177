/**
 * Reads the series of images that the simulation of the relayer goes through: which version of what is in each build, its size, and
 * the dates of its changelog. `collect.sh` has written them from real archives; `bench/relayer.ts` simulates them.
 */
import type { DatedChange } from '../../src/relayer/changelog.ts';

/** A component over all builds of a series. */
export interface SeriesComponent {
  readonly name: string;
  /** The instruction of a Dockerfile that would put it there, counted from the lowest. */
  readonly layer: number;
  /** By build: the number of its version; null where it is not in the build. */
  readonly versions: readonly (number | null)[];
  /** By version: its bytes. */
  readonly bytes: readonly number[];
}

/** An image that is built several times. */
export interface Series {
  readonly name: string;
  /** By build: its time in seconds since 1970. */
  readonly times: readonly number[];
  readonly components: readonly SeriesComponent[];
}

/** All series, and the dated changes of their components. */
export interface Collection {
  readonly series: readonly Series[];
  readonly dates: ReadonlyMap<string, readonly DatedChange[]>;
}

/**
 * Reads lines with tabs: "series NAME DATE…", then its components, "c NAME LAYER VERSIONS BYTES…", where VERSIONS has a letter for each
 * build and "-" for none; "d NAME DATE…" for changelogs, with "*" behind a change made before the release of the distribution.
 */
export function readCollection(text: string): Collection {
  const series: { name: string; times: number[]; components: SeriesComponent[] }[] = [];
  const dates = new Map<string, readonly DatedChange[]>();
  for (const line of text.split('\n')) {
    const [kind, name = '', ...rest] = line.split('\t');
    if (kind === 'series') series.push({ name, times: rest.map(timeOf), components: [] });
    else if (kind === 'c') series.at(-1)?.components.push(componentOf(name, rest));
    else if (kind === 'd') dates.set(name, rest.map(changeOf));
  }
  return { series, dates };
}

function componentOf(
  name: string,
  [layer = '0', versions = '', ...bytes]: readonly string[],
): SeriesComponent {
  return {
    name,
    layer: Number(layer),
    versions: Array.from(versions, (letter) =>
      letter === '-' ? null : letter.charCodeAt(0) - 'a'.charCodeAt(0),
    ),
    bytes: bytes.map(Number),
  };
}

function timeOf(date: string): number {
  return Date.parse(`${date.slice(0, 4)}-${date.slice(4, 6)}-${date.slice(6, 8)}T00:00:00Z`) / 1000;
}

function changeOf(text: string): DatedChange {
  return { time: timeOf(text), release: text.endsWith('*') ? 'unstable' : 'stable' };
}
