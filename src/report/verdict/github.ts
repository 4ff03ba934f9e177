/** Renders a verdict as commands of GitHub's runners, which show them as annotations. They are our own: no name of an image can add one. */
import { escapeText } from '../escape.ts';
import { breachesOf, fixText, type Judgement, summaryText } from './judgement.ts';

/** Renders a command for each breach, and a notice of the result. */
export function renderGithub(judgement: Judgement): string {
  const lines = breachesOf(judgement).map(({ gate, breach }) => {
    const fix = fixText(breach, judgement.image);
    const message = escapeText(`${breach.message}.${fix === '' ? '' : ` Fix: ${fix}`}`);
    return `::${gate.level} title=${property(`ocislim check: ${gate.id}`)}::${data(message)}`;
  });
  const summary = `::notice title=${property('ocislim check')}::${data(escapeText(summaryText(judgement)))}`;
  return `${[...lines, summary].join('\n')}\n`;
}

/** Escapes the text of a command, as actions/toolkit does. */
function data(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

/** Escapes a property of a command. */
function property(text: string): string {
  return data(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}
