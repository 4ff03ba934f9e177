/**
 * The warnings of a run: what a plan cannot do as it was asked for, and what the result leaves behind. The steps of the run
 * call these once they know; where `--strict` makes a warning an error, it comes before the tag.
 */
import { quotePath, root } from '../../bytes/path.ts';
import { caveatOf, partialReadersOf } from '../../codec/encoding.ts';
import type { Listener } from '../../events.ts';
import { encodingOf, type Image, nameOfImage } from '../../image/image.ts';
import { chooseEncoding } from '../../layers/write/encoding-choice.ts';
import { removedInVain, runtimeOf } from '../../configure/configure.ts';
import type { ConfigEdit } from '../../image/config-edit.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import type { Digest } from '../../oci/digest.ts';
import { isJsonObject } from '../../oci/json.ts';
import type { Index, IndexChild } from '../../oci/manifest.ts';
import type { RawManifest, Referrer, Source, Target } from '../../place/place.ts';
import type { CheckedClosure } from '../../closure/close-image.ts';
import { imageMembers, type ImageMember, type ImageSet, membersBelow } from '../image-set.ts';
import { attestedDigest, isAttestation } from '../../oci/attestation.ts';
import type { AskedReferrers } from './asked-referrers.ts';
import type { FoundArtifact } from './find-artifacts.ts';
import type { DecidedImage, ResolvedImage } from './records.ts';

/** Warns of what the resolution of an image could not do, or did with doubts. */
export async function warnOfResolution(
  { image, resolution }: ResolvedImage,
  listener: Listener,
): Promise<void> {
  const name = nameOfImage(image);
  for (const change of resolution.keptForLinks) {
    const path = resolution.table?.paths[change.path];
    listener({
      type: 'warning',
      code: 'KEPT_FOR_LINK',
      message: `${name}: ${quotePath(path ?? root)} stays, since a layer that was not selected has a hard link to it`,
    });
  }
  for (const { sentence } of resolution.forced)
    listener({ type: 'warning', code: 'FORCED', message: `${name} may not run: ${sentence}` });
  for (const { path, packages, why } of resolution.synced?.kept ?? [])
    listener({
      type: 'warning',
      code: 'PACKAGES_LISTED',
      message:
        packages === null
          ? `${name}: the package database ${quotePath(path)} cannot be read (${why}), and stays as it is`
          : `${name}: ${quotePath(path)} still lists ${packages} ${packages === 1 ? 'package' : 'packages'} without files: ${why}`,
    });
  for (const closure of resolution.traced) await warnOfClosure(name, closure, listener);
  const count = image.manifest.layers.length;
  const isPart = image.plan.prunings.some(({ layers: { from, to } }) => from > 1 || to < count);
  warnOfUnused(
    resolution.unusedRules.filter(({ group }) => group === undefined),
    isPart ? `the selected layers of ${name}` : name,
    listener,
  );
}

/** The most rules without a match that are named one by one. */
const mostNamed = 20;

function warnOfUnused(
  rules: ResolvedImage['resolution']['unusedRules'],
  name: string,
  listener: Listener,
): void {
  const warn = (message: string): void => listener({ type: 'warning', code: 'RULE_UNUSED', message });
  for (const { origin, text } of rules.slice(0, mostNamed))
    warn(`${origin}: the rule ${JSON.stringify(text)} matches nothing in ${name}`);
  const last = rules.at(-1);
  if (rules.length > mostNamed && last !== undefined)
    warn(`${rules.length - mostNamed} more rules match nothing in ${name}, to ${last.origin}`);
}

/** Warns of what edits of the config remove although the image does not have it. */
export function warnOfRemovals(set: ImageSet, edits: readonly ConfigEdit[], listener: Listener): void {
  for (const { image } of imageMembers(set))
    for (const name of edits.flatMap((edit) => removedInVain(image, edit)))
      listener({
        type: 'warning',
        code: 'SETTING_IGNORED',
        message: `${nameOfImage(image)} has no ${name} to remove`,
      });
}

async function warnOfClosure(
  name: string,
  { input, pruning, problems, doubts }: CheckedClosure,
  listener: Listener,
): Promise<void> {
  for (const doubt of doubts)
    listener({ type: 'warning', code: 'TRACE_DOUBTFUL', message: `${name}: ${doubt}` });
  for (const { sentence } of problems)
    listener({ type: 'warning', code: 'FORCED', message: `${name} may not run: ${sentence}` });
  if (pruning.granularity === 'file') return;
  const { packagesOf } = await import('../../rootfs/packages/package-index.ts');
  for (const { path, why } of packagesOf(input).unread)
    listener({
      type: 'warning',
      code: 'PACKAGES_UNREAD',
      message: `${name}: the package database ${quotePath(path)} cannot be read (${why}): of its packages only what is needed stays`,
    });
}

/** Reports each warning that a decided encoding deserves, once. */
export function warnOfEncodings(images: readonly DecidedImage[], listener: Listener): void {
  const encodings = images.flatMap(({ layers }) => layers.map(({ layer }) => encodingOf(layer)));
  const caveats = encodings.flatMap((encoding) =>
    encoding.kind === 'keep' || encoding.kind === 'tuned' ? [] : (caveatOf(encoding) ?? []),
  );
  for (const caveat of new Map(caveats.map((each) => [each.message, each])).values()) listener(caveat);
}

/**
 * Warns where a bootable image gets layers that older tools for such images read in part only. Docker, containerd and podman
 * read all of them.
 */
export function warnOfFrames(
  { image, layers }: DecidedImage,
  target: Pick<Target, 'layerFormat'> | null,
  listener: Listener,
): void {
  if (!isBootable(image)) return;
  const place = { layerFormat: target?.layerFormat ?? 'any' } as const;
  const formats = layers.map(({ layer, content }) => chooseEncoding(place, image, layer, content).kind);
  for (const format of new Set(formats)) {
    const readers = format === 'keep' ? null : partialReadersOf(format);
    if (readers === null) continue;
    listener({
      type: 'warning',
      code: 'FRAMES_UNREAD',
      message: `${nameOfImage(image)} is bootable and gets ${format} layers of several frames, of which ${readers}, reads the first only; gzip is read whole`,
    });
  }
}

/** Whether the labels say that a machine boots from the image: those of bootc and of ostree. */
function isBootable(image: Image): boolean {
  const { labels } = runtimeOf(image);
  return (
    labels.get('containers.bootc') === '1' || [...labels.keys()].some((key) => key.startsWith('ostree.'))
  );
}

/** Warns of an attestation that is left out of the index. */
export function warnOfAttestation(child: IndexChild, listener: Listener): void {
  const subject = attestedDigest(child) ?? 'unnamed';
  listener({
    type: 'warning',
    code: 'ATTESTATION_DROPPED',
    message: `the attestation ${child.descriptor.digest} was left out of the index: the image that it is about (${subject}) has changed`,
  });
}

/** Warns of the attestations about an image that is written without the index that holds them. */
export function warnOfRowsLeftOut(set: Pick<ImageSet, 'members'>, listener: Listener): void {
  for (const { kind, child } of membersBelow(set))
    if (kind === 'other' && child !== null && isAttestation(child))
      listener({
        type: 'warning',
        code: 'ATTESTATION_DROPPED',
        message: `the attestation ${child.descriptor.digest} was left out: one image was chosen, and is written without the index that lists its attestations`,
      });
}

/** Warns of the members that are not images, and stay as they are. Attestations have warnings of their own. */
export function warnOfOthers(set: Pick<ImageSet, 'members'>, listener: Listener): void {
  const named = new Set<string>();
  for (const member of membersBelow(set)) {
    if (member.kind !== 'other' || member.child === null || isAttestation(member.child)) continue;
    const { digest, mediaType, json } = member.child.descriptor;
    const artifactType = typeof json['artifactType'] === 'string' ? json['artifactType'] : null;
    if (named.has(digest)) continue;
    named.add(digest);
    listener({
      type: 'warning',
      code: 'NOT_AN_IMAGE',
      message: `${digest} in the index is not an image (${artifactType ?? mediaType}): it stays as it is`,
    });
  }
}

/** Warns of a reference to another manifest that a changed image no longer has. */
export function warnOfSubject({ image, raw }: ImageMember, manifest: RawManifest, listener: Listener): void {
  const { subject } = image.manifest;
  if (subject === null || manifest.descriptor.digest === raw.descriptor.digest) return;
  listener({
    type: 'warning',
    code: 'REFERRERS_LEFT',
    message: `the source says of itself that it refers to ${subject.digest}; the new image does not say so`,
  });
}

/** Warns of a reference to another manifest that a changed index no longer has. */
export function warnOfIndexSubject({ json }: Index, listener: Listener): void {
  const { subject } = json;
  if (!isJsonObject(subject)) return;
  listener({
    type: 'warning',
    code: 'REFERRERS_LEFT',
    message: `the index says of itself that it refers to ${String(subject['digest'])}; the new one does not say so`,
  });
}

/** The two places of a run, and how it is told of what it leaves behind. */
export interface ReferrerContext {
  readonly source: Source;
  readonly referrers: AskedReferrers;
  readonly target: Target;
  readonly listener: Listener;
  readonly signal: AbortSignal;
}

/** What stays behind of that which refers to a manifest of the source. */
interface LeftReferrers {
  readonly subject: Digest;
  readonly left: readonly Referrer[];
}

/**
 * Returns signatures and the like that stay behind: they are valid for the old digest only, or the image goes to a place that does not
 * have them. Warns once where that is not known. `written`: the digests of the result.
 */
export async function referrersLeft(
  subjects: readonly RawManifest[],
  written: ReadonlySet<Digest>,
  { source, target, referrers, listener, signal }: ReferrerContext,
): Promise<readonly LeftReferrers[]> {
  const failures: unknown[] = [];
  const leftOf = async (subject: Digest): Promise<readonly Referrer[]> => {
    const isSame = written.has(subject);
    if (isSame && isOnePlace(source, target)) return [];
    try {
      const found = await referrers.of(subject);
      // A copy within a folder leaves nothing behind. Of registries, only the repository tells.
      return isSame && target.mountable === null ? await missingFrom(target, found, signal) : found;
    } catch (error) {
      signal.throwIfAborted();
      failures.push(error);
      return [];
    }
  };
  const left: LeftReferrers[] = [];
  for (const { descriptor } of subjects)
    left.push({ subject: descriptor.digest, left: await leftOf(descriptor.digest) });
  const [failure] = failures;
  // A registry that does not answer must not silence signatures.
  if (failures.length > 0)
    listener({
      type: 'warning',
      code: 'REFERRERS_LEFT',
      message: `it is unknown whether signatures or attestations refer to the source: ${failure instanceof Error ? failure.message : String(failure)}`,
    });
  return left;
}

/** Warns of artifacts that stay behind. `isSame`: whether what they are about is copied as it is. */
export function warnOfReferrers(found: readonly Descriptor[], isSame: boolean, listener: Listener): void {
  if (found.length === 0) return;
  const kinds = new Set(
    found.map(({ json, mediaType }) =>
      typeof json['artifactType'] === 'string' ? json['artifactType'] : mediaType,
    ),
  );
  const artifacts = `${found.length} ${found.length === 1 ? 'artifact refers' : 'artifacts refer'}`;
  listener({
    type: 'warning',
    code: 'REFERRERS_LEFT',
    message: `${artifacts} to the source (${[...kinds].join(', ')}): ${isSame ? 'they are not copied with it, and stay behind' : 'signatures and attestations do not hold for the new digest and stay behind'}`,
  });
}

/** Warns of artifacts that are about images which are others now. */
export function warnOfChanged(found: readonly FoundArtifact[], listener: Listener): void {
  if (found.length === 0) return;
  const kinds = new Set(found.map(({ facts, referrer }) => facts.artifactType ?? referrer.mediaType));
  const artifacts = found.length === 1 ? '1 artifact refers' : `${found.length} artifacts refer`;
  listener({
    type: 'warning',
    code: 'REFERRERS_LEFT',
    message: `${artifacts} to images of the source that have changed (${[...kinds].join(', ')}): signatures and attestations do not hold for the new digests and stay behind`,
  });
}

/** Returns whether source and target are one repository, where what refers to an image stays beside it. */
export function isOnePlace({ mountable: from }: Source, { mountable: to }: Target): boolean {
  return from !== null && from.registry === to?.registry && from.repository === to.repository;
}

async function missingFrom(
  target: Target,
  found: readonly Referrer[],
  signal: AbortSignal,
): Promise<readonly Referrer[]> {
  const missing: Referrer[] = [];
  for (const descriptor of found) if (!(await target.has(descriptor, signal))) missing.push(descriptor);
  return missing;
}
