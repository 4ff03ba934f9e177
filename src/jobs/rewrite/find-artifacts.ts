/**
 * Finds what speaks of the digests of a source: signatures, attestations, SBOMs. A rewrite makes other digests, for which these do not hold. `run`
 * calls it before anything is written; `carry-artifacts.ts` takes along what it found.
 */
import { OcislimError } from '../../errors.ts';
import type { Listener } from '../../events.ts';
import { isUntouched } from '../../image/image.ts';
import { exceeded, type Limits } from '../../limits.ts';
import { type ArtifactFacts, artifactFacts, isTold } from '../../oci/artifact-facts.ts';
import { attestedDigest, isAttestation } from '../../oci/attestation.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import type { Digest } from '../../oci/digest.ts';
import { type JsonObject, parseJsonObject } from '../../oci/json.ts';
import { isManifestType } from '../../oci/media-type.ts';
import { formatPlatform } from '../../oci/platform.ts';
import { refersTo } from '../../oci/referrers.ts';
import type { RawManifest, Referrer, Source } from '../../place/place.ts';
import { mapParallel } from '../../stream/parallel.ts';
import { type ImageSet, membersBelow, platformOf } from '../image-set.ts';
import type { AskedReferrers } from './asked-referrers.ts';
import type { PlannedImage } from './records.ts';

/** What happens to artifacts about a source. `later`: another run, which publishes the result of this one, takes them along. */
export type ReferrerMode = 'drop' | 'copy' | 'fail' | 'later';

/** An artifact about the source. */
export interface FoundArtifact {
  /** How it is found: by the list of referrers, by a tag of cosign's, or as a row of the index itself. */
  readonly by: 'subject' | 'tag' | 'row';
  /** The digest of what it is about; null for a row that does not tell. */
  readonly about: Digest | null;
  /** The platform of the image that it is about: `linux/amd64`. Null for an index, and where it is not known. */
  readonly platform: string | null;
  readonly referrer: Referrer;
  /** Its manifest; null where it was not read. */
  readonly raw: RawManifest | null;
  readonly facts: ArtifactFacts;
}

/** Manifests and indexes of a source that artifacts may be about. */
interface Subject {
  readonly descriptor: Descriptor;
  readonly platform: string | null;
}

export interface FindContext {
  readonly source: Source;
  readonly referrers: AskedReferrers;
  /** Whether a place that does not answer is an error, and every artifact is read. */
  readonly thorough: boolean;
  /** Whether the image is written without the index around it. */
  readonly alone: boolean;
  readonly limits: Limits;
  readonly listener: Listener;
  readonly signal: AbortSignal;
}

type LookContext = Pick<FindContext, 'source' | 'thorough' | 'signal'>;

/** Manifests that are read at a time. */
const reads = 6;

/**
 * Returns all artifacts about the index, its images and its nested indexes, and, where it is thorough, those about these artifacts. Attestations in
 * the index itself are among them unless the index and all images stay as they are.
 * @throws LIMIT; what places throw, if it is thorough
 */
export async function findArtifacts(
  set: ImageSet,
  images: readonly PlannedImage[],
  context: FindContext,
): Promise<readonly FoundArtifact[]> {
  const isCopy = images.every(({ image }) => isUntouched(image));
  // Under a tag, an artifact may stand for another image than its subject.
  const found = new Map<string, FoundArtifact>();
  const asked = new Set<Digest>();
  let subjects = [...subjectsOf(set), ...(context.thorough ? rowSubjects(set) : [])];
  while (subjects.length > 0) {
    for (const { descriptor } of subjects) asked.add(descriptor.digest);
    const level = await mapParallel(subjects, reads, context.signal, (subject, _, inner) =>
      artifactsAbout(subject, { ...context, signal: inner }),
    );
    for (const each of level.flat()) found.set(`${each.about} ${each.referrer.digest}`, each);
    requireFew(found.size, context);
    const fresh = level.flat().filter(({ referrer }) => !asked.has(referrer.digest));
    subjects = context.thorough
      ? fresh.map(({ referrer }) => ({ descriptor: referrer, platform: null }))
      : [];
  }
  return [...found.values(), ...(isCopy && !context.alone ? [] : await rowsAbout(set, context))];
}

function requireFew(count: number, { limits, source }: FindContext): void {
  if (count > limits.referrers)
    throw exceeded('referrers', limits, `${source.label} has too many referrers`, {
      says: `${count} artifacts refer to it`,
      atLeast: count,
    });
}

/** Returns the root, its images and its nested indexes, each once. */
function subjectsOf(set: ImageSet): readonly Subject[] {
  const subjects = new Map<Digest, Subject>();
  const add = (descriptor: Descriptor, platform: string | null) =>
    subjects.set(descriptor.digest, { descriptor, platform });
  add(set.root.descriptor, null);
  for (const member of membersBelow(set)) {
    if (member.kind === 'nested') add(member.nested.raw.descriptor, null);
    if (member.kind !== 'image') continue;
    const platform = platformOf(member);
    add(member.raw.descriptor, platform === null ? null : formatPlatform(platform));
  }
  return [...subjects.values()];
}

/** Returns the rows that are no images: a signature of an attestation is about such a row. */
function rowSubjects(set: ImageSet): readonly Subject[] {
  return membersBelow(set).flatMap(({ kind, child }) =>
    kind === 'other' && child !== null && isManifestType(child.descriptor.mediaType)
      ? [{ descriptor: child.descriptor, platform: null }]
      : [],
  );
}

async function artifactsAbout(
  { descriptor: { digest }, platform }: Subject,
  context: FindContext,
): Promise<readonly FoundArtifact[]> {
  const { referrers, thorough, signal } = context;
  const listed: readonly Referrer[] = await referrers.of(digest).catch((error: unknown) => {
    signal.throwIfAborted();
    // The warning at the end says that it is not known.
    if (thorough) throw error;
    return [];
  });
  return lookAt(listed, { descriptor: { digest }, platform }, context);
}

/** Looks at artifacts about a subject: what each of them is. One that says of itself that it is about something else is left out. */
async function lookAt(
  listed: readonly Referrer[],
  {
    descriptor: { digest },
    platform,
  }: { readonly descriptor: Pick<Descriptor, 'digest'> } & Pick<Subject, 'platform'>,
  context: LookContext,
): Promise<readonly FoundArtifact[]> {
  const found = await mapParallel(listed, reads, context.signal, async (referrer: Referrer, _, inner) => {
    const { raw, document } = await read(referrer, { ...context, signal: inner });
    const by = referrer.tags === undefined ? 'subject' : 'tag';
    if (by === 'subject' && document !== null && !refersTo(document, digest)) return [];
    return [{ by, about: digest, platform, referrer, raw, facts: factsOf(referrer, document) } as const];
  });
  return found.flat();
}

/** Looks at what a copy leaves behind, which it has found without this function: what each artifact about a subject is. */
export function artifactsLeft(
  set: ImageSet,
  about: Digest,
  {
    listed,
    source,
    signal,
  }: Pick<FindContext, 'source' | 'signal'> & { readonly listed: readonly Referrer[] },
): Promise<readonly FoundArtifact[]> {
  const platform = subjectsOf(set).find(({ descriptor }) => descriptor.digest === about)?.platform ?? null;
  return lookAt(listed, { descriptor: { digest: about }, platform }, { source, signal, thorough: false });
}

function factsOf({ json, tags = [] }: Referrer, document: JsonObject | null): ArtifactFacts {
  return artifactFacts(json, document, tags[0] ?? null);
}

/** The manifest of an artifact: as bytes, and as it was parsed. */
interface ReadArtifact {
  readonly raw: RawManifest | null;
  readonly document: JsonObject | null;
}

const unread: ReadArtifact = { raw: null, document: null };

/** Reads the manifest of an artifact, where it is wanted or lists do not say what it is (cosign#5098). Null where it cannot be read. */
async function read(referrer: Referrer, { source, thorough, signal }: LookContext): Promise<ReadArtifact> {
  if (!thorough && isTold(referrer.json)) return unread;
  try {
    return readable(await source.manifest(referrer, signal));
  } catch (error) {
    signal.throwIfAborted();
    if (thorough || !(error instanceof OcislimError)) throw error;
    return unread;
  }
}

function readable(raw: RawManifest): ReadArtifact {
  return { raw, document: parseJsonObject(raw.bytes, `manifest ${raw.descriptor.digest}`) };
}

/** Returns the attestations that stand in the index itself, as BuildKit writes them. */
async function rowsAbout(set: ImageSet, context: FindContext): Promise<readonly FoundArtifact[]> {
  const platforms = new Map(subjectsOf(set).map(({ descriptor, platform }) => [descriptor.digest, platform]));
  const rows = membersBelow(set).flatMap((member) =>
    member.kind === 'other' && member.child !== null && isAttestation(member.child)
      ? [{ child: member.child, known: member.raw }]
      : [],
  );
  return mapParallel(rows, reads, context.signal, async ({ child, known }, _, signal) => {
    const { descriptor } = child;
    const { raw, document } =
      known === null ? await read(descriptor, { ...context, thorough: false, signal }) : readable(known);
    const about = attestedDigest(child) as Digest | null;
    const { kind, ...facts } = factsOf(descriptor, document);
    return {
      by: 'row',
      about,
      platform: about === null ? null : (platforms.get(about) ?? null),
      referrer: descriptor,
      raw,
      // The row says so, whatever its layers are.
      facts: { ...facts, kind: kind === 'artifact' ? 'attestation' : kind },
    };
  });
}
