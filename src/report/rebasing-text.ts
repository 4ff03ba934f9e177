import { escapeText } from './escape.ts';
import { formatNumberOf } from './figures.ts';
import type { RebasingReport } from './report.ts';

/** Says in a line what became of the base. */
export function rebasingSentence({ oldBase, newBase, applicationLayers }: RebasingReport): string {
  const name = newBase.name === null ? newBase.digest.slice(0, 19) : escapeText(newBase.name);
  const layers = formatNumberOf(applicationLayers, 'layer');
  return `${layers} of the application on ${name}: ${newBase.layers} of its own in place of ${oldBase.layers}`;
}

/** Says what is missing on the new base, and what the application hides of it; one line each. */
export function rebasingNotes({ missing, hiddenCount }: RebasingReport): readonly string[] {
  return [
    ...missing.map(({ sentence }) => `missing: ${escapeText(sentence)}`),
    ...(hiddenCount === 0 ? [] : [`${formatNumberOf(hiddenCount, 'file')} of the new base hidden`]),
  ];
}
