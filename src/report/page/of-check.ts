/** Makes the page of a check: the gates with what to do, and the analysis that they were asked of. `render-check.ts` calls it. */
import type { Analysis } from '../../analyze/analysis.ts';
import type { GateResult } from '../../analyze/gates/verdict.ts';
import { commandLine } from '../analyze/command-line.ts';
import { escapeText } from '../escape.ts';
import { sentence } from './sentence.ts';
import { type Judgement, summaryText } from '../verdict/judgement.ts';
import { imageOf, pageOfAnalysis } from './of-analysis.ts';
import type { PackedFiles } from './packed-files.ts';
import type { Gate, Page } from './page.ts';

/** Makes the page. */
export function pageOfCheck(judgement: Judgement, analysis: Analysis, files: PackedFiles | null): Page {
  const gates = judgement.verdict.gates.flatMap((gate) => gatesOf(gate, judgement.image));
  return {
    ...pageOfAnalysis(analysis, files, judgement.tool),
    command: 'ocislim check',
    remark: escapeText(`${summaryText(judgement)}.`),
    images: [{ ...imageOf(analysis, files), gates }],
  };
}

/** Makes a row of a gate that is met, and one of each breach. */
function gatesOf({ id, title, level, breaches }: GateResult, image: string): Gate[] {
  const name = escapeText(`${id}: ${title}`);
  if (breaches.length === 0) return [{ name, result: 'passed', text: '', fix: null, command: null }];
  return breaches.map(
    ({ message, fix, command }): Gate => ({
      name,
      result: level === 'error' ? 'failed' : 'warning',
      text: escapeText(sentence(message)),
      fix: fix === null ? null : escapeText(sentence(fix)),
      command: command === null ? null : commandLine(command, image),
    }),
  );
}
