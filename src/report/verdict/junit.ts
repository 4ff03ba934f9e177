/** Renders a verdict as JUnit's XML: a test case for each gate; warnings that are not met are skipped tests with a message. */
import { escapeText } from '../escape.ts';
import { fixText, type Judgement } from './judgement.ts';

/** Yields the document line by line. */
export function* renderJunit({ verdict, image, tool }: Judgement): Generator<string> {
  const { gates } = verdict;
  const open = (level: string) =>
    gates.filter((gate) => gate.level === level && gate.breaches.length > 0).length;
  const counts = `tests="${gates.length}" failures="${open('error')}" errors="0" skipped="${open('warning')}"`;
  yield '<?xml version="1.0" encoding="UTF-8"?>\n';
  yield `<testsuites name=${attribute(`${tool.name} check`)} ${counts}>\n`;
  yield `  <testsuite name=${attribute(image)} ${counts}>\n`;
  for (const { id, title, level, breaches } of gates) {
    const test = `    <testcase classname=${attribute(image)} name=${attribute(`${id}: ${title}`)}`;
    if (breaches.length === 0) {
      yield `${test}/>\n`;
      continue;
    }
    const messages = breaches.map((breach) => {
      const fix = fixText(breach, image);
      return `${breach.message}.${fix === '' ? '' : ` Fix: ${fix}`}`;
    });
    const message = attribute(messages[0] ?? '');
    yield level === 'error'
      ? `${test}>\n      <failure type=${attribute(id)} message=${message}>${messages.map(text).join('\n')}</failure>\n    </testcase>\n`
      : `${test}>\n      <skipped message=${message}/>\n    </testcase>\n`;
  }
  yield '  </testsuite>\n</testsuites>\n';
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};

/** Escapes a text for XML. What XML 1.0 cannot hold (section 2.2) is not left in it: `escapeText` has written it as an escape. */
function text(value: string): string {
  return escapeText(value).replaceAll(/[&<>"'\ufffe\uffff]/g, (character) => entities[character] ?? '\ufffd');
}

function attribute(value: string): string {
  return `"${text(value)}"`;
}
