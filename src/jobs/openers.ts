/**
 * How the places of each form of reference are opened: the impure half of the table in oci/reference.ts, used by open.ts.
 * Code that speaks to a place is loaded when one is opened, since loading all of it takes longer than a small copy.
 */
import type { EncoderPool } from '../codec/encoder-pool.ts';
import { DiskBudget } from '../files/disk-budget.ts';
import { OcislimError } from '../errors.ts';
import { defaultLimits } from '../limits.ts';
import type { Digest } from '../oci/digest.ts';
import { formatReference, formOf, isRegistry, type Reference, withDigest } from '../oci/reference.ts';
import type { JsonObject } from '../oci/json.ts';
import type { LayoutReference } from '../oci/forms/layout-form.ts';
import type { LayoutNaming } from '../store/layout/layout-naming.ts';
import type { Source, Target } from '../place/place.ts';
import type { RegistryOptions } from '../registry/lease.ts';
import type { MirrorOptions } from '../registry/mirrored-source.ts';
import type { ArchiveFiles } from '../store/archive/archive-files.ts';
import type { Pipe } from '../store/archive/archive-output.ts';
import type { ArchiveToWrite } from '../store/archive/archive-storage.ts';
import type { ReplacedImage } from '../store/archive/existing-archive.ts';

/** Bytes of disk for one place, where the caller gives no budget. */
const usualDisk = 2e9;

/** What opening a place may use. */
export interface PlaceOptions extends RegistryOptions {
  /** Disk for archives that cannot be read or written in place. Default: 2 GB for this place. */
  readonly disk?: DiskBudget;
  /** Writes to standard output, for archives that go there. Default: none can. */
  readonly pipe?: Pipe | null;
  /** Packs archives that were packed. Default: a pool of one job. */
  readonly pool?: EncoderPool | null;
}

export interface SourceSettings {
  /** The reference as text. */
  readonly label: string;
  readonly options: PlaceOptions;
  readonly mirrors: MirrorOptions | null;
}

export interface TargetSettings {
  /** The references as text. */
  readonly label: string;
  /** All references of the place; they differ in their names only. */
  readonly references: readonly Reference[];
  /** Whether the image replaces the one that the only reference means as a source. */
  readonly inPlace: boolean;
  readonly options: PlaceOptions;
  readonly signal: AbortSignal;
}

/** Opens the places of one form. Messages of errors begin with the side: `source LABEL`, `destination LABEL`. */
interface Opener<R extends Reference> {
  openSource(reference: R, settings: SourceSettings): Promise<Source>;
  openTarget(reference: R, settings: TargetSettings): Promise<Target>;
}

const openers: { readonly [Kind in Reference['kind']]: Opener<Extract<Reference, { kind: Kind }>> } = {
  registry: {
    async openSource(reference, { options, mirrors }) {
      const { openMirroredSource } = await import('../registry/mirrored-source.ts');
      return openMirroredSource(reference, options, mirrors);
    },
    async openTarget(_, { references, options }) {
      const { openRegistryTarget } = await import('../registry/target.ts');
      return openRegistryTarget(references.filter(isRegistry), options);
    },
  },
  layout: {
    async openSource(reference, { label, options: { limits } }) {
      const { directoryFiles } = await import('../store/layout/layout-files.ts');
      const { LayoutSource } = await import('../store/layout/layout-source.ts');
      const files = directoryFiles(reference.path, `source ${label}`);
      return new LayoutSource({ label, place: placeOf(reference), files, wanted: reference, limits });
    },
    async openTarget(reference, settings) {
      const { LayoutStorage } = await import('../store/layout/layout-storage.ts');
      const { LocalTarget } = await import('../store/local-target.ts');
      const { label, signal } = settings;
      const what = `destination ${label}`;
      const naming = await namingOf(reference, settings);
      const storage = await LayoutStorage.open(reference.path, naming, what, signal);
      return new LocalTarget(label, storage, 'any', nameByDigest(reference));
    },
  },
  'oci-archive': {
    async openSource(reference, settings) {
      const { LayoutSource } = await import('../store/layout/layout-source.ts');
      const files = await archiveFiles(reference.path, settings);
      const {
        label,
        options: { limits },
      } = settings;
      return new LayoutSource({ label, place: placeOf(reference), files, wanted: reference, limits });
    },
    async openTarget(reference, settings) {
      const { ArchiveStorage } = await import('../store/archive/archive-storage.ts');
      const { ociMembers } = await import('../store/archive/last-members.ts');
      const { LocalTarget } = await import('../store/local-target.ts');
      const replaced = settings.inPlace ? await replacedRows(reference, settings) : null;
      const archive = archiveOf(reference.path, replaced, settings);
      const storage = await ArchiveStorage.open(
        { ...archive, lastMembers: ociMembers(archive.names) },
        settings.signal,
      );
      return new LocalTarget(settings.label, storage, 'any', nameByDigest(reference));
    },
  },
  'docker-archive': {
    async openSource(reference, settings) {
      const { DockerArchiveSource } = await import('../store/archive/docker-archive-source.ts');
      const files = await archiveFiles(reference.path, settings);
      const {
        label,
        options: { limits },
      } = settings;
      return new DockerArchiveSource({ label, place: placeOf(reference), files, wanted: reference, limits });
    },
    async openTarget(reference, settings) {
      const { ArchiveStorage } = await import('../store/archive/archive-storage.ts');
      const { dockerMembers } = await import('../store/archive/last-members.ts');
      const { LocalTarget } = await import('../store/local-target.ts');
      const replaced = settings.inPlace ? await replacedImage(reference, settings) : null;
      const archive = archiveOf(reference.path, replaced, settings);
      const storage = await ArchiveStorage.open(
        { ...archive, lastMembers: dockerMembers(archive.names, archive.label) },
        settings.signal,
      );
      // A name by the old digest would not find the new image.
      const result = reference.digest === null ? reference : atPosition(reference, replaced);
      return new LocalTarget(settings.label, storage, 'plain', nameByDigest(result));
    },
  },
  scratch: {
    async openSource({ platforms }, { label }) {
      const { ScratchSource } = await import('../store/scratch-source.ts');
      return new ScratchSource(label, platforms);
    },
    async openTarget(_, { label }) {
      throw new OcislimError('USAGE', `nothing can be written to ${label}`);
    },
  },
};

async function archiveFiles(path: string, { label, options }: SourceSettings): Promise<ArchiveFiles> {
  const { ArchiveFiles } = await import('../store/archive/archive-files.ts');
  const { limits = defaultLimits, disk = new DiskBudget(usualDisk), listener } = options;
  return new ArchiveFiles({ path, label: `source ${label}`, limits, disk, listener });
}

function archiveOf(
  path: string,
  replaced: ReplacedImage | null,
  settings: TargetSettings,
): Omit<ArchiveToWrite, 'lastMembers'> {
  const { label, options } = settings;
  const { limits = defaultLimits, disk = new DiskBudget(usualDisk), pipe = null, pool = null } = options;
  const names = replaced === null ? namesOf(settings) : replaced.names;
  return { path, label: `destination ${label}`, names, replaced, limits, disk, pipe, pool };
}

/** Finds the rows of an OCI archive that a new image takes the place of. @throws USAGE, NOT_FOUND, as reading the image does */
async function replacedRows(
  reference: Extract<Reference, { kind: 'oci-archive' }>,
  { label, options, signal }: TargetSettings,
): Promise<ReplacedImage> {
  const { LayoutSource } = await import('../store/layout/layout-source.ts');
  const files = await archiveFiles(reference.path, { label, options, mirrors: null });
  await using source = new LayoutSource({ label, place: placeOf(reference), files, wanted: reference });
  const rows = (await source.rowsMeant(signal)).map(({ json }) => json);
  return { root: await source.root(signal), rows, list: [], names: [] };
}

/** Finds the image of a Docker archive that a new one takes the place of. @throws USAGE, NOT_FOUND, as reading the image does */
async function replacedImage(
  reference: Extract<Reference, { kind: 'docker-archive' }>,
  { label, options, signal }: TargetSettings,
): Promise<ReplacedImage> {
  const { DockerArchiveSource } = await import('../store/archive/docker-archive-source.ts');
  const files = await archiveFiles(reference.path, { label, options, mirrors: null });
  await using source = new DockerArchiveSource({
    label,
    place: placeOf(reference),
    files,
    wanted: reference,
  });
  // Awaited here, since the source is closed at the end of this block.
  return await source.meant(signal);
}

function atPosition(
  reference: Extract<Reference, { kind: 'docker-archive' }>,
  replaced: ReplacedImage | null,
): Reference {
  return { ...reference, name: null, digest: null, position: replaced?.list[0] ?? null };
}

/** Returns the opener for a reference's form. */
export function openerOf(reference: Reference): Opener<Reference> {
  return openers[reference.kind];
}

/** Says which rows of a layout the image gets. @throws USAGE, NOT_FOUND where it replaces an image that is not there */
async function namingOf(reference: LayoutReference, settings: TargetSettings): Promise<LayoutNaming> {
  if (!settings.inPlace) return { kind: 'names', names: namesOf(settings) };
  return { kind: 'rows', rows: await rowsMeant(reference, settings.signal) };
}

/** Returns the rows of a layout that a reference means. @throws USAGE, NOT_FOUND, as reading the image does */
export async function rowsMeant(
  reference: LayoutReference,
  signal: AbortSignal,
): Promise<readonly JsonObject[]> {
  const { directoryFiles } = await import('../store/layout/layout-files.ts');
  const { LayoutSource } = await import('../store/layout/layout-source.ts');
  const label = formatReference(reference);
  const files = directoryFiles(reference.path, `source ${label}`);
  await using layout = new LayoutSource({ label, place: placeOf(reference), files, wanted: reference });
  return (await layout.rowsMeant(signal)).map(({ json }) => json);
}

/** Returns the names that the image gets at its destination: tags, or `repository:tag` in Docker archives. */
function namesOf({ references }: TargetSettings): readonly string[] {
  return references.flatMap((reference) => formOf(reference).nameOf(reference) ?? []);
}

/** Returns the text of a place, to which names of images are added. */
function placeOf(reference: Reference): string {
  return formatReference(formOf(reference).withName(reference, null));
}

function nameByDigest(reference: Reference): (digest: Digest) => string {
  return (digest) => formatReference(withDigest(reference, digest));
}
