/** Renders a verdict as GitHub-flavoured Markdown, for the summary of a job. */
import { bullets, code, details, escapeMarkdown, table } from '../markdown-syntax.ts';
import { commandLine } from '../analyze/command-line.ts';
import { breachesOf, type Judgement, summaryText } from './judgement.ts';

/** Renders what failed with the fixes, and a table of all gates. All markup in it is ours. */
export function renderVerdictMarkdown(judgement: Judgement): string {
  const { verdict, image } = judgement;
  const told = breachesOf(judgement).map(({ gate, breach }) => {
    const { message, fix, command } = breach;
    const parts = [
      `**${gate.level}** ${code(gate.id)}: ${escapeMarkdown(message)}.`,
      ...(fix === null ? [] : [`${escapeMarkdown(fix)}.`]),
      ...(command === null ? [] : [code(commandLine(command, image))]),
    ];
    return parts.join(' ');
  });
  const rows = verdict.gates.map(({ id, level, title, breaches }) => [
    code(id),
    breaches.length === 0 ? 'met' : level === 'error' ? 'failed' : 'warning',
    escapeMarkdown(title),
  ]);
  const blocks = [
    `## ${verdict.passed ? 'Passed' : 'Failed'}: ${escapeMarkdown(image)}`,
    `${escapeMarkdown(summaryText(judgement))}.`,
    ...(told.length === 0 ? [] : [bullets(told)]),
    ...details('all gates', [table(['gate', '', 'what it asks'], rows, 'lll')]),
  ];
  return `${blocks.join('\n\n')}\n`;
}
