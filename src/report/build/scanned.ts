/** The part of the report about what scanners had found. `build.ts` calls it for images that were pruned. */
import { matchFindingSteps, type MatchedFinding } from '../../analyze/scanned/match-findings.ts';
import { type ScannedFile, type ScannedFinding, severities } from '../../analyze/scanned/scanned.ts';
import type { ImageOutcome } from '../../jobs/rewrite/records.ts';
import { componentsOf } from '../../rootfs/packages/component-index.ts';
import { mergeFacts } from '../../rootfs/facts/merged-facts.ts';
import type { Distribution } from '../../rootfs/packages/distribution.ts';
import { isOfDistribution } from '../../rootfs/packages/package.ts';
import { purlOf } from '../../rootfs/packages/purl.ts';
import { inTurns } from '../../steps.ts';
import type { ScannedReport } from '../report.ts';

type Counts = ScannedReport['before'];

/** Reports what became of findings in one image; null for an image that was not pruned. */
export async function reportScanned(
  { resolution, facts }: ImageOutcome,
  files: readonly ScannedFile[],
  signal: AbortSignal,
): Promise<ScannedReport | null> {
  const { pruned, synced } = resolution;
  if (pruned === null) return null;
  const { before, after } = pruned;
  const { components, distribution } = componentsOf({ fs: before, facts: mergeFacts(before, facts) });
  const findings = distinct(files.flatMap((file) => file.findings));
  const matched = await inTurns(matchFindingSteps(findings, { components, before, after }), signal);
  const takenOut = new Set((synced?.takenOut ?? []).map(({ kind, name }) => `${kind} ${name}`));
  const isListed = ({ components: of }: MatchedFinding) =>
    of.some(({ kind, name }) => isOfDistribution(kind) && !takenOut.has(`${kind} ${name}`));
  return {
    files: files.map(({ file, format, findings: own }) => ({ file, format, findings: own.length })),
    before: countBy(matched),
    after: countBy(matched.filter(({ fate }) => fate !== 'gone')),
    findings: matched
      .map((each) => rowOf(each, isListed(each), distribution))
      .sort((a, b) => severities.indexOf(a.severity) - severities.indexOf(b.severity) || compare(a.id, b.id)),
  };
}

/** Leaves out what another file or target has told of the same package at the same places. */
function distinct(findings: readonly ScannedFinding[]): readonly ScannedFinding[] {
  const seen = new Map<string, ScannedFinding>();
  for (const finding of findings) {
    const { id, name, version, paths } = finding;
    const key = JSON.stringify([id, name, version, paths]);
    if (!seen.has(key)) seen.set(key, finding);
  }
  return [...seen.values()];
}

function rowOf(
  { finding, fate, components }: MatchedFinding,
  listed: boolean,
  distribution: Distribution | null,
): ScannedReport['findings'][number] {
  const [component] = components;
  const own = component === undefined ? null : purlOf(component, distribution);
  const { id, severity, name, version, purl } = finding;
  return { id, severity, package: name, version, purl: purl ?? own, fate, listed };
}

function countBy(matched: readonly MatchedFinding[]): Counts {
  const counts = { critical: 0, high: 0, medium: 0, low: 0, negligible: 0, unknown: 0 };
  for (const { finding } of matched) counts[finding.severity]++;
  return counts;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
