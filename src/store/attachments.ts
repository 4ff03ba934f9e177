/**
 * Artifacts about images in layouts and OCI archives: how they get into index.json. As in a registry without the referrers API, a tag that is made
 * of the subject's digest names an index of them, which regctl and oras read. Called by `LocalTarget` and the storages below it.
 */
import { OcislimError } from '../errors.ts';
import { type Digest, hasher, isDigest } from '../oci/digest.ts';
import { type JsonObject, parseJsonObject } from '../oci/json.ts';
import { mediaTypes } from '../oci/media-type.ts';
import { describeReferrer, hasLayersOf, referrersTag, subjectOf, withReferrers } from '../oci/referrers.ts';
import type { RawManifest } from '../place/place.ts';
import { checkDigest } from '../stream/verify.ts';
import { annotation, refNameKey } from './layout/layout-index.ts';

/** An artifact, and the tag by which it is found. */
export type Attachment =
  /** Its entry in the index under the tag. */
  | { readonly kind: 'entry'; readonly tag: string; readonly entry: JsonObject }
  /** The manifest that stands under the tag itself. */
  | { readonly kind: 'tagged'; readonly tag: string; readonly manifest: RawManifest };

/** Says how an artifact is found: by one of cosign's tags, or by its subject. @throws MANIFEST_INVALID where it has none */
export function attachmentOf(artifact: RawManifest, tag: string | undefined, what: string): Attachment {
  if (tag !== undefined) return { kind: 'tagged', tag, manifest: artifact };
  const subject = subjectOf(parseJsonObject(artifact.bytes, what), what);
  if (subject === null) throw new OcislimError('MANIFEST_INVALID', `${what} does not say what it refers to`);
  return { kind: 'entry', tag: referrersTag(subject.digest), entry: describeReferrer(artifact) };
}

/** Reads and writes the documents that rows of index.json name. */
export interface RowDocuments {
  /** Reads a document; null where it is not there. */
  readonly read: (digest: Digest) => Promise<Uint8Array | null>;
  readonly write: (raw: RawManifest) => Promise<void>;
}

/** Returns the rows of index.json with artifacts in them. @throws ARCHIVE_INVALID where a tag of referrers is something else */
export async function withAttachments(
  rows: readonly JsonObject[],
  attachments: readonly Attachment[],
  documents: RowDocuments,
): Promise<readonly JsonObject[]> {
  let result = rows;
  for (const tag of new Set(attachments.map((each) => each.tag))) {
    const own = attachments.filter((each) => each.tag === tag);
    const old = result.find((row) => annotation(row, refNameKey) === tag) ?? null;
    const raw = await documentFor(own, old, documents);
    if (raw === null) continue;
    const { mediaType, digest, size } = raw.descriptor;
    const fresh = { mediaType, digest, size, annotations: { [refNameKey]: tag } };
    result = [...result.filter((row) => annotation(row, refNameKey) !== tag), fresh];
  }
  return result;
}

/** Returns the document for a tag; null where that which is there stays. */
async function documentFor(
  attachments: readonly Attachment[],
  row: JsonObject | null,
  { read, write }: RowDocuments,
): Promise<RawManifest | null> {
  const there = row !== null && isDigest(row['digest']) ? await checked(row['digest'], read) : null;
  const tagged = attachments.findLast((each) => each.kind === 'tagged');
  if (tagged !== undefined) {
    const isOlder = there === null || hasLayersOf(tagged.manifest.bytes, there);
    return isOlder ? tagged.manifest : null;
  }
  const entries = attachments.flatMap((each) => (each.kind === 'entry' ? [each.entry] : []));
  const index = withReferrers(there === null ? null : indexOf(there, row), entries);
  if (index !== null) await write(index);
  return index;
}

/** Reads a document by its digest. @throws DIGEST_MISMATCH */
async function checked(digest: Digest, read: RowDocuments['read']): Promise<Uint8Array | null> {
  const bytes = await read(digest);
  if (bytes === null) return null;
  const hash = hasher(digest);
  hash.update(bytes);
  checkDigest(hash.digest(), digest, `manifest ${digest}`);
  return bytes;
}

function indexOf(bytes: Uint8Array, row: JsonObject | null): JsonObject {
  const json = parseJsonObject(bytes, 'an index of referrers');
  const type = json['mediaType'] ?? row?.['mediaType'];
  if (type === mediaTypes.ociIndex && Array.isArray(json['manifests'])) return json;
  throw new OcislimError(
    'ARCHIVE_INVALID',
    `${String(row === null ? '' : annotation(row, refNameKey))} should be an index of what refers to an image, but is ${JSON.stringify(type)}`,
    { advice: 'Rename what has this tag, or write to another place.' },
  );
}
