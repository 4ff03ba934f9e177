/** Renders a verdict as GitLab's code quality report: a list of breaches with severities and fingerprints. */
import { escapeText } from '../escape.ts';
import { breachesOf, fixText, type Judgement } from './judgement.ts';
import { fingerprint } from './location.ts';

/** Makes the document. Two breaches of one gate that differ in numbers only get numbered fingerprints. */
export function gitlabDocument(judgement: Judgement): readonly object[] {
  const { image } = judgement;
  const seen = new Map<string, number>();
  return breachesOf(judgement).map((told) => {
    const { gate, breach } = told;
    const fix = fixText(breach, image);
    const own = fingerprint(told, image);
    const count = seen.get(own) ?? 0;
    seen.set(own, count + 1);
    return {
      description: escapeText(`${gate.id}: ${breach.message}.${fix === '' ? '' : ` Fix: ${fix}`}`),
      check_name: `ocislim/${gate.id}`,
      fingerprint: count === 0 ? own : `${own}-${count}`,
      severity: gate.level === 'error' ? 'major' : 'minor',
      location: { path: escapeText(image), lines: { begin: 1 } },
    };
  });
}
