/** Makes the page of a report about a run: of squash, prune, recompress, slim, copy and restore. `renderers.ts` calls it. */
import { imageNames } from '../image-names.ts';
import { escapeText, shownPath } from '../escape.ts';
import { noiseText } from '../noise-text.ts';
import { findingSentence } from '../findings-text.ts';
import { forecastLine } from '../forecast-text.ts';
import { actionText, layerNumbers, maker, sizeAfter, sizeBefore } from '../layer-table.ts';
import { describeMaker } from '../made-by.ts';
import type { LayerReport, PlatformReport, Report, ScannedReport, SlimmingReport } from '../report.ts';
import { fateText, goneText, scannedNotes, totals } from '../scanned-text.ts';
import { commandLine } from '../analyze/command-line.ts';
import { configLines, fileText, listSurface, surfaceWords } from '../surface-text.ts';
import { editedText, stillListedText } from '../packages-text.ts';
import { recordingSentence } from '../recording-words.ts';
import { isFromNothing, unchangedText } from '../words.ts';
import { pullSeconds } from './pull.ts';
import { runTables } from './run-tables.ts';
import { sentence } from './sentence.ts';
import { triedAlike, triedOf } from './tried.ts';
import type { PackedFiles } from './packed-files.ts';
import type {
  Action,
  DataTable,
  Figure,
  Page,
  PageFiles,
  PageImage,
  PageLayer,
  PageName,
  PageTried,
} from './page.ts';

/** Makes the page. `files` are those of each platform, in their order. */
export function pageOfReport(report: Report, files: readonly (PackedFiles | null)[]): Page {
  const { tool, command, source, platforms, warnings } = report;
  const named = imageNames(report);
  return {
    command: escapeText(`${tool.name} ${command}`),
    title: escapeText(report.destination?.references[0] ?? source.reference),
    remark: remarkOf(report),
    names: namesOf(report),
    images: platforms.map((platform, i) => ({
      ...imageOf(report, platform, files[i] ?? null),
      name: escapeText(named.get(platform) ?? ''),
    })),
    warnings: warnings.map(({ code, message }) => escapeText(`${code}: ${message}`)),
    maker: makerOf(report),
  };
}

function remarkOf(report: Report): string | null {
  const { recording, dryRun, unchanged } = report;
  const remarks = [
    ...(dryRun ? [`Dry run: nothing was written; ${escapeText(forecastLine(report))}.`] : []),
    ...(unchanged && !dryRun ? [`Unchanged: ${escapeText(unchangedText(report))}.`] : []),
    ...(recording === undefined ? [] : [`Recorded: ${recordingSentence(recording)}.`]),
  ];
  return remarks.length === 0 ? null : remarks.join(' ');
}

/** Makes the chapter about the recording for the platform that ran, and for those that were pruned by the same paths. */
function triedFor({ recording, platforms }: Report, { platform }: PlatformReport): PageTried | null {
  if (recording === undefined) return null;
  if (platform === recording.platform || platforms.length === 1) return triedOf(recording);
  return platform !== null && recording.alike.includes(platform) ? triedAlike(recording) : null;
}

function namesOf({ source, destination, debug }: Report): PageName[] {
  const named = (role: string, reference: string, digest: string | null): PageName => ({
    role,
    reference: escapeText(reference),
    digest: digest === null ? null : escapeText(digest),
  });
  return [
    ...(isFromNothing(source) ? [] : [named('Source', source.reference, source.digest)]),
    ...(destination?.references ?? []).map((reference) =>
      named('Result', reference, destination?.digest ?? null),
    ),
    ...(debug === undefined ? [] : [named('Debug image', debug.reference, debug.digest)]),
  ];
}

function makerOf({ tool, encoders, started }: Report): string {
  const used = encoders.map(({ name, version, level }) =>
    level === null ? `${name} ${version}` : `${name} ${version} at level ${level}`,
  );
  const by = used.length === 0 ? '' : ` with ${used.join(', ')}`;
  const when = started === null ? '' : ` on ${started.slice(0, 16).replace('T', ' ')} UTC`;
  return escapeText(`Made by ${tool.name} ${tool.version}${by}${when}.`);
}

function imageOf(
  report: Report,
  platform: PlatformReport,
  files: PackedFiles | null,
): Omit<PageImage, 'name'> {
  return {
    figures: figuresOf(platform, files),
    actions: actionsOf(report, platform, files),
    layers: platform.layers.map(layerOf),
    files: files === null ? null : filesOf(platform, files),
    gates: [],
    tried: triedFor(report, platform),
    tables: [...tablesOf(platform), ...runTables(report, platform)],
  };
}

/** Makes the numbers of the headline. Bytes unpacked and files are known where the files are. */
function figuresOf({ compressing, layers }: PlatformReport, files: PackedFiles | null): Figure[] {
  const { sizeBefore: before, sizeAfter: after, sizeAfterError = 0 } = compressing;
  const estimated = sizeAfterError > 0;
  const exact = { estimated: false } as const;
  const left = layers.filter(({ action }) => action !== 'dropped').length;
  const sources = layers.reduce((sum, layer) => sum + layer.before.length, 0);
  return [
    { label: 'Transfer size', unit: 'bytes', before, after, estimated },
    {
      label: 'Pull at 100 Mbit/s',
      unit: 'seconds',
      before: pullSeconds(before),
      after: after === null ? null : pullSeconds(after),
      estimated,
    },
    ...(files === null
      ? []
      : ([
          {
            label: 'Contents',
            unit: 'bytes',
            before: files.before.bytes,
            after: files.after.bytes,
            ...exact,
          },
          {
            label: 'Files in layers',
            unit: 'count',
            before: files.before.files,
            after: files.after.files,
            ...exact,
          },
        ] as const)),
    { label: 'Layers', unit: 'count', before: sources, after: left, ...exact },
  ];
}

/** Lists what could be done next, the heaviest first. */
function actionsOf(report: Report, { findings = [] }: PlatformReport, files: PackedFiles | null): Action[] {
  const reference = report.destination?.references[0] ?? report.source.reference;
  const action = { places: [], instruction: null, dockerfile: null } as const;
  const found = findings.map((finding): Action => {
    const { bytes, option, places } = finding;
    return {
      ...action,
      bytes,
      // Copies are named by their library, whose name stays as it is.
      what: finding.kind === 'copies' ? `${findingSentence(finding)}.` : sentence(findingSentence(finding)),
      places: places.slice(0, 5).map((place) => escapeText(`/${shownPath(place)}`)),
      command: option === null ? null : commandLine(['prune', ...wordsOf(option)], reference),
    };
  });
  return [...found, ...hiddenAction(files, reference)].sort((a, b) => (b.bytes ?? 0) - (a.bytes ?? 0));
}

/** Takes apart an option of a finding: its value may be in quotes. */
function wordsOf(option: string): string[] {
  const space = option.indexOf(' ');
  return [option.slice(0, space), option.slice(space + 1).replace(/^'(.*)'$/, '$1')];
}

/** Proposes to remove what layers above hide, where there is something. */
function hiddenAction(files: PackedFiles | null, reference: string): Action[] {
  if (files === null) return [];
  const bytes = files.fates.reduce(
    (sum, { group }, i) => sum + (group === 'hidden' ? (files.fateBytes[i] as number) : 0),
    0,
  );
  if (bytes === 0) return [];
  return [
    {
      bytes,
      what: 'Files that layers above replace or delete are still stored and pulled.',
      places: [],
      instruction: null,
      dockerfile: null,
      command: commandLine(['prune', '--shadowed'], reference),
    },
  ];
}

function layerOf(layer: LayerReport): PageLayer {
  return {
    label: layerNumbers(layer),
    sources: layer.before.map(({ number }) => number),
    instruction: maker(layer),
    before: layer.before.length === 0 ? null : sizeBefore(layer),
    after: layer.action === 'dropped' ? 0 : sizeAfter(layer),
    what: actionText(layer),
  };
}

function filesOf({ layers }: PlatformReport, { fates, rounded }: PackedFiles): PageFiles {
  const sources = layers.flatMap(({ before }) => before);
  const instructions: string[] = [];
  for (const { number, createdBy } of sources)
    instructions[number - 1] = escapeText(describeMaker(createdBy));
  return {
    note: 'Every entry of every layer.',
    fates,
    sides: ['Before', 'After'],
    layers: Array.from(instructions, (text) => text ?? ''),
    rounded,
  };
}

function tablesOf({ slimming, keeping, surface, packageDb, scanned }: PlatformReport): DataTable[] {
  const tables = [
    ...(slimming === null ? [] : [removedTable(slimming), changesTable(slimming)]),
    ...(packageDb === undefined ? [] : [packagesTable(packageDb)]),
    ...(scanned === undefined ? [] : [scannedTable(scanned)]),
    ...(keeping === null ? [] : [keptTable(keeping), leftOutTable(keeping)]),
    ...(surface === null ? [] : [surfaceTable(surface)]),
  ];
  return tables.filter(({ rows }) => rows.length > 0);
}

function removedTable({ byRule }: SlimmingReport): DataTable {
  return {
    title: 'Removed, by rule',
    note: 'Bytes of the tar, headers and padding included.',
    columns: [
      { title: 'Rule', unit: 'path' },
      { title: 'From', unit: 'text' },
      { title: 'Entries', unit: 'count' },
      { title: 'Unpacked', unit: 'bytes' },
    ],
    rows: byRule.map(({ rule, origin, entries, bytes }) => [
      escapeText(rule),
      escapeText(origin),
      entries,
      bytes,
    ]),
  };
}

function changesTable({ promoted, cleared, edited = [], linked, noise }: SlimmingReport): DataTable {
  return {
    title: 'Other changes',
    note: null,
    columns: [
      { title: 'Path', unit: 'path' },
      { title: 'Change', unit: 'text' },
    ],
    rows: [
      ...promoted.map((link) => [
        escapeText(`/${shownPath(link)}`),
        escapeText(`holds the data that was in ${link.from}: ${link.reason}`),
      ]),
      ...cleared.map((file) => [
        escapeText(`/${shownPath(file)}`),
        `had mode ${file.oldMode}, has ${file.newMode}`,
      ]),
      ...edited.map((file) => [escapeText(`/${shownPath(file)}`), editedText(file)]),
      ...(linked?.links ?? []).map((link) => [
        escapeText(`/${shownPath(link)}`),
        escapeText(`is now a hard link to ${link.to}, an identical file`),
      ]),
      ...(noise === undefined ? [] : [['', noiseText(noise)]]),
    ],
  };
}

function packagesTable({ takenOut, stillListed }: NonNullable<PlatformReport['packageDb']>): DataTable {
  const notes = stillListed.map(stillListedText);
  return {
    title: 'Packages that are no longer listed',
    note: notes.length === 0 ? null : escapeText(`${notes.join('; ')}.`),
    columns: [
      { title: 'Package', unit: 'text' },
      { title: 'Version', unit: 'text' },
      { title: 'Package URL', unit: 'text' },
    ],
    rows: takenOut.map(({ name, version, purl }) => [
      escapeText(name),
      escapeText(version ?? ''),
      escapeText(purl ?? ''),
    ]),
  };
}

function scannedTable(scanned: ScannedReport): DataTable {
  const { before, after } = totals(scanned);
  const gone = goneText(scanned);
  const counts = `${before} before, ${after} after${gone === '' ? '' : `; gone: ${gone}`}`;
  return {
    title: 'What scanners had found',
    note: escapeText(`${[counts, ...scannedNotes(scanned)].join('; ')}.`),
    columns: [
      { title: 'Finding', unit: 'text' },
      { title: 'Severity', unit: 'text' },
      { title: 'Package', unit: 'text' },
      { title: 'Version', unit: 'text' },
      { title: 'Result', unit: 'text' },
    ],
    rows: scanned.findings.map((row) => [
      escapeText(row.id),
      row.severity,
      escapeText(row.package ?? ''),
      escapeText(row.version ?? ''),
      fateText(row),
    ]),
  };
}

type Keeping = NonNullable<PlatformReport['keeping']>;

function keptTable({ byRule, trace, granularity }: Keeping): DataTable {
  return {
    title: 'Kept, by reason',
    note: escapeText(`By ${trace}, with granularity ${granularity}.`),
    columns: [
      { title: 'Reason', unit: 'text' },
      { title: 'Paths', unit: 'count' },
      { title: 'Unpacked', unit: 'bytes' },
    ],
    rows: byRule.map(({ rule, paths, bytes }) => [escapeText(rule), paths, bytes]),
  };
}

function leftOutTable({ leftOut }: Keeping): DataTable {
  return {
    title: 'Left out of listed directories',
    note: 'The trace saw these directories listed, and not all of their entries stay: --keep PATH keeps them.',
    columns: [
      { title: 'Directory', unit: 'path' },
      { title: 'Entries', unit: 'count' },
      { title: 'Unpacked', unit: 'bytes' },
    ],
    rows: leftOut.map((place) => [escapeText(`/${shownPath(place)}`), place.entries, place.bytes]),
  };
}

function surfaceTable(surface: NonNullable<PlatformReport['surface']>): DataTable {
  const config = configLines(surface).map(([label, text]) => `${label}: ${text}`);
  return {
    title: 'Attack surface',
    note: config.length === 0 ? null : escapeText(`${config.join('; ')}.`),
    columns: [
      { title: 'Path', unit: 'path' },
      { title: 'Kind', unit: 'text' },
      { title: 'Result', unit: 'text' },
    ],
    rows: surface.files.flatMap((row) =>
      listSurface(row).map(({ file, stays }) => [
        escapeText(`/${fileText(file)}`),
        surfaceWords[row.kind],
        stays ? 'stays' : 'gone',
      ]),
    ),
  };
}
