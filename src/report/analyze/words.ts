/** The words for what an analysis found. The text, Markdown and the gates use the same. */
import type { WasteKind } from '../../analyze/analysis.ts';
import type { Analysis, AnalyzedLayer, Saving, Savings } from '../../analyze/analysis.ts';
import { readInstruction, shortInstruction } from '../../analyze/instruction.ts';
import { maskSecrets } from '../../analyze/instruction-secrets.ts';
import { escapeText } from '../escape.ts';
import { formatSize } from '../figures.ts';

/** The words for each kind of waste, short enough for a column. */
export const wasteWords: Readonly<Record<WasteKind, string>> = {
  'secret-file': 'secret in a file',
  'secret-variable': 'secret in a variable',
  overwritten: 'overwritten',
  deleted: 'deleted above',
  attributes: 'copied by a change of owner or mode',
  duplicates: 'same contents again',
  cache: 'cache',
  documentation: 'documentation',
  'static-libraries': 'static libraries',
  'debug-symbols': 'debug symbols',
  'package-twice': 'package twice',
  development: 'development files',
};

/** Returns the Dockerfile line that made a layer, in one line; empty where the history does not tell. */
export function instructionLine(createdBy: string | null): string {
  return createdBy === null ? '' : shortInstruction(shownInstruction(createdBy), longestInstruction);
}

const longestInstruction = 1000;

/** Returns the instruction of a history row with what looks like a secret masked: reports go to logs and to other people. */
export function shownInstruction(createdBy: string): string {
  return maskSecrets(readInstruction(createdBy).text);
}

/** Returns the same escaped; empty where the history does not tell. */
export function instructionText({ instruction }: Pick<AnalyzedLayer, 'instruction'>): string {
  return escapeText(instructionLine(instruction));
}

/** Returns a share in percent with one digit: `95.3 %`. What is not a number has a dash. */
export function percentText(share: number): string {
  return Number.isFinite(share) ? `${(share * 100).toFixed(1)} %` : '–';
}

/** Lists the savings, each with its name. Empty where samples were not asked for. */
export function savingRows({ savings }: Pick<Analysis, 'savings'>): (readonly [keyof Savings, Saving])[] {
  if (savings === null) return [];
  const { squash, prune, recompress } = savings;
  return [
    ['squash', squash],
    ['prune', prune],
    ['recompress', recompress],
  ];
}

/** Renders the bytes that a command would save, with the error of the estimate: `-12.3 MB ± 0.4 MB`. */
export function savedText(bytes: number, error = 0): string {
  if (bytes === 0 && error === 0) return '0 B';
  const sign = bytes > 0 ? '-' : bytes < 0 ? '+' : '';
  return `${sign}${formatSize(Math.abs(bytes))}${error === 0 ? '' : ` ± ${formatSize(error)}`}`;
}

/** Returns the bytes of a layer's files that are neither shadowed nor a repetition. */
export function keptBytes(layer: AnalyzedLayer): number {
  return layer.contentBytes - layer.shadowedBytes - layer.duplicateBytes;
}
