/**
 * Renders the main figures of a report as lines `name=value`, which CI services take for outputs of a step and for variables. The table
 * of renderers loads it for files that end in `.env`.
 */
import { escapeText } from './escape.ts';
import type { Report } from './report.ts';

/** Renders one line for each figure. Values are one line of harmless text; those that a dry run does not know are empty. */
export function renderVariables({ destination, unchanged, platforms }: Report): string {
  const before = platforms.map(({ compressing }) => compressing.sizeBefore);
  const after = platforms.map(({ compressing }) => compressing.sizeAfter);
  const values: Readonly<Record<string, string | number | boolean | null>> = {
    image:
      destination === null ? null : `${withoutDigest(destination.references[0] ?? '')}@${destination.digest}`,
    digest: destination?.digest ?? null,
    unchanged,
    before: sum(before),
    after: after.includes(null) ? null : sum(after.map(Number)),
  };
  return Object.entries(values)
    .map(([name, value]) => `${name}=${value === null ? '' : escapeText(String(value))}\n`)
    .join('');
}

/** Drops the digest of a reference, and the "@" of one that asked for no tag. */
function withoutDigest(reference: string): string {
  return reference.replace(/@(?:sha(?:256|512):[0-9a-f]+)?$/, '');
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
