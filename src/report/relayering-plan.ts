import { escapeText } from './escape.ts';
import { formatNumberOf, formatSize } from './figures.ts';
import { chanceText, componentText } from './relayering-text.ts';
import type { Report } from './report.ts';
import { layOut } from './table.ts';

/** Renders the planned layers of every platform, from the lowest, with all components: the answer of `--plan-only`. Escaped lines. */
export function renderPlan({ platforms }: Report): string {
  const lines = platforms.flatMap(({ platform, relayering }) => {
    if (relayering === undefined) return [];
    const { after, layers } = relayering;
    const rows = layers.map((layer) => [
      `${layer.number}`,
      `~${formatSize(layer.transferBytes)}`,
      chanceText(layer.change),
      `~${formatSize(layer.expectedBytes)}`,
      componentText(layer),
    ]);
    const sums = `~${formatSize(after.transferBytes)}; an update is expected to download ~${formatSize(after.expectedBytes)}`;
    return [
      `${escapeText(platform ?? 'image')}: ${formatNumberOf(after.layers, 'layer')}, ${sums}`,
      ...layOut([['layer', 'size', 'changes', 'expected', 'holds'], ...rows], 'rrrrl'),
    ];
  });
  return lines.map((line) => `${line}\n`).join('');
}
