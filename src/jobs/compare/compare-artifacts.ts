/**
 * Compares what is not an image: attestations, artifacts, blobs in an index. Only their digests are compared, which is to compare
 * their bytes. `verify.ts` calls it for the two sets that it compares.
 */
import type { Descriptor } from '../../oci/descriptor.ts';
import type { Digest } from '../../oci/digest.ts';
import { attestedDigest, isAttestation } from '../../oci/attestation.ts';
import { imageMembers, type ImageSet, type Member, type OtherMember } from '../image-set.ts';

export interface ArtifactVerification {
  readonly digest: Digest;
  /** The artifact type, where one is stated, else the media type. */
  readonly type: string;
  readonly found: 'both' | 'a' | 'b';
  /**
   * Whether it makes the images different that one side alone has it. An attestation does not where the other side lacks the image
   * that it is about, or has no index that could hold it.
   */
  readonly isDifference: boolean;
}

/** What one side has. */
interface Side {
  readonly set: ImageSet;
  readonly others: ReadonlyMap<Digest, OtherMember>;
  /** Digests of all images and nested indexes. */
  readonly manifests: ReadonlySet<string>;
}

/** Compares the members of two sets that are not images. */
export function compareArtifacts(before: ImageSet, after: ImageSet): readonly ArtifactVerification[] {
  const [a, b] = [sideOf(before), sideOf(after)];
  const result: ArtifactVerification[] = [];
  for (const [digest, member] of a.others) {
    const isInBoth = b.others.has(digest);
    result.push({
      digest,
      type: typeOf(member, a.set),
      found: isInBoth ? 'both' : 'a',
      isDifference: !isInBoth && counts(member, a, b),
    });
  }
  for (const [digest, member] of b.others)
    if (!a.others.has(digest))
      result.push({ digest, type: typeOf(member, b.set), found: 'b', isDifference: counts(member, b, a) });
  return result;
}

/** Returns whether both sides have it. */
export function isShared({ found }: ArtifactVerification): boolean {
  return found === 'both';
}

function sideOf(set: ImageSet): Side {
  const others = new Map<Digest, OtherMember>();
  const manifests = new Set<string>(imageMembers(set).map(({ raw }) => raw.descriptor.digest));
  const visit = (member: Member): void => {
    if (member.kind === 'other') others.set(descriptorOf(member, set).digest, member);
    if (member.kind !== 'nested' || manifests.has(member.nested.raw.descriptor.digest)) return;
    manifests.add(member.nested.raw.descriptor.digest);
    member.nested.members.forEach(visit);
  };
  set.members.forEach(visit);
  return { set, others, manifests };
}

function descriptorOf({ child }: OtherMember, set: ImageSet): Descriptor {
  return child?.descriptor ?? set.root.descriptor;
}

function typeOf(member: OtherMember, set: ImageSet): string {
  const { json, mediaType } = descriptorOf(member, set);
  return typeof json['artifactType'] === 'string' ? json['artifactType'] : mediaType;
}

/** Returns whether the lack of a member of `own` in `other` is a difference. */
function counts({ child }: OtherMember, own: Side, other: Side): boolean {
  if (child === null || !isAttestation(child)) return true;
  if (own.set.index === null || other.set.index === null) return false;
  const subject = attestedDigest(child);
  if (subject !== null) return other.manifests.has(subject);
  return [...own.manifests].every((digest) => other.manifests.has(digest));
}
