/**
 * The writing half of a run: layers and configs, then manifests, then the names. `run` calls it with images whose encodings
 * are decided.
 */
import { type PackedEncoding, plainEncoding } from '../../codec/encoding.ts';
import { OcislimError } from '../../errors.ts';
import { isUntouched } from '../../image/image.ts';
import { SpoolRoom } from '../../layers/edit/spool.ts';
import { LayerWriter } from '../../layers/write/layer-writer.ts';
import { encodingOfBlob } from '../../layers/write/sealed-layer.ts';
import { attestedDigest, isAttestation } from '../../oci/attestation.ts';
import type { Digest } from '../../oci/digest.ts';
import type { Family } from '../../oci/media-type.ts';
import { joinPacking, type Packing } from '../../oci/packing-notes.ts';
import type { RawManifest, Referrer, Target } from '../../place/place.ts';
import { mapParallel } from '../../stream/parallel.ts';
import { type ImageSet, membersBelow } from '../image-set.ts';
import { type Assembled, assemble } from './assemble.ts';
import {
  type AboutSource,
  type ArtifactOutcome,
  carryArtifacts,
  rowFates,
  tellArtifacts,
} from './carry-artifacts.ts';
import type { FoundArtifact } from './find-artifacts.ts';
import { familyOfAll, isUnchanged, statesActualTypes } from './family.ts';
import { isWrittenAlone } from './one-image.ts';
import { packingOf } from './packing-of.ts';
import { requireSavings } from './gate.ts';
import {
  apart,
  type AssembledImage,
  type DecidedImage,
  type OtherBytes,
  type RunOutcome,
  type WrittenImage,
} from './records.ts';
import type { RunContext } from './run.ts';
import type { Tuning } from './tune-layers.ts';
import { isOnePlace, referrersLeft, warnOfChanged, warnOfReferrers } from './warnings.ts';
import { adoptions, writeLayers } from './write-layers.ts';
import { writeManifests } from './write-manifests.ts';

/** The context of a run that writes. */
type WritingContext = RunContext & { readonly target: Target; readonly about: AboutSource };

/** Writes the images of a set and publishes them. @throws GATE, and what places and layers throw */
export async function publishImages(
  set: ImageSet,
  { images, budgets }: Tuning,
  context: WritingContext,
): Promise<RunOutcome> {
  const { source, target, reader, pool, listener, cache, cached, referrers, signal } = context;
  const room = new SpoolRoom(context.scratch);
  const writer = new LayerWriter({ source, target, reader, pool, listener, cache, room });
  const early = imagesWithOldConfigs(target, images);
  const subjects = subjectsOf(set, images, target);
  if (!isOnePlace(source, target))
    for (const { descriptor } of subjects) void referrers.of(descriptor.digest);
  const written = await writeBlobs(writer, images, early, context);
  requireSavings(context.requireSavings, apart(written).images);
  const wanted = context.family === undefined ? target.family : context.family;
  const family = familyOfAll({ set, images: written, wanted, listener });
  const attested = attestedIn(set);
  const assembled = written.map((image) => assembleImage(image, { family, attested }, context));
  const others = { present: 0, mounted: 0, copied: 0 };
  const root = await writeManifests(assembled, {
    ...context,
    set,
    others,
    family,
    annotations: images[0]?.image.plan.annotations ?? {},
    there: new Set(early.map(({ image }) => image.manifest.config.digest)),
    again: (digests, inner) => writer.again(digests, inner),
  });
  const artifacts = await settleArtifacts(set, assembled, root, { ...context, others });
  const outcome: RunOutcome = {
    set,
    ...apart(assembled.map((image) => ({ ...image, ...image.assembled }))),
    root,
    artifacts,
    encodings: encodingsOf(written),
    budgets,
    downloaded: reader.downloaded,
    others,
    cache: cached === null ? null : { downloaded: cached.downloaded, reused: cached.reused + writer.reused },
  };
  await context.attach?.(outcome, target);
  // A warning that --strict makes an error comes before the tag.
  signal.throwIfAborted();
  await publish(target, { root, packing: joinPacking(assembled.map(packingOf)) }, signal);
  return outcome;
}

/** Takes the artifacts about the source along, or warns of those that stay behind. Returns what became of each. */
async function settleArtifacts(
  set: ImageSet,
  images: readonly AssembledImage[],
  root: RawManifest,
  context: WritingContext & { readonly others: OtherBytes },
): Promise<readonly ArtifactOutcome[]> {
  const { about, target, signal } = context;
  const changed = new Set(
    apart(images)
      .images.filter(isChanged)
      .map(({ member }) => member.raw.descriptor.digest),
  );
  const rows = rowFates(about, changed);
  if (about.mode === 'copy') {
    const written = new Set([root, ...images.map(({ assembled }) => assembled.manifest)].map(digestOf));
    return [...(await carryArtifacts(asCarried(about), { ...context, written, signal })), ...rows];
  }
  const found = about.found.filter(({ by }) => by !== 'row');
  if (about.mode !== 'later') {
    const subjects = subjectsOf(set, images, target);
    const written = new Set([root, ...images.map(({ assembled }) => assembled.manifest)].map(digestOf));
    for (const each of await warnOfLeft(set, { subjects, written }, context)) found.push(each);
    const told = new Set(subjects.map(digestOf));
    warnOfChanged(
      found.filter((each) => each.about !== null && changed.has(each.about) && !told.has(each.about)),
      context.listener,
    );
  }
  return [...found.map((artifact) => ({ artifact, fate: 'left' }) as const), ...rows];
}

/**
 * Warns of what stays behind: once of what is about images that are copied as they are, once of what is about others. Returns those of it that
 * nothing has told of, since a copy does not look for artifacts before its work.
 */
async function warnOfLeft(
  set: ImageSet,
  { subjects, written }: { readonly subjects: readonly RawManifest[]; readonly written: ReadonlySet<Digest> },
  context: WritingContext,
): Promise<readonly FoundArtifact[]> {
  const { about, source, listener, signal } = context;
  const known = new Set(about.found.map(({ referrer }) => referrer.digest));
  const found: FoundArtifact[] = [];
  const [unchanged, changed]: [Referrer[], Referrer[]] = [[], []];
  for (const { subject, left } of await referrersLeft(subjects, written, context)) {
    const side = written.has(subject) ? unchanged : changed;
    for (const each of left) side.push(each);
    const listed = left.filter(({ digest }) => !known.has(digest));
    if (listed.length === 0) continue;
    const { artifactsLeft } = await import('./find-artifacts.ts');
    for (const each of await artifactsLeft(set, subject, { listed, source, signal })) found.push(each);
  }
  tellArtifacts({ ...about, set, found }, 'drop', listener);
  warnOfReferrers(unchanged, true, listener);
  warnOfReferrers(changed, false, listener);
  return found;
}

/** Leaves out the rows of the index, which are written with it. */
function asCarried({ found, ...about }: AboutSource): AboutSource {
  return { ...about, found: found.filter(({ by }) => by !== 'row') };
}

function isChanged({ member, assembled }: AssembledImage): boolean {
  return member.raw.descriptor.digest !== assembled.manifest.descriptor.digest;
}

function digestOf({ descriptor }: RawManifest): Digest {
  return descriptor.digest;
}

/**
 * Returns what signatures may refer to: the source, its image where only that is written, and of a copy every image. A rewrite has asked about
 * its images before its work.
 */
function subjectsOf(set: ImageSet, images: readonly DecidedImage[], target: Target): readonly RawManifest[] {
  const isAlone = isWrittenAlone(set, images.length, target);
  const isCopy = images.every(({ image }) => isUntouched(image));
  const nested = membersBelow(set).flatMap((member) => (member.kind === 'nested' ? [member.nested.raw] : []));
  const below = images.map(({ member }) => member.raw);
  const all = [set.root, ...(isCopy ? [...nested, ...below] : isAlone ? below.slice(0, 1) : [])];
  return [...new Map(all.map((raw) => [digestOf(raw), raw])).values()];
}

/** Returns the images whose configs can go up beside the layers: where nothing is changed, every config is the old one. */
function imagesWithOldConfigs(target: Target, images: readonly DecidedImage[]): readonly DecidedImage[] {
  const isCopy = target.layerFormat === 'any' && images.every(({ image }) => isUntouched(image));
  return isCopy ? images : [];
}

async function writeBlobs(
  writer: LayerWriter,
  images: readonly DecidedImage[],
  early: readonly DecidedImage[],
  { target, jobs, signal }: WritingContext,
): Promise<WrittenImage[]> {
  let written: WrittenImage[] = [];
  const work = [
    async (inner: AbortSignal) => void (written = await writeLayers(writer, images, { jobs, signal: inner })),
    async (inner: AbortSignal) =>
      void (await mapParallel(early, adoptions, inner, ({ image: { manifest, config } }, _, each) =>
        target.put(config.bytes, manifest.config, each),
      )),
  ];
  await mapParallel(work, work.length, signal, (each, _, inner) => each(inner));
  return written;
}

/** Returns the digests that attestations in the index are about. */
function attestedIn({ index, members }: ImageSet): ReadonlySet<string> {
  const children = [
    ...(index?.children ?? []),
    ...membersBelow({ members }).flatMap((member) => (member.child === null ? [] : [member.child])),
  ];
  return new Set(children.flatMap((child) => (isAttestation(child) ? (attestedDigest(child) ?? []) : [])));
}

function assembleImage(
  written: WrittenImage,
  { family, attested }: { readonly family: Family | null; readonly attested: ReadonlySet<string> },
  context: WritingContext,
): AssembledImage {
  const { image, member } = written;
  const { epoch, target } = context;
  const isKept =
    isUnchanged(written) &&
    (family === null || family === image.manifest.family) &&
    (target.layerFormat === 'any' || statesActualTypes(image));
  const assembled: Assembled = isKept
    ? {
        manifest: member.raw,
        config: { descriptor: image.manifest.config, bytes: image.config.bytes },
      }
    : assemble(written, {
        family: family ?? image.manifest.family,
        sourceName: context.source.label,
        isAttested: attested.has(member.raw.descriptor.digest),
        created: epoch === null ? null : new Date(epoch * 1000).toISOString().replace('.000Z', 'Z'),
      });
  return { ...written, assembled };
}

/**
 * Publishes the root. From here on an interruption may come too late, so its error no longer says that nothing was published.
 */
async function publish(
  target: Target,
  { root, packing }: { readonly root: RawManifest; readonly packing: Packing },
  signal: AbortSignal,
): Promise<void> {
  try {
    await target.publish(root, signal, packing);
  } catch (error) {
    if (!(error instanceof OcislimError) || (error.code !== 'INTERRUPTED' && error !== signal.reason))
      throw error;
    throw new OcislimError(
      error.code,
      `interrupted while ${target.label} was being published: it is the old image or the new one, ${root.descriptor.digest}`,
      { cause: error },
    );
  }
}

/** Returns the encodings of new blobs, each once, without thresholds, which decide about no byte. */
function encodingsOf(images: readonly WrittenImage[]): PackedEncoding[] {
  const byText = new Map<string, PackedEncoding>();
  for (const { sealed } of images.flatMap(({ layers }) => layers)) {
    const encoding = encodingOfBlob(sealed);
    if (encoding === null) continue;
    const plain = plainEncoding(encoding);
    byText.set(JSON.stringify(plain), plain);
  }
  return [...byText.values()];
}
