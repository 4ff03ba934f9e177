/**
 * Runs a rewriting job: opens its places, runs its transform, checks and publishes the result, and reports. It prints
 * nothing. Callers: the commands of the library, one file each, and through them the command line.
 */
import type { ScannedFile } from '../analyze/scanned/scanned.ts';
import { createEncoderPool, type EncoderPool } from '../codec/encoder-pool.ts';
import { usualEncoding } from '../codec/encoding.ts';
import { nameOfImage } from '../image/image.ts';
import { OcislimError } from '../errors.ts';
import { checkLocalTargets } from '../jobs/open.ts';
import { savingsRefusal } from '../jobs/rewrite/gate.ts';
import type { RunOptions, RunOutcome } from '../jobs/rewrite/run.ts';
import { readSource, requireForm } from '../jobs/read-reference.ts';
import { parseManifest } from '../oci/manifest.ts';
import { parsePlatform, type Platform } from '../oci/platform.ts';
import { formatReference, isUntagged, type Reference, withDigest } from '../oci/reference.ts';
import type { Source, Target } from '../place/place.ts';
import { buildReport } from '../report/build.ts';
import { showFiles } from '../report/renderers.ts';
import type { Report } from '../report/report.ts';
import type { ConfigSettings } from '../settings/config-edit.ts';
import { tracedPlatforms } from '../settings/stages.ts';
import type { RewritingSettings } from '../settings/tables/commands.ts';
import type { BlobCache } from '../store/cache/blob-cache.ts';
import type { Attesting } from './attest/attesting.ts';
import { checkNames, nameInArchive } from './archive-names.ts';
import type { DebugImage } from './debug-image.ts';
import { destinationsOf } from './destinations.ts';
import { failureOf, type Outcome } from './outcome.ts';
import { planWork, type Work } from './planned-work.ts';
import { ownPlatform } from './record/own-platform.ts';
import type { RecordedFiles } from './record/recorded-files.ts';
import { plainPlaceOf, warnOfPlainLayers } from './plain-place.ts';
import type { MadeBills } from './result-bills.ts';
import type { Scanning } from './scanning.ts';
import type { Surroundings } from './surroundings.ts';
import { version } from './version.ts';
import { Workspace } from './workspace.ts';

/** The settings of a rewriting job, with those that only some commands have. */
export type JobSettings = Omit<RewritingSettings, 'requireSavings'> &
  Omit<ConfigSettings, 'label'> & {
    readonly requireSavings?: number | null;
    readonly force?: boolean;
    readonly verifyWith?: string | null;
    readonly debugTag?: string | null;
    readonly explain?: readonly string[];
    readonly findings?: readonly ScannedFile[];
    readonly vex?: string | null;
    readonly planOnly?: boolean;
  };

/** A rewriting job: what to do with which image, and where the result goes. */
export interface Job {
  /** The name of the command, for the report. */
  readonly command: string;
  readonly source: string;
  /** Null where --tag or --in-place say it, and for a dry run. */
  readonly destination: string | null;
  readonly settings: JobSettings;
  readonly work: Work;
  /** The option that selected the layers of a squash, for the report. */
  readonly squashOrigin: string;
}

/**
 * Runs a rewriting job. On an error nothing was published, unless the message says so; what fails after publishing is in the
 * outcome. @throws OcislimError
 */
export async function rewrite(job: Job, surroundings: Surroundings): Promise<Outcome> {
  const done: Outcome[] = [];
  try {
    await runJob(job, surroundings, (outcome) => void done.push(outcome));
  } catch (error) {
    const [outcome] = done;
    if (outcome === undefined || outcome.name === null) throw error;
    return { ...outcome, failure: outcome.failure ?? failureOf(error) };
  }
  return done[0] as Outcome;
}

/** The references of a job, read and checked. */
interface Named {
  readonly source: Reference;
  /** Where the result goes, or would go: of a dry run too, which may name no place. */
  readonly destinations: readonly Reference[];
  /** The debug image; null where none is written. */
  readonly debug: Reference | null;
}

/** Reads the references of a job, and refuses places on this disk that cannot be written, before anything is opened. @throws USAGE, IO */
async function namesOf({ source, destination, settings }: Job, signal: AbortSignal): Promise<Named> {
  const from = await readSource(source);
  for (const text of [destination ?? [], settings.tag].flat()) await requireForm(text);
  const destinations = destinationsOf(from, { ...settings, destination });
  checkNames(destinations, settings);
  if (settings.vex != null && (settings.findings ?? []).length === 0)
    throw new OcislimError('USAGE', '--vex goes with --findings', {
      advice: 'A statement of VEX names a vulnerability: give the output of a scanner over the source.',
    });
  if (settings.sbom.length > 0)
    (await import('./result-bills.ts')).checkBillable(destinations, settings.sbom);
  const debug = await debugReferenceOf(settings, destinations);
  const { inPlace } = settings;
  await checkLocalTargets(from, [...destinations, ...(debug === null ? [] : [debug])], { inPlace, signal });
  return { source: from, destinations, debug };
}

/** Opens where the result goes. A dry run looks only whether that could be opened: nothing is made by it. */
async function openDestination(
  destinations: readonly Reference[],
  { settings: { dryRun, inPlace }, pool }: { readonly settings: JobSettings; readonly pool: EncoderPool },
  workspace: Workspace,
): Promise<Target | null> {
  if (destinations.length === 0) return null;
  const target = await workspace.openTarget(destinations, { inPlace, pool });
  if (!dryRun) return target;
  await target.close();
  return null;
}

/** Runs a job, and tells its outcome before its places are closed. */
async function runJob(job: Job, surroundings: Surroundings, tell: (outcome: Outcome) => void): Promise<void> {
  const started = Date.now();
  const { settings } = job;
  const named = await namesOf(job, surroundings.signal);
  await using cleanup = new AsyncDisposableStack();
  await using workspace = new Workspace(settings, surroundings);
  const { listener, signal } = workspace;
  const attesting = await attestingFor(job, named, { workspace, surroundings });
  const cache = await cacheFor(job, workspace, cleanup);
  await using pool = createEncoderPool({
    jobs: workspace.jobs,
    native: workspace.env['OCISLIM_NATIVE'] ?? '',
    listener,
  });
  const source = await workspace.openSource(named.source);
  const destinations = settings.inPlace
    ? named.destinations
    : await nameInArchive(named.destinations, settings.name, { source, listener, signal });
  const place = plainPlaceOf(job);
  if (place !== null) warnOfPlainLayers(place, job.work, listener);
  signal.throwIfAborted();
  const from = { source, reference: named.source };
  const { run: runWork, source: planned } = await planWork(job, { workspace, surroundings, cache }, from);
  await using target = await openDestination(destinations, { settings, pool }, workspace);
  const options = optionsOf(job, planned, { workspace, pool, cache, place });
  const attach = attesting === null ? null : attesting.attach.bind(attesting);
  const { outcome, recording, recorded } = await runWork({ ...options, target, attach });
  const written = await writeDebug({ options, outcome, destinations, debug: named.debug }, workspace);
  const billed = await billsFor(outcome, destinations, settings, { workspace, cache });
  const scanning = await scanningOf(settings);
  const scanned = (await scanning?.reports(outcome, workspace)) ?? [];
  const report = buildReport(outcome, {
    tool: { name: 'ocislim', version },
    command: job.command,
    time: settings.sourceDateEpoch === null ? timeSince(started) : null,
    sourceReference: source.label,
    destinationReferences: destinations.map((each) => writtenName(each, outcome)),
    warnings: workspace.warnings,
    squashOrigin: job.squashOrigin,
    versions: workspace.versions,
    debug: written?.image ?? null,
    attestations: attesting?.report(outcome) ?? null,
    recording,
    scanned,
  });
  const failure = written?.failure ?? billed.failure ?? refusalOf(report, settings);
  const { bills } = billed;
  const explanations = await explain(outcome, settings.explain ?? []);
  const files = await filesFor(outcome, job, signal);
  const attestations = attesting?.made ?? [];
  const vex = scanning?.vex(report, destinations, started, listener) ?? null;
  tell(
    describe({ outcome, report, files, bills, attestations, vex, target, explanations, failure, recorded }),
  );
}

/** Opens what signs the result and states how it was made; null where neither is asked for. What does so is loaded only then. */
async function attestingFor(
  { command, settings }: Job,
  { source, destinations }: Named,
  { workspace, surroundings }: Pick<Means, 'workspace'> & { readonly surroundings: Surroundings },
): Promise<Attesting | null> {
  if (settings.provenance.length === 0 && settings.signKey === null) return null;
  const { Attesting: attesting } = await import('./attest/attesting.ts');
  const { bases } = workspace;
  return attesting.open({ command, source, destinations, settings, bases: () => bases }, surroundings);
}

/** What the run of a job may use. */
interface Means extends Pick<RunOptions, 'pool' | 'cache' | 'place'> {
  readonly workspace: Workspace;
}

/** Returns the options of the run of a job, without what is done to the images. */
function optionsOf(
  job: Job,
  source: Source,
  { workspace, ...means }: Means,
): Omit<RunOptions, 'target' | 'transform'> {
  const { settings, work } = job;
  const { jobs, disk, limits, listener, signal } = workspace;
  return {
    source,
    ...unpackedLayers(job),
    ...means,
    platforms: settings.platform,
    platformsOfIndex: platformsOfIndex(work),
    jobs,
    maxScratch: disk,
    limits,
    epoch: settings.sourceDateEpoch,
    requireSavings: settings.requireSavings ?? null,
    referrers: settings.referrers,
    variant: work.kind === 'stages' || work.kind === 'recorded' ? work.stages.variant : null,
    // The digests of removed files cost a hash of each: they are made for reports only.
    digests: settings.report.length > 0 || settings.format === 'json',
    headers: showFiles(settings.report),
    components: (settings.findings ?? []).length > 0,
    listener,
    signal,
  };
}

/** Returns when a job began, and for how long it has run, for its report. */
function timeSince(started: number) {
  return { started: new Date(started), seconds: (Date.now() - started) / 1000 };
}

/** Returns the name that a result has: its digest where it has no tag. */
function writtenName(destination: Reference, { root }: RunOutcome): string {
  const isNameless = isUntagged(destination) && root !== null;
  return formatReference(isNameless ? withDigest(destination, root.descriptor.digest) : destination);
}

/** Reads --debug-tag; null where no debug image is asked for, or a dry run names no destination. @throws USAGE */
async function debugReferenceOf(
  { debugTag = null, dryRun }: JobSettings,
  destinations: readonly Reference[],
): Promise<Reference | null> {
  if (debugTag === null || (dryRun && destinations.length === 0)) return null;
  return (await import('./debug-image.ts')).debugReference(debugTag, destinations);
}

/** Opens the cache of a job. A job that records its source reads it several times, and has one in any case. */
async function cacheFor(
  { work }: Job,
  workspace: Workspace,
  cleanup: AsyncDisposableStack,
): Promise<BlobCache | null> {
  if (work.kind !== 'recorded') return workspace.openCache();
  const { openJobCache } = await import('./record/prove.ts');
  return openJobCache(workspace, cleanup);
}

/** Says how layers are packed that the source has unpacked. */
function unpackedLayers({ work }: Job): Pick<RunOptions, 'unpacked'> {
  if (work.kind !== 'copy' || work.compression === null) return {};
  return { unpacked: usualEncoding(work.compression) };
}

/** The platforms that traces are of. Where --platform names none, these are rewritten of an index. */
function platformsOfIndex(work: Work): readonly Platform[] {
  if (work.kind === 'recorded') return work.settings.platformsAlike ? [] : [ownPlatform()];
  return work.kind === 'stages' ? tracedPlatforms(work.stages).map(parsePlatform) : [];
}

/** Judges a new base by what a dry run found, and --require-savings by its estimates; a run itself has thrown by now. */
function refusalOf(
  report: Report,
  { requireSavings = null, force = false }: JobSettings,
): Outcome['failure'] {
  if (!report.dryRun) return null;
  const unfit = report.platforms.find(({ rebasing }) => (rebasing?.missing.length ?? 0) > 0);
  if (unfit !== undefined && !force) return failureOf(unfitBase(unfit));
  if (requireSavings === null) return null;
  const sizes = report.platforms.map(({ compressing }) => compressing);
  const before = sizes.reduce((sum, { sizeBefore }) => sum + sizeBefore, 0);
  const after = sizes.reduce((sum, { sizeBefore, sizeAfter }) => sum + (sizeAfter ?? sizeBefore), 0);
  const refusal = savingsRefusal(requireSavings, { before, after }, 'estimated');
  return refusal === null ? null : failureOf(refusal);
}

/** Makes the error for a new base on which something would be missing. */
function unfitBase({ platform, rebasing }: Report['platforms'][number]): OcislimError {
  const missing = rebasing?.missing ?? [];
  const count = missing.length === 1 ? 'one thing is' : `${missing.length} things are`;
  return new OcislimError(
    'BASE_UNFIT',
    `${platform ?? 'the image'} would not work on the new base as it did: ${count} missing there`,
    { advice: '--force rebases all the same.' },
  );
}

/** What the debug image is made of. */
interface DebugWish {
  readonly options: Omit<RunOptions, 'target' | 'transform'>;
  readonly outcome: RunOutcome;
  readonly destinations: readonly Reference[];
  readonly debug: Reference | null;
}

/**
 * Writes the debug image; null where none is wanted, or nothing was published. The result is there already, so an error here is told
 * with it and not thrown.
 */
async function writeDebug(
  { options, outcome, destinations, debug }: DebugWish,
  workspace: Workspace,
): Promise<{ readonly image: DebugImage | null; readonly failure: Outcome['failure'] } | null> {
  const [destination] = destinations;
  if (debug === null || destination === undefined || outcome.root === null) return null;
  try {
    const { writeDebugImage } = await import('./debug-image.ts');
    const image = await writeDebugImage({ options, outcome, destination, reference: debug }, workspace);
    return { image, failure: null };
  } catch (error) {
    return { image: null, failure: failureOf(error) };
  }
}

/** What a finished job knows, before it becomes plain data. */
interface Finished {
  readonly outcome: RunOutcome;
  readonly report: Report;
  readonly files: Outcome['files'];
  readonly bills: Outcome['bills'];
  readonly attestations: Outcome['attestations'];
  readonly vex: Outcome['vex'];
  readonly target: Target | null;
  readonly explanations: Outcome['explanations'];
  readonly failure: Outcome['failure'];
  readonly recorded: RecordedFiles | null;
}

/** Makes the outcome: plain data, without images, trees or targets. */
function describe({ outcome, report, target, ...rest }: Finished): Outcome {
  const root = outcome.root?.descriptor ?? null;
  return {
    name: root === null || target === null ? null : target.nameOf(root.digest),
    root: root === null ? null : { digest: root.digest, mediaType: root.mediaType, size: root.size },
    imageId: root === null ? null : imageId(outcome),
    report,
    ...rest,
  };
}

/** Makes bills of materials of what was published, where they are asked for. What makes them is loaded only then. */
async function billsFor(
  outcome: RunOutcome,
  [destination]: readonly Reference[],
  { sbom, sourceDateEpoch: epoch }: JobSettings,
  means: Pick<Means, 'workspace' | 'cache'>,
): Promise<MadeBills> {
  if (sbom.length === 0 || destination === undefined) return { bills: [], failure: null };
  const { billResult } = await import('./result-bills.ts');
  return billResult({ outcome, destination, epoch }, means);
}

/** Returns what is asked about findings of scanners; null for nothing. What answers is loaded only then. */
async function scanningOf(settings: JobSettings): Promise<Scanning | null> {
  const { findings = [] } = settings;
  if (findings.length === 0) return null;
  const { Scanning: Asked } = await import('./scanning.ts');
  return new Asked(findings, settings);
}

/** Collects the files of all images, where a report shows them. What collects them is loaded only then. */
async function filesFor(
  { images }: RunOutcome,
  { settings, squashOrigin }: Job,
  signal: AbortSignal,
): Promise<Outcome['files']> {
  if (!showFiles(settings.report)) return [];
  const { packRunFiles } = await import('../report/page/run-files.ts');
  return packRunFiles(images, squashOrigin, signal);
}

/** Answers --explain for every image that was pruned. Images with other answers than the first have their names before them. */
async function explain({ images }: RunOutcome, paths: readonly string[]): Promise<readonly string[]> {
  if (paths.length === 0) return [];
  const { explainPaths } = await import('../report/explanation.ts');
  const answers = images.map((image) => explainPaths(image, paths));
  const [first = []] = answers;
  if (answers.every((answer) => answer.join('\n') === first.join('\n'))) return first;
  return images.flatMap(({ image }, i) => [`${nameOfImage(image)}:`, ...(answers[i] ?? [])]);
}

/** The digest of the config, as Docker has it; of several images, that of the index. */
function imageId(outcome: RunOutcome): string {
  const [only, ...more] = outcome.images;
  if (only?.manifest == null || more.length > 0) return outcome.root?.descriptor.digest ?? '';
  const { bytes, descriptor } = only.manifest;
  const manifest = parseManifest(bytes, descriptor.mediaType, `manifest ${descriptor.digest}`);
  return manifest.kind === 'manifest' ? manifest.config.digest : descriptor.digest;
}
