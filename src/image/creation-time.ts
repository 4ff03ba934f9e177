import type { Image } from './image.ts';

/** Returns when the newest of some images says that it was made, in milliseconds since 1970; null where none says it. */
export function newestCreation(images: readonly Image[]): number | null {
  const dates = images.map(({ config }) => Date.parse(String(config.json['created'])));
  return dates.reduce<number | null>((newest, date) => (date > (newest ?? -Infinity) ? date : newest), null);
}
