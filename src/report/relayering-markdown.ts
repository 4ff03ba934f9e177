import { formatChange, formatSize } from './figures.ts';
import { code, details, escapeMarkdown, table } from './markdown-syntax.ts';
import { chanceText, componentText, figureText, relayeringFigures } from './relayering-text.ts';
import type { RelayeringReport } from './report.ts';

/** The most components of a layer that are named. */
const namedComponents = 12;

/** Shows in Markdown what updates download, and what is in each layer. */
export function renderRelayering(relayering: RelayeringReport): string[] {
  const figures = relayeringFigures(relayering).map(
    ({ label, before, after, wasEstimate, isEstimate, remark }) => [
      escapeMarkdown(label),
      figureText(before, wasEstimate),
      figureText(after, isEstimate),
      before === 0 ? '' : formatChange(before, after),
      escapeMarkdown(remark),
    ],
  );
  const layers = relayering.layers.map((layer) => [
    `${layer.number}`,
    formatSize(layer.transferBytes),
    chanceText(layer.change),
    formatSize(layer.expectedBytes),
    code(componentText(layer, namedComponents)),
  ]);
  return [
    '### What updates download',
    table(['download', 'before', 'after', 'change', ''], figures, 'lrrrl'),
    ...details('What is in each layer', [
      table(['layer', 'size', 'changes', 'expected', 'holds'], layers, 'rrrrl'),
    ]),
  ];
}
