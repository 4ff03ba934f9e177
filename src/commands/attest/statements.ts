/**
 * Makes the statements about the result of a run: the provenance of what is published, and the equivalence of each image that changed.
 * `attesting.ts` calls it when everything but the names is written.
 */
import { randomUUID } from 'node:crypto';
import { type ConfigRelation, equivalenceOf, removedList } from '../../attest/equivalence.ts';
import { provenanceOf, type RunMetadata } from '../../attest/provenance.ts';
import { digestSet, type ResourceDescriptor, type Statement } from '../../attest/statement.ts';
import { changedMembers } from '../../jobs/compare/compare-config.ts';
import type { Layer } from '../../image/image.ts';
import { describePlatform, type ImageOutcome, type RunOutcome } from '../../jobs/rewrite/records.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { parseConfig } from '../../oci/image-config.ts';
import type { Reference } from '../../oci/reference.ts';
import { formatTime } from '../../report/figures.ts';
import type { PlatformReport, Report } from '../../report/report.ts';
import { imagePurl } from '../../report/sbom/image-purl.ts';
import { uuidOfText } from '../../report/sbom/uuid.ts';
import { imageNameOf } from '../image-name.ts';
import { version } from '../version.ts';
import type { BaseRead } from '../workspace.ts';

/** What statements are made of, beside the outcome and its report. */
export interface Circumstances {
  readonly command: string;
  readonly source: Reference;
  /** Null where the result has no name yet. */
  readonly destination: Reference | null;
  readonly builderId: string | null;
  /** Images that were read beside the source and the originals: bases. */
  readonly bases: readonly BaseRead[];
  /** SOURCE_DATE_EPOCH in seconds; null for the time of the run. */
  readonly epoch: number | null;
  readonly started: Date;
}

/** A statement, and the descriptor of what it is about. */
export interface AboutResult {
  readonly statement: Statement;
  readonly subject: Descriptor;
}

/** Makes the statements of a run whose images are written. Without a change of the root there are none. */
export function statementsOf(
  outcome: RunOutcome,
  report: Report,
  circumstances: Circumstances,
): readonly AboutResult[] {
  const { root, set } = outcome;
  if (root === null || root.descriptor.digest === set.root.descriptor.digest) return [];
  const known = new Set(outcome.images.map(digestOf));
  const variants = outcome.variants.filter((image) => !known.has(digestOf(image)));
  const equivalences = [...outcome.images, ...variants].flatMap((image) => {
    // A second manifest has the files of the first one, to which its report belongs.
    const platform = report.platforms[outcome.images.findIndex(({ member }) => member === image.member)];
    if (platform === undefined) return [];
    return equivalenceFor(image, { ...platform, digest: digestOf(image) }, circumstances) ?? [];
  });
  return [...equivalences, provenanceFor(outcome, report, circumstances)];
}

function equivalenceFor(
  image: ImageOutcome,
  platform: PlatformReport,
  { source, destination }: Circumstances,
): AboutResult | null {
  const { manifest, config } = image;
  if (manifest === null || config === null || !image.image.plan.layers.every(isOfSource)) return null;
  // On another base an image has other files.
  if (image.image.rebased !== null) return null;
  const uri = purlOf(source, image.image.descriptor.digest);
  const statement = equivalenceOf(
    { platform, config: configRelation(image, config.bytes), uri },
    nameOf(destination),
  );
  return statement === null ? null : { statement, subject: manifest.descriptor };
}

function digestOf({ manifest }: ImageOutcome): string | null {
  return manifest?.descriptor.digest ?? null;
}

/** Names the layers that were made of files of this machine, by the digests of their tars: what was read for them, without its paths. */
function addedResources(image: ImageOutcome): readonly ResourceDescriptor[] {
  return image.layers.flatMap(({ layer: { content }, sealed }, i) =>
    content.kind === 'added' && sealed !== null && sealed.kind !== 'dropped'
      ? [
          {
            name: `layer ${i + 1}`,
            digest: digestSet(sealed.diffId),
            annotations: { role: 'added', platform: describePlatform(image) },
          },
        ]
      : [],
  );
}

/** Returns whether a layer holds what the source has, and nothing else: a claim has no words for new files, nor for those of an original. */
function isOfSource({ content }: Layer): boolean {
  return content.kind === 'stored' || content.kind === 'rewritten';
}

/** Compares what containers get of the config, as `verify` does. */
function configRelation({ image }: ImageOutcome, bytes: Uint8Array): ConfigRelation {
  const changed = changedMembers(image.config, parseConfig(bytes, 'the new config'));
  return changed.length === 0 ? { relation: 'same' } : { relation: 'changed', changed };
}

function provenanceFor(outcome: RunOutcome, report: Report, circumstances: Circumstances): AboutResult {
  const { set, images } = outcome;
  const { source, destination, command, builderId, bases } = circumstances;
  const root = outcome.root as NonNullable<typeof outcome.root>;
  const statement = provenanceOf({
    subject: { ...nameOf(destination), digest: digestSet(root.descriptor.digest) },
    command,
    // The image without layers that a build begins with is in no place: nothing was read.
    source: source.kind === 'scratch' ? null : resourceOf(source, set.root.descriptor, 'source'),
    plans: images.map((each) => ({ platform: describePlatform(each), plan: each.image.plan })),
    others: [
      ...images.flatMap(({ image }) => [
        ...(source.kind === 'scratch' || image.descriptor.digest === set.root.descriptor.digest
          ? []
          : [resourceOf(source, image.descriptor, 'source', describePlatform(image.config))]),
        ...(image.original === null
          ? []
          : [{ ...described(image.original.descriptor), annotations: { role: 'original' } }]),
      ]),
      ...images.flatMap(addedResources),
      ...bases.map(({ reference, digest, role = 'base' }) => ({
        ...uriOf(reference, digest),
        digest: digestSet(digest),
        annotations: { role },
      })),
    ],
    encoders: report.encoders,
    builderId,
    version,
    metadata: metadataOf(outcome, circumstances),
    byproducts: report.platforms.flatMap(removedResource),
  });
  return { statement, subject: root.descriptor };
}

/** Names the list of paths that an image has lost, which its report has. */
function removedResource({ platform, digest, slimming }: PlatformReport): readonly ResourceDescriptor[] {
  if (slimming === null || digest === null) return [];
  const { count, digest: listed } = removedList(slimming);
  const annotations = { ...(platform === null ? {} : { platform }), count };
  return count === 0 ? [] : [{ name: 'removed-paths', digest: listed, annotations }];
}

/** States times, and an identifier of the run: by SOURCE_DATE_EPOCH the same for the same run. */
function metadataOf(
  { set, root }: RunOutcome,
  { command, epoch, started }: Pick<Circumstances, 'command' | 'epoch' | 'started'>,
): RunMetadata {
  const [from, to] =
    epoch === null ? [started, new Date()] : [new Date(epoch * 1000), new Date(epoch * 1000)];
  const parts = [command, set.root.descriptor.digest, root?.descriptor.digest, epoch];
  return {
    invocationId: `urn:uuid:${epoch === null ? randomUUID() : uuidOfText(JSON.stringify(parts))}`,
    startedOn: formatTime(from),
    finishedOn: formatTime(to),
  };
}

function resourceOf(
  reference: Reference,
  descriptor: Descriptor,
  role: string,
  platform: string | null = null,
): ResourceDescriptor {
  return {
    ...uriOf(reference, descriptor.digest),
    ...described(descriptor),
    annotations: { role, ...(platform === null ? {} : { platform }) },
  };
}

function described({ digest, mediaType }: Descriptor): ResourceDescriptor {
  return { digest: digestSet(digest), mediaType };
}

function uriOf(reference: Reference, digest: Descriptor['digest']): Pick<ResourceDescriptor, 'uri'> {
  const uri = purlOf(reference, digest);
  return uri === null ? {} : { uri };
}

/** Returns the package URL of an image; null for one in a file, whose path says nothing to others. */
function purlOf(reference: Reference, digest: Descriptor['digest']): string | null {
  if (reference.kind !== 'registry') return null;
  return imagePurl({ ...imageNameOf(reference), digest, architecture: null });
}

/** Names the repository of a result, as cosign does. */
function nameOf(destination: Reference | null): Pick<ResourceDescriptor, 'name'> {
  const repository = destination === null ? null : imageNameOf(destination).repository;
  return repository === null ? {} : { name: repository };
}
