/** Renders a verdict as text: a line for each breach with its fix, and one for the result. */
import { escapeText } from '../escape.ts';
import { plainStyle, type Style } from '../style.ts';
import { breachesOf, fixText, type Judgement, summaryText } from './judgement.ts';

/** Renders whole lines, all of them escaped. They are not wrapped, so that each gate keeps to one line in a log. */
export function renderVerdictText(judgement: Judgement, style: Style = plainStyle): string {
  const lines = breachesOf(judgement).map(({ gate, breach }) => {
    const fix = fixText(breach, judgement.image);
    const word = gate.level === 'error' ? style.warning('error') : 'warning';
    return `${word}: ${escapeText(`${gate.id}: ${breach.message}`)}${fix === '' ? '' : style.dim(escapeText(` | fix: ${fix}`))}`;
  });
  const summary = escapeText(summaryText(judgement));
  return `${[...lines, judgement.verdict.passed ? style.good(summary) : style.bold(summary)].join('\n')}\n`;
}
