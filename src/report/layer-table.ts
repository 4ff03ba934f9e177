/**
 * Renders the layers of an image as a table, one line for each. The summary prints it with `--verbose`; Markdown takes its words.
 */
import { escapeText } from './escape.ts';
import { formatChange, formatSize } from './figures.ts';
import { forecastSize } from './forecast-text.ts';
import { describeMaker } from './made-by.ts';
import type { LayerAction, LayerReport } from './report.ts';
import type { Style } from './style.ts';
import { type Cell, layOut, truncate, widthOfRows } from './table.ts';

/** The words for each action. */
export const actionWords: Readonly<Record<LayerAction, string>> = {
  kept: 'kept',
  mounted: 'mounted',
  copied: 'copied',
  rewritten: 'rewritten',
  added: 'added',
  recompressed: 'recompressed',
  'kept-not-smaller': 'kept (no smaller)',
  dropped: 'dropped (empty)',
  planned: 'to be changed',
};

/** Renders the numbers of the source layers that went into a layer: `3`, `2–4`, `new`. */
export function layerNumbers({ before }: LayerReport): string {
  if (before.length === 0) return 'new';
  const first = before[0]?.number ?? 0;
  const last = before.at(-1)?.number ?? 0;
  return first === last ? `${first}` : `${first}–${last}`;
}

/** Adds up the bytes of the blobs that went into a layer. */
export function sizeBefore({ before }: LayerReport): number {
  return before.reduce((sum, { size }) => sum + size, 0);
}

/** Renders what made a layer, escaped, for a line of a table. Of several source layers the topmost with a history row counts. */
export function maker({ before }: LayerReport): string {
  const texts = before.map(({ createdBy }) => describeMaker(createdBy)).filter((text) => text !== '');
  const more = texts.length > 1 ? ` (and ${texts.length - 1} below)` : '';
  return escapeText((texts.at(-1) ?? '') + more);
}

/** Returns the bytes of the blob that a layer becomes: exact, or what a dry run expects; null for a dropped layer. */
export function sizeAfter({ after, estimate }: LayerReport): number | null {
  return after?.size ?? estimate?.size ?? null;
}

/** Renders that size: `~33.1 MB` for an estimate, a dash for a dropped layer. */
export function sizeAfterText(layer: LayerReport): string {
  if (layer.estimate !== undefined) return forecastSize(layer.estimate);
  if (layer.action === 'planned') return '?';
  return layer.after === null ? '–' : formatSize(layer.after.size);
}

/** Returns the words for what was done to a layer, or would be done. */
export function actionText({ action, estimate }: LayerReport): string {
  return estimate?.stays === true ? 'likely kept (no smaller)' : actionWords[action];
}

/**
 * Renders a line for each layer, lowest first: its number, what made it, its size before and after, and what was done. Where
 * there is no room for that, what made it goes to a line of its own.
 */
export function renderLayerTable(layers: readonly LayerReport[], style: Style, width: number): string[] {
  const heading: Cell[] = ['layer', 'made by', 'before', '', 'after', '', ''].map((text) => ({
    text,
    paint: style.dim,
  }));
  const rows = layers.map((layer): Cell[] => {
    const before = sizeBefore(layer);
    const changed = layer.after !== null && layer.after.digest !== layer.before[0]?.digest;
    const { estimate } = layer;
    const size = sizeAfter(layer);
    const smaller = size !== null && size < before;
    const after = sizeAfterText(layer);
    return [
      layerNumbers(layer),
      { text: truncate(maker(layer), madeByWidth), paint: changed ? (text) => text : style.dim },
      formatSize(before),
      changed || layer.after === null ? '→' : '',
      changed || layer.after === null ? after : '',
      {
        text: (changed || estimate !== undefined) && size !== null ? formatChange(before, size) : '',
        paint: smaller ? style.good : style.warning,
      },
      {
        text: actionText(layer),
        paint: changed || layer.after === null ? (text) => text : style.dim,
      },
    ];
  });
  const table = [heading, ...rows];
  if (widthOfRows(table) <= width) return layOut(table, 'llrlrrl');
  const narrow = layOut(
    table.map(([number = '', , ...figures]) => [number, ...figures]),
    'lrlrrl',
  );
  const makers = layers.map((layer) => truncate(maker(layer), width - indent.length));
  return narrow.flatMap((line, i) => {
    const made = makers[i - 1] ?? '';
    return made === '' ? [line] : [line, indent + style.dim(made)];
  });
}

const indent = '       ';
/** Columns of what made a layer, where it stands in the line of the layer. */
const madeByWidth = 48;
