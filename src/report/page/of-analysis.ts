/** Makes the page of an analysis: one image, what it holds, what it wastes and what to do about it. `render-analysis.ts` calls it. */
import type { Analysis, AnalyzedLayer, WasteFinding } from '../../analyze/analysis.ts';
import { surfaceKinds } from '../../rootfs/surface/surface.ts';
import type { Tool } from '../analyze/analyzed.ts';
import { combinedCommand, combinedWords, commandLine } from '../analyze/command-line.ts';
import { secretRows, userText } from '../analyze/surface-lines.ts';
import { instructionText, percentText, savedText, savingRows, wasteWords } from '../analyze/words.ts';
import { displayPath, escapeText } from '../escape.ts';
import { formatNumberOf, formatSize } from '../figures.ts';
import { surfaceWords } from '../surface-text.ts';
import type { PackedFiles } from './packed-files.ts';
import type { Action, DataTable, Figure, Page, PageImage, PageLayer } from './page.ts';
import { pullSeconds } from './pull.ts';
import { sentence } from './sentence.ts';

/** Makes the page. */
export function pageOfAnalysis(analysis: Analysis, files: PackedFiles | null, { name, version }: Tool): Page {
  const { image, unreadDatabases } = analysis;
  return {
    command: 'ocislim analyze',
    title: escapeText(image.name),
    remark: image.created === null ? null : escapeText(`Created ${shortTime(image.created)}`),
    names: [{ role: 'Image', reference: escapeText(image.name), digest: image.digest }],
    images: [imageOf(analysis, files)],
    warnings: unreadDatabases.map(({ path, why }) =>
      escapeText(`The package database /${displayPath(path)} cannot be read: ${why}`),
    ),
    maker: escapeText(`Made by ${name} ${version}.`),
  };
}

/** Shortens a time of RFC 3339 to minutes. */
function shortTime(created: string): string {
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d:.*Z$/.test(created)
    ? `${created.slice(0, 16).replace('T', ' ')} UTC`
    : created;
}

/** Makes the chapter of the image. `of-check.ts` puts its gates into it. */
export function imageOf(analysis: Analysis, files: PackedFiles | null): PageImage {
  const { image, findings, layers } = analysis;
  return {
    name: escapeText(image.platform ?? 'image'),
    figures: figuresOf(analysis),
    actions: [...findings.map((finding) => actionOf(finding, analysis)), ...combinedActions(analysis)],
    layers: layers.map(layerOf),
    files:
      files === null
        ? null
        : {
            note: 'Every entry of every layer.',
            fates: files.fates,
            sides: ['All layers', null],
            layers: layers.map(instructionText),
            rounded: files.rounded,
          },
    gates: [],
    tried: null,
    tables: tablesOf(analysis),
  };
}

/** Makes the numbers of the headline. */
function figuresOf({ totals, layers, dive }: Analysis): Figure[] {
  const figure = (label: string, unit: Figure['unit'], before: number): Figure => {
    return { label, unit, before, after: null, estimated: false };
  };
  return [
    figure('Transfer size', 'bytes', totals.transferBytes),
    figure('Pull at 100 Mbit/s', 'seconds', pullSeconds(totals.transferBytes)),
    figure('Visible', 'bytes', totals.visibleBytes),
    figure('Files', 'count', totals.visibleFiles),
    figure('Layers', 'count', layers.length),
    figure('Reclaimable', 'bytes', totals.reclaimableBytes),
    figure("dive's efficiency", 'percent', dive.efficiency),
  ];
}

function actionOf(finding: WasteFinding, { image, layers }: Analysis): Action {
  const { kind, bytes, layer, why, places, dockerfile, command } = finding;
  const maker = layer === null ? undefined : layers[layer - 1];
  const instruction = maker === undefined ? '' : instructionText(maker);
  return {
    bytes: bytes === 0 ? null : bytes,
    what: escapeText(sentence(`${wasteWords[kind]}: ${why}`)),
    places: places.map(({ path, bytes }) =>
      bytes === 0 ? `/${displayPath(path)}` : `/${displayPath(path)} (${formatSize(bytes)})`,
    ),
    // Short ones stand in the reason already.
    instruction: instruction === '' || why.includes(instruction) ? null : instruction,
    dockerfile: dockerfile === null ? null : escapeText(dockerfile),
    command: command === null ? null : commandLine(command, image.name),
  };
}

/** Makes the row with the command that does what those of several findings do. */
function combinedActions({ findings, image }: Analysis): readonly Action[] {
  const command = combinedCommand(findings);
  if (command === null) return [];
  const none = { bytes: null, places: [], instruction: null, dockerfile: null };
  return [{ ...none, what: combinedWords, command: commandLine(command, image.name) }];
}

function layerOf(layer: AnalyzedLayer): PageLayer {
  const { number, transferBytes, shadowedBytes, duplicateBytes } = layer;
  const waste = [
    ...(shadowedBytes === 0 ? [] : [`${formatSize(shadowedBytes)} shadowed`]),
    ...(duplicateBytes === 0 ? [] : [`${formatSize(duplicateBytes)} duplicate`]),
  ];
  return {
    label: `${number}`,
    sources: [number],
    instruction: instructionText(layer),
    before: transferBytes,
    after: null,
    what: waste.join(', '),
  };
}

function tablesOf(analysis: Analysis): DataTable[] {
  return [
    savingsTable(analysis),
    packageTable(analysis),
    surfaceTable(analysis),
    inefficientTable(analysis),
  ].filter(({ rows }) => rows.length > 0);
}

function savingsTable(analysis: Analysis): DataTable {
  return {
    title: 'What each command would save, by itself',
    note: 'Estimated from samples of the layers.',
    columns: [
      { title: 'Command', unit: 'path' },
      { title: 'Pull', unit: 'text' },
      { title: 'Unpacked', unit: 'text' },
    ],
    rows: savingRows(analysis).map(([, { transferBytes, error, unpackedBytes, command }]) => [
      commandLine(command, analysis.image.name),
      savedText(transferBytes, error),
      savedText(unpackedBytes),
    ]),
  };
}

function packageTable({ packages }: Analysis): DataTable {
  return {
    title: 'Packages',
    note: null,
    columns: [
      { title: 'Package', unit: 'text' },
      { title: 'Version', unit: 'text' },
      { title: 'Kind', unit: 'text' },
      { title: 'Layer', unit: 'count' },
      { title: 'Files', unit: 'count' },
      { title: 'Size', unit: 'bytes' },
    ],
    rows: packages.map(({ name, version, kind, layer, files, bytes }) => [
      escapeText(name),
      version === null ? null : escapeText(version),
      kind,
      layer,
      files,
      bytes,
    ]),
  };
}

function surfaceTable({ surface, image }: Analysis): DataTable {
  const { ports } = image.config;
  const user = surface === null ? '' : `User: ${userText(surface, image.config.user)}.`;
  const secrets = surface === null ? [] : secretRows(surface);
  return {
    title: 'Attack surface',
    note: ports.length === 0 ? user : escapeText(`${user} Ports: ${ports.join(', ')}.`),
    columns: [
      { title: 'Path', unit: 'path' },
      { title: 'Kind', unit: 'text' },
    ],
    rows: [
      ...secrets.flatMap(([label, names]) => names.map((name) => [name, label])),
      ...(surface === null
        ? []
        : surfaceKinds.flatMap((kind) =>
            surface.files[kind].map(({ path }) => [`/${displayPath(path)}`, surfaceWords[kind]]),
          )),
    ],
  };
}

/** The most rows of what dive calls inefficient, which may be tens of thousands. */
const shownInefficient = 200;

/** Lists what dive calls inefficient. */
function inefficientTable({ dive }: Analysis): DataTable {
  const rows = dive.inefficient.slice(0, shownInefficient);
  const more = dive.inefficient.length - rows.length;
  const rest = more === 0 ? '' : ` ${formatNumberOf(more, 'path')} of fewer bytes are left out.`;
  return {
    title: 'Wasted, as dive counts',
    note: `${formatSize(dive.wastedBytes)} wasted, ${percentText(dive.wastedUserPercent)} of what lies above the lowest layer. Every occurrence of a path counts, the visible one too.${rest}`,
    columns: [
      { title: 'Path', unit: 'path' },
      { title: 'Times', unit: 'count' },
      { title: 'Bytes', unit: 'bytes' },
    ],
    rows: rows.map(({ path, count, bytes }) => [`/${displayPath(path)}`, count, bytes]),
  };
}
