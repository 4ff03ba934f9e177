/** The table of findings: a new kind is a row. The analysis calls `findSteps`. */
import type { Steps } from '../../steps.ts';
import type { WasteFinding } from '../analysis.ts';
import { duplicateFindings } from './duplicates.ts';
import type { FindingContext, FindingFamily } from './finding.ts';
import { packageFindings } from './packages.ts';
import { presetFindings } from './presets.ts';
import { secretFindings } from './secrets.ts';
import { shadowedFindings } from './shadowed.ts';

const families: readonly FindingFamily[] = [
  secretFindings,
  shadowedFindings,
  duplicateFindings,
  presetFindings,
  packageFindings,
];

/** Finds what could go: secrets first, then by bytes, largest first. */
export function* findSteps(context: FindingContext): Steps<readonly WasteFinding[]> {
  const found: WasteFinding[] = [];
  for (const find of families) for (const finding of yield* find(context)) found.push(finding);
  const isSecret = ({ kind }: WasteFinding) => kind === 'secret-file' || kind === 'secret-variable';
  return found.sort(
    (a, b) =>
      Number(isSecret(b)) - Number(isSecret(a)) ||
      b.bytes - a.bytes ||
      (a.why < b.why ? -1 : a.why > b.why ? 1 : 0),
  );
}
