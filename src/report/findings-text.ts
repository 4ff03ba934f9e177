/**
 * Renders what could go, too, in sentences. The summary and Markdown call it.
 */
import { escapeText, shownPath } from './escape.ts';
import { formatNumberOf, formatSize } from './figures.ts';
import type { FindingReport } from './report.ts';

/** The words for each kind. `schema-findings.ts` has such words too, but loads zod and must not be imported here. */
const words: Readonly<Record<Exclude<FindingReport['kind'], 'copies'>, string>> = {
  'gpu-development': 'static libraries, headers, samples and profilers of CUDA and ROCm',
  'pip-cache': 'the cache of pip',
  'uv-cache': 'the cache of uv',
};

/** The most places that a line names. */
const shownPlaces = 3;

/** Renders a line for each of the heaviest findings, and one for the rest. */
export function findingLines(findings: readonly FindingReport[], most: number): readonly string[] {
  const shown = findings.length <= most + 1 ? findings : findings.slice(0, most);
  const rest = findings.slice(shown.length);
  const bytes = rest.reduce((sum, finding) => sum + finding.bytes, 0);
  return [
    ...shown.map(findingLine),
    ...(rest.length === 0
      ? []
      : [
          `${formatSize(bytes)}: ${formatNumberOf(rest.length, 'more finding')}, in the JSON report and with -v`,
        ]),
  ];
}

/** Says what a finding is, in a sentence without an end and without its size. */
export function findingSentence({ kind, library = '', files }: FindingReport): string {
  if (kind === 'copies')
    return `${escapeText(library)} is there ${timesText(files)}; --trace keeps the copies that are used`;
  return `${words[kind]}, ${formatNumberOf(files, 'file')}`;
}

function findingLine(finding: FindingReport): string {
  const { kind, library = '', files, bytes, option, places } = finding;
  const where = places.slice(0, shownPlaces).map((place) => escapeText(`/${shownPath(place)}`));
  const more = places.length - where.length;
  const list = `${where.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
  if (kind === 'copies')
    return `${formatSize(bytes)}: ${escapeText(library)} is there ${timesText(files)}, ${list}; --trace keeps those that are used`;
  const how = option === null ? '' : ` (${escapeText(option)})`;
  return `${formatSize(bytes)}: ${words[kind]}${how}, ${formatNumberOf(files, 'file')} in ${list}`;
}

function timesText(count: number): string {
  return count === 2 ? 'twice' : `${count} times`;
}
