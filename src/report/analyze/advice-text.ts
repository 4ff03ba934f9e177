/**
 * Renders what to do about an image: the findings with their two fixes, and what each command would save. The text of an analysis
 * begins with it.
 */
import type { Analysis, WasteFinding } from '../../analyze/analysis.ts';
import { displayPath, escapeText } from '../escape.ts';
import { formatCount, formatSize } from '../figures.ts';
import type { Style } from '../style.ts';
import { layOut, widthOf } from '../table.ts';
import { combinedCommand, combinedWords, commandWords } from './command-line.ts';
import { wrapped } from './tail-table.ts';
import type { TextOptions } from './text.ts';
import { savedText, savingRows, wasteWords } from './words.ts';

/** Renders the findings: bytes and reason, the places, the fix in the Dockerfile, and the command to copy. */
export function findingLines({ findings, image, surface }: Analysis, options: TextOptions): string[] {
  const { style, width, top } = options;
  if (findings.length === 0)
    return surface === null
      ? []
      : [style.bold('what to do'), ...wrapped('Nothing: no waste worth a line was found.', width)];
  const shown = findings.slice(0, top);
  const figures = shown.map(figureOf);
  const room = figures.reduce((widest, figure) => Math.max(widest, widthOf(figure)), 0);
  const rest = findings.length - shown.length;
  return [
    style.bold('what to do'),
    ...shown.flatMap((finding) => findingBlock(finding, image.name, { ...options, room })),
    ...combinedLines(shown, image.name, options),
    ...(rest === 0 ? [] : [style.dim(`and ${formatCount(rest)} more, with --top ${findings.length}`)]),
  ];
}

/** Renders the command that does what those of several findings do. */
function combinedLines(
  findings: readonly WasteFinding[],
  source: string,
  { style, width }: TextOptions,
): string[] {
  const command = combinedCommand(findings);
  if (command === null) return [];
  const lines = commandLines(command, source, width - 2);
  return [...wrapped(combinedWords, width), ...lines.map((line) => `  ${style.good(line)}`)];
}

/** Returns the bytes of a finding, or the word for one that is not about bytes. */
function figureOf({ bytes }: WasteFinding): string {
  return bytes === 0 ? 'security' : formatSize(bytes);
}

function findingBlock(
  finding: WasteFinding,
  source: string,
  { style, width, room }: TextOptions & { readonly room: number },
): string[] {
  const { kind, bytes, why, places, dockerfile, command } = finding;
  const figure = figureOf(finding);
  const indent = ' '.repeat(room + 2);
  const inside = Math.max(20, width - indent.length);
  const paint = bytes === 0 ? style.warning : style.bold;
  const listed = places.slice(0, 3).map(({ path }) => `/${displayPath(path)}`);
  const lines = [
    ...wrapped(escapeText(`${wasteWords[kind]}: ${why}`), inside),
    ...(listed.length === 0 ? [] : wrapped(`in ${listed.join(', ')}`, inside).map(style.dim)),
    ...(dockerfile === null ? [] : wrapped(`Dockerfile: ${escapeText(dockerfile)}`, inside)),
    ...(command === null ? [] : commandLines(command, source, inside).map(style.good)),
  ];
  return lines.map(
    (line, i) => (i === 0 ? `${' '.repeat(room - widthOf(figure))}${paint(figure)}  ` : indent) + line,
  );
}

/** Renders a command to copy in lines of a shell that fit, each but the last with a backslash at its end. */
function commandLines(command: readonly string[], source: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of commandWords(command, source)) {
    if (line !== '' && widthOf(line) + 1 + widthOf(word) > width - 2) {
      lines.push(`${line} \\`);
      line = `  ${word}`;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

/**
 * Renders what each command would save by itself, each with the command below it; without estimates, the option that asks for them.
 * Empty for a quick analysis.
 */
export function savingLines(analysis: Analysis, { style, width }: TextOptions): string[] {
  const title = style.bold('what each command would save, by itself');
  const rows = savingRows(analysis);
  if (rows.length === 0)
    return analysis.surface === null
      ? []
      : [title, style.dim('--estimate tells, by packing the layers on trial')];
  const table = layOut(
    [
      ['', 'pull', 'unpacked'].map((text) => ({ text, paint: style.dim })),
      ...rows.map(([word, { transferBytes, error, unpackedBytes }]) => [
        word,
        { text: savedText(transferBytes, error), paint: paintOf(transferBytes, error, style) },
        savedText(unpackedBytes),
      ]),
    ],
    'lrr',
  );
  const indent = '  ';
  const [head = '', ...lines] = table;
  return [
    title,
    head,
    ...lines.flatMap((line, i) => {
      const command = rows[i]?.[1].command ?? [];
      const shown = commandLines(command, analysis.image.name, width - indent.length);
      return [line, ...shown.map((part) => indent + style.dim(part))];
    }),
  ];
}

function paintOf(bytes: number, error: number, style: Style) {
  return bytes > error ? style.good : bytes < -error ? style.warning : style.dim;
}
