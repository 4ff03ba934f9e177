/** Makes the page of a comparison: what differs between two images, platform by platform. `render-diff.ts` calls it. */
import type { ImageDiff, LayerPair, MemberChange, PlatformDiff } from '../../analyze/diff/image-diff.ts';
import type { Tool } from '../analyze/analyzed.ts';
import { instructionLine } from '../analyze/words.ts';
import { instructionText, platformTitle, relationText, totalsText, verdictSentence } from '../diff/words.ts';
import { modelWords } from '../client-words.ts';
import { escapeText } from '../escape.ts';
import type { PackedFiles } from './packed-files.ts';
import type { DataTable, Figure, Page, PageImage, PageLayer } from './page.ts';
import { pullSeconds } from './pull.ts';
import { versionTables } from './version-tables.ts';

/** Makes the page. `files` are those of each platform, in their order. */
export function pageOfDiff(
  diff: ImageDiff,
  files: readonly (PackedFiles | null)[],
  { name, version }: Tool,
): Page {
  const { a, b, platforms, artifacts, index } = diff;
  return {
    command: 'ocislim diff',
    title: `${escapeText(a.name)} \u2192 ${escapeText(b.name)}`,
    remark: `${verdictSentence(diff)}.`,
    names: [a, b].map((side, i) => ({
      role: i === 0 ? 'A' : 'B',
      reference: escapeText(side.name),
      digest: side.digest,
    })),
    images: platforms.map((platform, i) => imageOf(platform, files[i] ?? null)),
    warnings: [
      ...artifacts.map(({ change, type, digest }) => escapeText(`${change}: ${type} ${digest}`)),
      ...index.map(({ member, a, b }) =>
        escapeText(`index ${member}: ${a ?? 'nothing'} \u2192 ${b ?? 'nothing'}`),
      ),
    ],
    maker: escapeText(`Made by ${name} ${version}.`),
  };
}

function imageOf(platform: PlatformDiff, files: PackedFiles | null): PageImage {
  return {
    name: platformTitle(platform),
    figures: figuresOf(platform),
    actions: [],
    layers: platform.layers.map(layerOf),
    files:
      files === null
        ? null
        : {
            note: 'Files that differ. Those with other attributes alone are not in the treemap.',
            fates: files.fates,
            sides: ['Differing in A', 'Differing in B'],
            layers: [],
            rounded: files.rounded,
          },
    gates: [],
    tried: null,
    tables: tablesOf(platform),
  };
}

/** Makes the numbers of the headline that both sides have. */
function figuresOf({ a, b }: PlatformDiff): Figure[] {
  const figure = (
    label: string,
    unit: Figure['unit'],
    before: number | undefined,
    after: number | undefined,
  ) =>
    before === undefined || after === undefined ? [] : [{ label, unit, before, after, estimated: false }];
  const [was, is] = [a?.contents ?? undefined, b?.contents ?? undefined];
  return [
    ...figure('Transfer size', 'bytes', a?.transferBytes, b?.transferBytes),
    ...(a === null || b === null
      ? []
      : figure('Pull at 100 Mbit/s', 'seconds', pullSeconds(a.transferBytes), pullSeconds(b.transferBytes))),
    ...figure('Visible', 'bytes', was?.bytes, is?.bytes),
    ...figure('Paths', 'count', was?.paths, is?.paths),
    ...figure('Packages', 'count', was?.packages, is?.packages),
    ...figure('Layers', 'count', a?.layers, b?.layers),
  ];
}

function layerOf(pair: LayerPair): PageLayer {
  const { a, b } = pair;
  const numbers = [a, b].flatMap((layer) => (layer === null ? [] : `${layer.number}`));
  return {
    label: [...new Set(numbers)].join('\u2192'),
    sources: a === null ? [] : [a.number],
    instruction: instructionText(pair),
    before: a?.transferBytes ?? 0,
    after: b?.transferBytes ?? 0,
    what: relationText(pair),
  };
}

function tablesOf(platform: PlatformDiff): DataTable[] {
  const { config, manifest } = platform;
  return [
    downloadTable(platform),
    ...versionTables(platform.versions ?? []),
    packageTable(platform),
    membersTable('Config', config),
    historyTable(platform),
    membersTable('Manifest', manifest),
  ].filter(({ rows }) => rows.length > 0);
}

function downloadTable({ downloads, totals }: PlatformDiff): DataTable {
  const differ = totalsText(totals);
  return {
    title: 'What a client that has A downloads for B',
    note: differ === '' ? null : `Files: ${differ}.`,
    columns: [
      { title: 'Client', unit: 'text' },
      { title: 'Downloads', unit: 'bytes' },
      { title: 'Of', unit: 'bytes' },
      { title: 'Exact', unit: 'text' },
    ],
    rows: downloads.map(({ model, transferBytes, totalBytes, isEstimate }) => [
      `${modelWords[model].name}: ${modelWords[model].clients}`,
      transferBytes,
      totalBytes,
      isEstimate ? 'estimated' : 'exact',
    ]),
  };
}

function packageTable({ packages }: PlatformDiff): DataTable {
  return {
    title: 'Packages that differ',
    note: null,
    columns: [
      { title: 'Package', unit: 'text' },
      { title: 'Kind', unit: 'text' },
      { title: 'Change', unit: 'text' },
      { title: 'A', unit: 'text' },
      { title: 'B', unit: 'text' },
      { title: 'Size in A', unit: 'bytes' },
      { title: 'Size in B', unit: 'bytes' },
    ],
    rows: packages.map(({ name, kind, change, a, b, bytesA, bytesB }) => [
      escapeText(name),
      kind,
      change,
      a === null ? null : escapeText(a),
      b === null ? null : escapeText(b),
      bytesA,
      bytesB,
    ]),
  };
}

function membersTable(title: string, members: readonly MemberChange[]): DataTable {
  return {
    title,
    note: null,
    columns: [
      { title: 'Member', unit: 'path' },
      { title: 'A', unit: 'text' },
      { title: 'B', unit: 'text' },
    ],
    rows: members.map(({ member, a, b }) => [
      escapeText(member),
      a === null ? null : escapeText(a),
      b === null ? null : escapeText(b),
    ]),
  };
}

function historyTable({ history }: PlatformDiff): DataTable {
  return {
    title: 'History',
    note: null,
    columns: [
      { title: 'Row of A', unit: 'count' },
      { title: 'Row of B', unit: 'count' },
      { title: 'A', unit: 'path' },
      { title: 'B', unit: 'path' },
    ],
    rows: history.map(({ numberA, numberB, a, b }) => [
      numberA,
      numberB,
      escapeText(instructionLine(a)),
      escapeText(instructionLine(b)),
    ]),
  };
}
