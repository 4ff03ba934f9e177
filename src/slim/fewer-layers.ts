/**
 * The transform that merges adjacent layers until few enough are left. The stage `squash` calls it where a number of layers is asked
 * for.
 */
import { OcislimError } from '../errors.ts';
import { type Image, nameOfImage, overlaps, rangeOf, type Layer, type Transform } from '../image/image.ts';
import { type Selection, selectLayers, selectsNothing } from '../image/selection.ts';
import { groupAdjacent, type Mergeable } from './adjacent-groups.ts';
import { basesShown, changesOfLayers } from './layer-changes.ts';
import { squash } from './squash.ts';

/** How many layers to leave, and which may be merged. */
export interface FewerLayers {
  /** The most layers of the new image, those that stay included. */
  readonly maxLayers: number;
  /** The layers that may be merged. Null: those above the base that the history shows, or all where they are too many. */
  readonly within: Selection | null;
}

/**
 * Merges adjacent layers until at most `maxLayers` are left: those by which later updates cost least. An image that has no more stays as
 * it is. @throws SELECTION_INVALID where the layers that must stay are too many, BASE_MISMATCH
 */
export function fewerLayers({ maxLayers, within }: FewerLayers): Transform {
  return (image: Image) => {
    const { layers } = image.plan;
    if (layers.length <= maxLayers || (within !== null && selectsNothing(image, within))) return image;
    const free = within === null ? aboveBase(image, maxLayers) : selected(image, within);
    const count = maxLayers - (layers.length - free.length);
    if (count < Math.min(1, free.length) || free.length === 0) throw tooMany(image, maxLayers, free.length);
    const starts = groupAdjacent(mergeableOf(image, free), count);
    const groups = starts.map((start, i) => free.slice(start, starts[i + 1] ?? free.length));
    return groups.reduce(mergeGroup, image);
  };
}

/** Returns the layers above the highest base that leaves room for a layer above it. */
function aboveBase(image: Image, maxLayers: number): readonly Layer[] {
  const mergeable = image.plan.layers.filter(({ content }) => rangeOf(content) !== null);
  const fixed = image.plan.layers.length - mergeable.length;
  for (const base of basesShown(image)) {
    const free = mergeable.filter(({ content }) => (rangeOf(content)?.from ?? 0) > base);
    if (mergeable.length - free.length + fixed < maxLayers && free.length > 0) return free;
  }
  return mergeable;
}

function selected(image: Image, within: Selection): readonly Layer[] {
  const range = selectLayers(image, within);
  return image.plan.layers.filter(({ content }) => overlaps(content, range));
}

/** Adds up the source layers that went into each layer of the plan. */
function mergeableOf(image: Image, layers: readonly Layer[]): readonly Mergeable[] {
  const sources = changesOfLayers(image);
  return layers.map(({ content }) => {
    const { from, to } = rangeOf(content) ?? { from: 1, to: 0 };
    const own = sources.slice(from - 1, to);
    return { size: own.reduce((sum, { size }) => sum + size, 0), change: own.at(-1)?.change ?? 0 };
  });
}

function mergeGroup(image: Image, group: readonly Layer[]): Image {
  const ranges = group.flatMap(({ content }) => rangeOf(content) ?? []);
  const [first] = ranges;
  const last = ranges.at(-1);
  if (ranges.length < 2 || first === undefined || last === undefined) return image;
  return squash({ kind: 'range', from: first.from, to: last.to })(image);
}

function tooMany(image: Image, maxLayers: number, free: number): OcislimError {
  const stay = image.plan.layers.length - free;
  const told = stay === 1 ? 'one layer' : `${stay} layers`;
  return new OcislimError(
    'SELECTION_INVALID',
    `${nameOfImage(image)} has ${told} that must stay: ${maxLayers} cannot be the most`,
    { advice: 'Select more layers, or allow more: --max-layers.' },
  );
}
