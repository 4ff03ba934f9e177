/**
 * Builds the report of a run from its outcome: plain data, whose parts are in `build/`. Commands call it once, at the end, and
 * renderers take the result.
 */
import { describeEncoder } from '../codec/describe-encoder.ts';
import type { RecordingFacts } from '../jobs/record/trial/trial.ts';
import { describePlatform, type ImageOutcome, type RunOutcome } from '../jobs/rewrite/records.ts';
import { reportArtifacts } from './build/artifacts.ts';
import { reportCompressing } from './build/compressing.ts';
import { reportConfiguring } from './build/configuring.ts';
import { reportFindings } from './build/findings.ts';
import { reportKeeping } from './build/keeping.ts';
import { reportLayers } from './build/layers.ts';
import { milliseconds } from './build/numbers.ts';
import { reportPackageDb } from './build/packages.ts';
import { reportRebasing } from './build/rebasing.ts';
import { reportRecording } from './build/recording.ts';
import { type NamedVersion, reportRelayering } from './build/relayering.ts';
import { reportRestoring } from './build/restoring.ts';
import { reportSlimming } from './build/slimming.ts';
import { reportSurface } from './build/surface.ts';
import { reportTransfer } from './build/transfer.ts';
import { isFromNothing } from './words.ts';
import { reportVariants } from './build/variants.ts';
import { type PlatformReport, type Report, reportId, type ScannedReport } from './report.ts';

/** The facts of a report that a run does not know. */
export interface ReportContext {
  readonly tool: { readonly name: string; readonly version: string };
  readonly command: string;
  /** When the command began, and how long it took until now. Default: null, so that the report does not depend on the time. */
  readonly time?: { readonly started: Date; readonly seconds: number } | null;
  readonly sourceReference: string;
  readonly destinationReferences: readonly string[];
  readonly warnings: Report['warnings'];
  /** The debug image beside the result, which has everything that was removed. Default: null. */
  readonly debug?: { readonly reference: string; readonly digest: string } | null;
  /** The earlier versions that were read, the one before first. Default: none. */
  readonly versions?: readonly NamedVersion[];
  /** What was signed and stated about the result. Default: null. */
  readonly attestations?: Report['attestations'] | null;
  /** How the image was recorded, and its pruned form tried. Default: null. */
  readonly recording?: RecordingFacts | null;
  /** What became of what scanners had found, image by image; null for one that was not pruned. Default: none was asked about. */
  readonly scanned?: readonly (ScannedReport | null)[];
  /** The option because of which a squash dropped entries: "--last", "--all". */
  readonly squashOrigin: string;
}

/** Builds the report of a run, or of a dry run. */
export function buildReport(outcome: RunOutcome, context: ReportContext): Report {
  const { set, root, images } = outcome;
  const source = set.root.descriptor;
  return {
    $id: reportId,
    reportVersion: 1,
    tool: { ...context.tool },
    command: context.command,
    started: context.time?.started.toISOString() ?? null,
    durationSeconds: context.time == null ? null : milliseconds(context.time.seconds),
    dryRun: root === null,
    source: { reference: context.sourceReference, digest: source.digest, mediaType: source.mediaType },
    destination: reportDestination(outcome, context),
    ...(context.debug == null ? {} : { debug: { ...context.debug } }),
    ...(context.attestations == null ? {} : { attestations: context.attestations }),
    unchanged: root !== null && root.descriptor.digest === source.digest,
    warnings: context.warnings,
    encoders: outcome.encodings.map(describeEncoder),
    ...reportBudgets(outcome),
    ...(context.recording == null
      ? {}
      : { recording: reportRecording(context.recording, context.time != null) }),
    ...reportArtifacts(outcome),
    platforms: images.map((image, i) => ({
      ...reportImage(image, context),
      ...(context.scanned?.[i] == null ? {} : { scanned: context.scanned[i] }),
    })),
    ...reportVariants(outcome),
    transfer: reportTransfer(outcome, isFromNothing({ reference: context.sourceReference })),
  };
}

function reportDestination({ root }: RunOutcome, context: ReportContext): Report['destination'] {
  if (root === null) return null;
  const { digest, mediaType } = root.descriptor;
  return { references: [...context.destinationReferences], digest, mediaType };
}

/** Reports the budgets of time; the field is absent from runs without one. */
function reportBudgets({ budgets }: RunOutcome): Pick<Report, 'budgets'> {
  if (budgets.length === 0) return {};
  return {
    budgets: budgets.map(({ budget, spent, estimated }) => ({
      seconds: budget,
      trialSeconds: milliseconds(spent),
      estimatedSeconds: milliseconds(estimated),
    })),
  };
}

function reportImage(outcome: ImageOutcome, context: ReportContext): PlatformReport {
  const { image, resolution } = outcome;
  const [traced] = resolution.traced;
  const slimmed = image.plan.layers.some(({ content }) => content.kind === 'rewritten');
  return {
    platform: describePlatform(outcome),
    sourceDigest: image.descriptor.digest,
    digest: outcome.manifest?.descriptor.digest ?? null,
    layers: reportLayers(outcome),
    slimming: slimmed ? reportSlimming(outcome, context.squashOrigin) : null,
    keeping: traced === undefined ? null : reportKeeping(traced),
    surface: reportSurface(resolution.surface),
    ...reportFindings(resolution.findings),
    ...reportPackageDb(outcome),
    ...reportRestoring(outcome),
    ...reportRebasing(outcome),
    ...reportRelayering(outcome, context.versions ?? []),
    ...reportConfiguring(outcome),
    compressing: reportCompressing(outcome),
  };
}
