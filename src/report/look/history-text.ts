/**
 * Renders the history of an image: as the table that `docker history` prints, as JSON, by a template. The command `history` calls it.
 */
import { readInstruction } from '../../analyze/instruction.ts';
import type { HistoryLine } from '../../jobs/look/history.ts';
import { formatSize } from '../../units.ts';
import { escapeText, safeJsonText } from '../escape.ts';
import { layOut, truncate } from '../table.ts';
import { fillIn, headingsOf, parseTemplate } from './template.ts';

export interface HistoryStyle {
  /** Columns that an instruction may take; null for all of it. */
  readonly width: number | null;
  /** Whether ages and rounded sizes are shown, instead of times and bytes. */
  readonly human: boolean;
  /** The present, in milliseconds since 1970. */
  readonly now: number;
}

/** Renders a table, the newest step first. */
export function renderHistory(lines: readonly HistoryLine[], style: HistoryStyle): string {
  const rows = lines.map((line) => {
    const { layer, comment } = line;
    return [
      layer === null ? '' : String(layer),
      createdText(line, style),
      instructionText(line, style),
      sizeText(line, style),
      comment === null ? '' : shortened(escapeText(comment), style.width),
    ];
  });
  return `${layOut([['LAYER', 'CREATED', 'CREATED BY', 'TRANSFER', 'COMMENT'], ...rows], 'rllrl').join('\n')}\n`;
}

/** Renders one object with the steps, the newest first. */
export function renderHistoryJson(name: string, lines: readonly HistoryLine[]): string {
  return `${safeJsonText(JSON.stringify({ image: name, history: lines }, null, 2))}\n`;
}

/** Renders the digests of the layers, the topmost first. */
export function renderDigests(lines: readonly HistoryLine[]): string {
  return lines.map(({ digest }) => (digest === null ? '' : `${digest}\n`)).join('');
}

/** Renders a line by a template for each step. @throws USAGE */
export function renderHistoryBy(text: string, lines: readonly HistoryLine[], style: HistoryStyle): string {
  const template = parseTemplate(text);
  const filled = lines.map((line) => fillIn(template, fieldsOf(line, style)));
  if (!template.isTable) return filled.map((line) => `${line}\n`).join('');
  const cells = [headingsOf(template), ...filled].map((line) => line.split('\t'));
  return `${layOut(cells, '').join('\n')}\n`;
}

/** Returns the fields that docker names, and the number of the layer. */
function fieldsOf(line: HistoryLine, style: HistoryStyle) {
  const { layer, digest, created, comment } = line;
  return {
    Layer: layer ?? '',
    ID: digest ?? '<missing>',
    CreatedSince: age(created, style.now),
    CreatedAt: created ?? '',
    CreatedBy: shortened(line.createdBy ?? '', style.width),
    Size: sizeText(line, style),
    Comment: comment ?? '',
  };
}

function createdText({ created }: HistoryLine, { human, now }: HistoryStyle): string {
  if (created === null) return '';
  return human ? age(created, now) : escapeText(created);
}

/** Returns the instruction on one line: as a Dockerfile has it, or whole and as the builder wrote it. */
function instructionText({ createdBy }: HistoryLine, { width }: HistoryStyle): string {
  const text = createdBy === null || width === null ? (createdBy ?? '') : readInstruction(createdBy).text;
  return shortened(escapeText(text.replaceAll(/\s+/g, ' ').trim()), width);
}

function sizeText({ transferBytes }: HistoryLine, { human }: HistoryStyle): string {
  return human ? formatSize(transferBytes) : String(transferBytes);
}

function shortened(text: string, width: number | null): string {
  return width === null ? text : truncate(text, width);
}

/** Returns how long ago something was, in docker's words. Escapes a text that is not a time. */
function age(created: string | null, now: number): string {
  if (created === null) return '';
  const time = Date.parse(created);
  if (Number.isNaN(time)) return escapeText(created);
  return `${duration(Math.max(0, now - time) / 1000)} ago`;
}

const day = 24 * 3600;

/** Units with the seconds below which each is used, as docker's go-units has them. */
const steps: readonly (readonly [below: number, seconds: number, unit: string])[] = [
  [60, 1, 'seconds'],
  [3600, 60, 'minutes'],
  [48 * 3600, 3600, 'hours'],
  [14 * day, day, 'days'],
  [60 * day, 7 * day, 'weeks'],
  [2 * 365 * day, 30 * day, 'months'],
  [Number.POSITIVE_INFINITY, 365 * day, 'years'],
];

function duration(seconds: number): string {
  if (seconds < 1) return 'Less than a second';
  if (seconds < 2) return '1 second';
  if (seconds >= 60 && seconds < 120) return 'About a minute';
  const hours = Math.round(seconds / 3600);
  if (seconds >= 3600 && hours === 1) return 'About an hour';
  const [, length, unit] = steps.find(([below]) => seconds < below) as (typeof steps)[number];
  const count = unit === 'hours' ? hours : Math.floor(seconds / length);
  return `${count} ${unit}`;
}
