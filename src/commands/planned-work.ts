/**
 * Plans what a job does to the images of its source, and runs that: a copy, a transform made of stages, or one that a recording proves.
 * `rewrite.ts` calls it between opening the source and opening the destination.
 */
import { OcislimError } from '../errors.ts';
import { annotate, configure } from '../configure/configure.ts';
import { type ConfigEdit, isNoEdit } from '../image/config-edit.ts';
import { pipe, type Transform } from '../image/image.ts';
import type { RecordingFacts } from '../jobs/record/trial/trial.ts';
import { type Examine, identity, run, type RunOptions, type RunOutcome } from '../jobs/rewrite/run.ts';
import type { Compression } from '../oci/media-type.ts';
import type { Reference } from '../oci/reference.ts';
import type { Source } from '../place/place.ts';
import { configEditOf, type ConfigSettings } from '../settings/config-edit.ts';
import type { Stages } from '../settings/stages.ts';
import type { StageReaders } from '../settings/transform.ts';
import type { RewritingSettings, SlimSettings } from '../settings/tables/commands.ts';
import type { BlobCache } from '../store/cache/blob-cache.ts';
import { baseReader } from './bases.ts';
import { BesideImages, previousReader } from './previous.ts';
import type { RecordedFiles } from './record/recorded-files.ts';
import type { Surroundings } from './surroundings.ts';
import type { Check } from './verify-with.ts';
import type { Workspace } from './workspace.ts';

/** What a job does to its source: stages as data, or a transform that must look at the source first. */
export type Work =
  /** `compression`: how layers are packed that the source has unpacked. Null: as every command packs them. */
  | { readonly kind: 'copy'; readonly compression: Compression | null }
  | { readonly kind: 'stages'; readonly stages: Stages }
  /** Stages, with a pruning by what a recording of the source will have seen. */
  | { readonly kind: 'recorded'; readonly stages: Stages; readonly settings: SlimSettings }
  | {
      readonly kind: 'prepared';
      readonly prepare: (workspace: Workspace, source: Source) => Promise<Planned>;
    };

/** A transform, and the source to run it on: the one that was named, or one that has more blobs. */
export interface Planned {
  readonly transform: Transform;
  readonly source: Source;
  /** Looks at the images before anything is written. Default: nothing does. */
  readonly examine?: Examine | null;
}

/** What decides, of the settings of a job, how its work is done. */
export interface WorkSettings
  extends ConfigSettings,
    Pick<RewritingSettings, 'annotation' | 'platform' | 'tag'> {
  readonly verifyWith?: string | null;
}

/** What is done to the images of a source. */
export interface PlannedWork {
  readonly source: Source;
  readonly run: (options: WorkOptions) => Promise<Ran>;
}

type WorkOptions = Omit<RunOptions, 'transform'>;

/** What a run led to, and what a recording before it saw. */
interface Ran {
  readonly outcome: RunOutcome;
  readonly recording: RecordingFacts | null;
  readonly recorded: RecordedFiles | null;
}

/** What planning and its work may use. */
interface PlanMeans {
  readonly workspace: Workspace;
  readonly surroundings: Surroundings;
  readonly cache: BlobCache | null;
}

/** Where a job reads from. */
interface From {
  readonly source: Source;
  readonly reference: Reference;
}

/** What planning must know of a job. */
interface PlanJob {
  readonly work: Work;
  readonly settings: WorkSettings;
  readonly destination: string | null;
}

/** Prepares what is done to the images. What stages need is loaded only where there are some. */
export async function planWork(
  { work, settings, destination }: PlanJob,
  means: PlanMeans,
  { source, reference }: From,
): Promise<PlannedWork> {
  const { workspace } = means;
  const destinations = [destination ?? [], settings.tag].flat();
  const ownEdit = configEditOf(settings);
  const editsOf = (stages: Stages): readonly ConfigEdit[] => [stages.config, ownEdit];
  const beside = new BesideImages();
  const { platform: platforms } = settings;
  const readers: StageReaders = {
    readBase: remembering(baseReader(workspace, reference, platforms)),
    readPrevious: remembering(
      previousReader(workspace, { source: reference, destinations, platforms, beside }),
    ),
    // A run has one stage that asks for it, and asks the same each time.
    readHistory: remembering(
      async (wish) => {
        const { historyReader } = await import('./history.ts');
        const places = { source, reference, destinations, platforms, cache: means.cache };
        return historyReader(workspace, places)(wish);
      },
      ({ newest, references }) => JSON.stringify([newest, references]),
    ),
  };
  const by = (
    { transform, source: from, examine = null }: Planned,
    edits: readonly ConfigEdit[] = [ownEdit],
  ): PlannedWork => ({
    source: from,
    run: async (options) => {
      const configuredOptions = { ...options, edits, examine, transform: configured(transform, settings) };
      const outcome = await runWith(configuredOptions, checkOf(settings, workspace), workspace);
      return { outcome, recording: null, recorded: null };
    },
  });
  switch (work.kind) {
    case 'copy':
      if (work.compression !== null && !source.unpacksLayers) warnOfCompression(workspace);
      return by({ transform: identity, source });
    case 'prepared':
      return by(await work.prepare(workspace, source));
    case 'stages': {
      tellNotes(work.stages, workspace);
      const transform = await transformOfStages(work.stages, readers);
      const from = await sourceWith(beside, source, work.stages, workspace);
      return by({ transform, source: from }, editsOf(work.stages));
    }
    case 'recorded': {
      const { cache } = means;
      if (cache === null) throw new OcislimError('INTERNAL', 'a recorded source has no cache');
      tellNotes(work.stages, workspace);
      const { runProven } = await import('./record/prove.ts');
      const { relayer } = work.stages;
      // The earlier version must be known before the recording, which reads from the same source.
      if (relayer?.noise === 'adopt') await readers.readPrevious(relayer.previous);
      const from = await sourceWith(beside, source, work.stages, workspace);
      const proven = {
        source: from,
        cache,
        settings: work.settings,
        check: checkOf(settings, workspace),
        transformOf: async (stages: Stages) => configured(await transformOfStages(stages, readers), settings),
        stages: work.stages,
        configure: configured(configure(work.stages.config), settings),
      };
      const edits = editsOf(work.stages);
      return { source: from, run: (options) => runProven(proven, { ...options, edits }, means) };
    }
  }
}

/** Makes the transform of stages. What it needs is loaded only where there are some. */
async function transformOfStages(stages: Stages, readers: StageReaders): Promise<Transform> {
  const { transformOf } = await import('../settings/transform.ts');
  return transformOf(stages, readers);
}

/** Makes a reader read each image once, however many stages name it, and however often a recorded run makes its transform. */
function remembering<Names, Read>(
  read: (names: Names) => Promise<Read>,
  keyOf: (names: Names) => string = (names) => JSON.stringify(names),
): (names: Names) => Promise<Read> {
  const known = new Map<string, Promise<Read>>();
  return (names) => {
    const key = keyOf(names);
    const found = known.get(key) ?? read(names);
    known.set(key, found);
    return found;
  };
}

/** Returns the source, with the layers of the previous version where entries of that are taken over. */
async function sourceWith(
  beside: BesideImages,
  source: Source,
  { relayer }: Stages,
  workspace: Workspace,
): Promise<Source> {
  return relayer?.noise === 'adopt' ? beside.join(source, workspace) : source;
}

/** Tells what traces say about themselves. */
function tellNotes({ prune }: Stages, { listener }: Workspace): void {
  for (const { warnings, details } of prune?.notes ?? []) {
    for (const message of details) listener({ type: 'detail', message });
    for (const message of warnings) listener({ type: 'warning', code: 'TRACE_UNREADABLE', message });
  }
}

function warnOfCompression({ listener }: Workspace): void {
  listener({
    type: 'warning',
    code: 'SETTING_IGNORED',
    message:
      '--compression of copy is for docker-archive sources, all others are copied as they are; "ocislim recompress" changes the compression',
  });
}

/** Adds what options change in the config and the manifest to what the transform plans. Where a plan says something else, options win. */
function configured(transform: Transform, settings: WorkSettings): Transform {
  const edit = configEditOf(settings);
  const { annotation } = settings;
  if (isNoEdit(edit) && Object.keys(annotation).length === 0) return transform;
  return pipe(transform, configure(edit), annotate(annotation));
}

/** Returns what looks at a result before it is published; null for nothing. */
function checkOf({ verifyWith = null }: WorkSettings, workspace: Workspace): Check | null {
  if (verifyWith === null) return null;
  return async (place, digest) =>
    (await import('./verify-with.ts')).checkBy(verifyWith, workspace)(place, digest);
}

/** Runs a transform; with a check, publishes only what that accepts. */
async function runWith(options: RunOptions, check: Check | null, workspace: Workspace): Promise<RunOutcome> {
  const { target } = options;
  if (check === null || target === null) return run(options);
  const { runChecked } = await import('./verify-with.ts');
  return runChecked({ ...options, target }, check, workspace);
}
