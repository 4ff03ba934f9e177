/**
 * The words and figures about new layers that all renderers share. The summary, Markdown, the page and the plan of `--plan-only` are made of
 * them.
 */
import { modelWords } from './client-words.ts';
import { escapeText } from './escape.ts';
import { formatCount, formatNumberOf, formatSize } from './figures.ts';
import type { RelayeringReport } from './report.ts';

/** One figure of the source's layers and of the result's. */
export interface RelayeringFigure {
  readonly label: string;
  readonly before: number;
  readonly after: number;
  /** Whether the figure before is an estimate. */
  readonly wasEstimate: boolean;
  /** Whether the figure after is one. */
  readonly isEstimate: boolean;
  readonly remark: string;
}

/** Lists what updates download, before and after: as expected, and from the version before. */
export function relayeringFigures({
  previous,
  before,
  after,
}: RelayeringReport): readonly RelayeringFigure[] {
  const downloads = (after.downloads ?? []).flatMap((download): RelayeringFigure[] => {
    const was = before.downloads?.find(({ model }) => model === download.model);
    if (was === undefined) return [];
    const { model, isEstimate, transferBytes, layers } = download;
    return [
      {
        label: `from ${escapeText(previous?.name ?? 'the version before')}, ${modelWords[model].name}`,
        before: was.transferBytes,
        after: transferBytes,
        wasEstimate: was.isEstimate,
        isEstimate,
        remark: `${formatCount(layers)} of ${formatNumberOf(after.layers, 'layer')}`,
      },
    ];
  });
  return [
    {
      label: 'expected of an update',
      before: before.expectedBytes,
      after: after.expectedBytes,
      wasEstimate: true,
      isEstimate: true,
      remark: 'size × chance of a change, over all layers',
    },
    ...downloads,
  ];
}

/** Renders bytes that may be an estimate. */
export function figureText(bytes: number, isEstimate: boolean): string {
  return `${isEstimate ? '~' : ''}${formatSize(bytes)}`;
}

/** Renders a chance: `3 %`, `<1 %`. */
export function chanceText(chance: number): string {
  const percent = Math.round(100 * chance);
  return chance > 0 && percent === 0 ? '<1 %' : `${percent} %`;
}

/** Names the components of a layer, the largest first. */
export function componentText(
  { components }: RelayeringReport['layers'][number],
  most: number = components.length,
): string {
  if (components.length === 0) return 'of the base';
  const names = [...components].sort((a, b) => b.bytes - a.bytes).map(({ name }) => escapeText(name));
  const rest = names.length - most;
  return rest > 0 ? `${names.slice(0, most).join(', ')} and ${formatCount(rest)} more` : names.join(', ');
}
