/**
 * Tables of the page that are about a result as a whole: what changed in the config, second manifests, what speaks of the source, what was signed
 * and stated. `of-report.ts` puts them into the chapter of each image that they are about.
 */
import { knownTypes, typeNames } from '../../attest/names.ts';
import { escapeText } from '../escape.ts';
import type { PlatformReport, Report } from '../report.ts';
import type { DataTable } from './page.ts';
import { relayeringTables } from './relayering-tables.ts';

type Columns = DataTable['columns'];

const text = (title: string): Columns[number] => ({ title, unit: 'text' });
const path = (title: string): Columns[number] => ({ title, unit: 'path' });

/** Makes the tables of one image. What is about the whole index is in those of every image. */
export function runTables(report: Report, platform: PlatformReport): readonly DataTable[] {
  return [
    ...relayeringTables(platform),
    configTable(platform),
    variantTable(report, platform),
    artifactTable(report, platform),
    statementTable(report, platform),
  ].filter(({ rows }) => rows.length > 0);
}

function configTable({ configuring }: PlatformReport): DataTable {
  const value = (json: string | null) => (json === null ? 'absent' : escapeText(json));
  return {
    title: 'Changes of the config',
    note: null,
    columns: [path('Member'), path('Before'), path('After')],
    rows: (configuring?.changes ?? []).map(({ member, before, after }) => [
      escapeText(member),
      value(before),
      value(after),
    ]),
  };
}

function variantTable({ variants = [], dryRun }: Report, { platform }: PlatformReport): DataTable {
  return {
    title: 'The same image in zstd',
    note: 'A second manifest, for clients that read zstd: the files are those of the first one.',
    columns: [
      path('Manifest'),
      { title: dryRun ? 'Transfer size, estimated' : 'Transfer size', unit: 'bytes' },
    ],
    rows: variants
      .filter((variant) => variant.platform === platform)
      .map(({ digest, size }) => [digest ?? 'not written', size]),
  };
}

/** What became of artifacts, in the words of the page. */
const fateWords: Readonly<Record<NonNullable<Report['referrers']>[number]['fate'], string>> = {
  left: 'stays with the source',
  copied: 'copied along',
  kept: 'stays in the index',
  dropped: 'left out: its image changed',
};

function artifactTable({ referrers = [] }: Report, { platform }: PlatformReport): DataTable {
  return {
    title: 'Signatures, attestations and SBOMs of the source',
    note: 'They name the digest of the source, and hold for nothing else.',
    columns: [text('Kind'), path('Type'), path('Digest'), text('About'), text('Now')],
    rows: referrers
      .filter((artifact) => artifact.platform === null || artifact.platform === platform)
      .map(({ kind, predicateTypes, artifactType, mediaType, digest, platform: about, fate }) => [
        kind,
        escapeText(predicateTypes.length > 0 ? predicateTypes.join(', ') : (artifactType ?? mediaType)),
        digest,
        about === null ? 'the whole' : escapeText(about),
        fateWords[fate],
      ]),
  };
}

/** What statements are called. */
const statementWords: Readonly<Record<string, string>> = {
  [knownTypes.signature]: 'signature',
  [knownTypes.provenance]: 'provenance',
  [typeNames.equivalence]: 'equivalence',
};

function statementTable({ attestations, platforms, dryRun }: Report, { digest }: PlatformReport): DataTable {
  const key = attestations?.key ?? null;
  const others = new Set(platforms.map((each) => each.digest).filter((each) => each !== digest));
  return {
    title: dryRun ? 'What would be signed and stated' : 'Signed and stated of the result',
    note: key === null ? null : escapeText(`Signed by a key of the kind ${key.kind}: ${key.hint}.`),
    columns: [text('Statement'), path('About'), text('Where')],
    rows: (attestations?.statements ?? [])
      .filter(({ subject }) => !others.has(subject))
      .map(({ predicateType, subject, isAttached }) => [
        statementWords[predicateType] ?? escapeText(predicateType),
        subject ?? 'not written',
        isAttached ? 'beside the image' : 'in files',
      ]),
  };
}
