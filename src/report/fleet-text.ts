/** What `fleet plan` tells at its end, on stderr. */
import type { FleetTotals } from '../fleet/index.ts';
import { formatSize } from '../units.ts';
import { formatNumberOf } from './figures.ts';

/** Renders what a plan holds: one line, and one for what it lacks. */
export function renderFleet(
  totals: FleetTotals,
  { leftOut, failed }: { readonly leftOut: number; readonly failed: number },
): string {
  const { images, tags, repositories, layers, references, bytes, namedBytes } = totals;
  const held = `${formatNumberOf(layers, 'layer')}, ${formatSize(bytes)}`;
  const shared =
    layers === references
      ? ''
      : ` (${formatSize(namedBytes)} in ${formatNumberOf(references, 'layer')} if nothing were shared)`;
  const lines = [
    `${formatNumberOf(images, 'image')} with ${formatNumberOf(tags, 'tag')} in ${formatNumberOf(repositories, 'repository', 'repositories')}: ${held}${shared}`,
    ...(leftOut + failed === 0 ? [] : [`${leftOut} left out, ${failed} failed`]),
  ];
  return `${lines.join('\n')}\n`;
}
