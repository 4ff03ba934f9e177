/**
 * Estimates how likely an update changes each component: from earlier versions of the image, and from the dates at which its packages
 * were changed. The relayer calls it before `plan-layers.ts`.
 */
import type { DatedChange } from './changelog.ts';
import type { Component } from './component.ts';
import type { MappedComponent } from './components-of.ts';

/** Content digests of the components of one version of an image, by name. Equal digests mean equal contents. */
export type ComponentDigests = ReadonlyMap<string, string>;

/** What is known of how an image changes. */
export interface KnownChanges {
  /** The version that is planned; null where digests were not made. */
  readonly current: ComponentDigests | null;
  /** The version whose layers clients have; null for none. */
  readonly previous: ComponentDigests | null;
  /** Earlier versions, in any order; the previous one may be among them. */
  readonly history: readonly ComponentDigests[];
  /** The dated changes of packages, by component. */
  readonly dates: ReadonlyMap<string, readonly DatedChange[]>;
  /** The time of the image, in seconds since 1970. */
  readonly now: number;
}

/** Gives each component the probability of a change in one update. Does not depend on the order of `history`. */
export function rateChanges(
  components: readonly MappedComponent[],
  known: KnownChanges,
): readonly Component[] {
  return components.map((each) => {
    const { name, bytes, volatile } = each;
    const change = volatile ? 1 : posterior(name, priorOf(each, known), known);
    const isKnown = known.previous !== null && known.current !== null;
    const changed = isKnown && known.previous?.get(name) !== known.current?.get(name);
    return { name, bytes, volatile, change, changed };
  });
}

/** Probabilities of a change in one update by the kind of a component, where neither dates nor age tell anything. */
const usual: ReadonlyMap<string, number> = new Map([
  ['apk', 0.05],
  ['dpkg', 0.05],
  ['rpm', 0.05],
  ['conda', 0.2],
  ['python', 0.3],
  ['tree', 0.7],
]);
const usualElsewhere = 0.3;

/** Files that are younger than this were installed with the image, which says nothing of their contents. */
const installed = 2;
/** Files that are older have a made-up time, such as that of npm: 1985. */
const oldest = 20 * 365;

/** Returns the probability of a change in one update before any version was seen. */
function priorOf({ name, mtime }: MappedComponent, known: KnownChanges): number {
  const dates = known.dates.get(name);
  if (dates !== undefined) return rateOf(dates, known);
  const age = (known.now - mtime) / day;
  if (age > installed && age < oldest) return rateOf([{ time: mtime, release: null }], known);
  return usual.get(name.split(':', 1)[0] ?? name) ?? usualElsewhere;
}

/** Seconds of a day. */
const day = 86_400;
/** Days after which a change says half as much about the next one. */
const halfLife = 365;
/** Days between two updates, where nothing tells it. Only the differences between components matter. */
const interval = 30;
/** The weight of a change that was made before the distribution's release: afterwards few packages change. */
const inDevelopment = 0.1;
/** Where Debian's developers put packages before a release. */
const development = /\b(?:unstable|experimental|sid|UNRELEASED)\b/;
/** Changes that every component is believed to have had. */
const silent = 0.05;

/** Returns the probability of a change within an update, by the dates of earlier ones, as a Poisson process. */
function rateOf(dates: readonly DatedChange[], { now }: KnownChanges): number {
  let changes = silent;
  for (const { time, release } of dates) {
    if (time > now) continue;
    const weight = release !== null && development.test(release) ? inDevelopment : 1;
    changes += weight * 0.5 ** ((now - time) / day / halfLife);
  }
  const days = halfLife / Math.LN2 + interval;
  return 1 - Math.exp((-changes * interval) / days);
}

/** The updates that the dates count for, beside those that were seen. */
const weightOfDates = 2;

/** Corrects a probability by what was seen: how many different contents the versions have. */
function posterior(name: string, prior: number, { current, history }: KnownChanges): number {
  const seen = [...history, ...(current === null ? [] : [current])].flatMap(
    (version) => version.get(name) ?? [],
  );
  if (seen.length < 2) return prior;
  const changes = new Set(seen).size - 1;
  return (changes + weightOfDates * prior) / (seen.length - 1 + weightOfDates);
}
