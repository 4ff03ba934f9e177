/**
 * Says how likely an update changes each layer of an image, and where its bases end, by what the history tells. `fewer-layers.ts` calls
 * it, before any layer is read.
 */
import { filledRows, mendedHistory } from '../image/history-rows.ts';
import type { Image } from '../image/image.ts';
import type { Mergeable } from './adjacent-groups.ts';

/** Milliseconds between two updates, where nothing tells it: 30 days. */
const interval = 30 * 86_400_000;

/**
 * Returns the size of each source layer and the probability that an update changes it. A layer that is old has outlived many builds. Of
 * layers of one age the upper ones change more often: an update changes any instruction, and a build makes everything above it again.
 */
export function changesOfLayers(image: Image): readonly Mergeable[] {
  const { layers } = image.manifest;
  const times = timesOf(image);
  const newest = times.reduce<number>((most, time) => Math.max(most, time ?? 0), 0);
  let likeliest = 0;
  return layers.map(({ size }, i) => {
    const age = newest - (times[i] ?? newest);
    likeliest = Math.max(likeliest, interval / (age + interval));
    return { size, change: (likeliest * (i + 1)) / layers.length };
  });
}

/** Returns when each layer was made, in milliseconds since 1970; null where the history does not say. */
function timesOf(image: Image): readonly (number | null)[] {
  const { diffIds, history } = image.config;
  if (history.length === 0) return diffIds.map(() => null);
  return filledRows(mendedHistory(image)).map(({ created }) => {
    const time = created === null ? NaN : Date.parse(created);
    return Number.isFinite(time) ? time : null;
  });
}

/** A row that ends most base images, as the classic builder and BuildKit write it. */
const ending = /^(?:\/bin\/sh -c #\(nop\) +)?(?:CMD|ENTRYPOINT)\b/;

/**
 * Returns the numbers of the layers that are the topmost of a base, the highest first: a command or an entrypoint stands above them in
 * the history, and further layers above that. 0, for no base, is the last one.
 */
export function basesShown({ config }: Image): readonly number[] {
  const tops = new Set([0]);
  let layers = 0;
  let command: number | null = null;
  for (const { emptyLayer, createdBy } of config.history) {
    if (emptyLayer && ending.test(createdBy ?? '')) command = layers;
    if (emptyLayer) continue;
    if (command !== null) tops.add(command);
    command = null;
    layers++;
  }
  return [...tops].filter((top) => top < config.diffIds.length).reverse();
}
