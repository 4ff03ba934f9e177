/**
 * Answers requests for manifests and their referrers (distribution-spec). Called by handle-request.ts
 * for the two endpoints.
 */
import { OcislimError } from '../../errors.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { isJsonObject, type JsonObject, parseJsonObject } from '../../oci/json.ts';
import { layerKind, mediaTypes } from '../../oci/media-type.ts';
import { isDocument, type Named, namedIn, rowKind } from '../../oci/named.ts';
import { collect } from '../../stream/collect.ts';
import { defaultLimits } from '../../limits.ts';
import { type Answer, type Call, json, nothing } from './answer.ts';
import { Refusal } from './refusal.ts';
import { digestLike, type RegistryStore } from './registry-store.ts';
import type { ManifestFacts } from './repository-index.ts';
import type { Route } from './route.ts';

/** Bytes. Registries must accept manifests of this size (distribution-spec, "Pushing Manifests"). */
const maxManifest = defaultLimits['manifest-bytes'];

type ManifestRoute = Extract<Route, { kind: 'manifest' }>;

/**
 * Answers `/v2/<name>/manifests/<reference>` (distribution-spec, "Pulling manifests", "Pushing Manifests", "Deleting
 * Manifests"). A DELETE by tag removes the tag alone.
 * @throws Refusal
 */
export async function answerManifest(
  route: ManifestRoute,
  call: Call,
  store: RegistryStore,
): Promise<Answer> {
  switch (call.method) {
    case 'GET':
    case 'HEAD':
      return get(await find(route, call, store), call, store);
    case 'PUT':
      return put(route, call, store);
    case 'DELETE':
      await find(route, call, store);
      if (route.name.kind === 'tag') await store.removeTag(route.repository, route.name.tag, call.signal);
      else await store.removeManifest(route.repository, route.name.digest, call.signal);
      return nothing(202);
    default:
      throw new Refusal('UNSUPPORTED', `${call.method} is not for manifests`);
  }
}

/** Finds the manifest of a route. @throws Refusal MANIFEST_UNKNOWN */
async function find(
  { repository, name }: ManifestRoute,
  call: Call,
  store: RegistryStore,
): Promise<ManifestFacts> {
  const found = await store.manifest(repository, name, call.signal);
  if (found !== null) return found;
  const detail =
    name.kind === 'tag' ? { name: repository, tag: name.tag } : { name: repository, digest: name.digest };
  throw new Refusal('MANIFEST_UNKNOWN', 'manifest unknown', { detail });
}

/** Sends a manifest with the media type that it was pushed with, or 304 to a client that has it. */
function get({ descriptor }: ManifestFacts, call: Call, store: RegistryStore): Answer {
  const { digest, mediaType, size } = descriptor;
  const headers = { 'docker-content-digest': digest, etag: `"${digest}"` };
  if (call.request.headers['if-none-match']?.includes(digest) === true) return nothing(304, headers);
  const stream = store.read(digest, 0, size, call.signal);
  return { status: 200, headers: { ...headers, 'content-type': mediaType }, body: { stream, size } };
}

/**
 * Stores a manifest under its digest, and under the tag of the path. The media type is that of the Content-Type header.
 * @throws Refusal MANIFEST_INVALID, DIGEST_INVALID, MANIFEST_BLOB_UNKNOWN
 */
async function put({ repository, name }: ManifestRoute, call: Call, store: RegistryStore): Promise<Answer> {
  if (Number(call.request.headers['content-length'] ?? 0) > maxManifest) {
    throw new Refusal('MANIFEST_INVALID', `the manifest is larger than ${maxManifest} bytes`, {
      status: 413,
    });
  }
  const bytes = await collect(call.body, maxManifest, 'the manifest');
  const digest = digestLike(name.kind === 'digest' ? name.digest : null, bytes);
  if (name.kind === 'digest' && name.digest !== digest) {
    throw new Refusal('DIGEST_INVALID', `the manifest has the digest ${digest}`, {
      detail: { digest: name.digest },
    });
  }
  const mediaType = announcedType(call);
  await requireContents(parse(bytes, mediaType), repository, call, store);
  const subject = subjectOf(parseJsonObject(bytes, 'the manifest'));
  const tag = name.kind === 'tag' ? name.tag : null;
  await store.putManifest(repository, tag, { mediaType, digest, bytes }, call.signal);
  return nothing(201, {
    location: `/v2/${repository}/manifests/${digest}`,
    'docker-content-digest': digest,
    ...(subject === null ? {} : { 'oci-subject': subject }),
  });
}

/** Returns the media type of the request without parameters: `; charset=utf-8` means nothing for JSON. */
function announcedType(call: Call): string {
  const [type = ''] = (call.request.headers['content-type'] ?? '').split(';');
  if (type.trim() !== '') return type.trim();
  throw new Refusal('MANIFEST_INVALID', 'a manifest needs a Content-Type');
}

/**
 * Checks that the repository has all that a manifest names, in the stated length. Its subject may come later.
 * @throws Refusal MANIFEST_BLOB_UNKNOWN, MANIFEST_INVALID
 */
async function requireContents(
  named: Named,
  repository: string,
  { signal }: Call,
  store: RegistryStore,
): Promise<void> {
  const missing: string[] = [];
  const sizeOf = async ({ digest }: Descriptor, isRow: boolean): Promise<number | null> => {
    const child = isRow ? await store.manifest(repository, { kind: 'digest', digest }, signal) : null;
    return child?.descriptor.size ?? store.blobSize(repository, digest, signal);
  };
  for (const each of [...named.rows, ...named.blobs]) {
    const size = await sizeOf(each, named.rows.includes(each));
    if (size !== null) requireSize(each, size);
    // The bytes of foreign layers are in other places.
    else if (layerKind(each.mediaType).kind !== 'foreign') missing.push(each.digest);
  }
  if (missing.length === 0) return;
  throw new Refusal(
    'MANIFEST_BLOB_UNKNOWN',
    `the manifest names what this repository does not have: ${missing.join(', ')}`,
    { detail: missing.map((digest) => ({ digest })) },
  );
}

/** Returns the digest of the subject, of a manifest or an index. */
function subjectOf({ subject }: JsonObject): string | null {
  return isJsonObject(subject) && 'digest' in subject ? String(subject['digest']) : null;
}

/** Reads what a manifest names. Of another type than those of images, it must look like a manifest. @throws Refusal */
function parse(bytes: Uint8Array, mediaType: string): Named {
  try {
    if (rowKind(mediaType) !== 'document' && !isDocument(bytes, mediaType))
      throw new Refusal('MANIFEST_INVALID', `not a manifest, and of the type ${JSON.stringify(mediaType)}`);
    return namedIn(bytes, mediaType, 'the manifest');
  } catch (error) {
    if (error instanceof OcislimError) throw new Refusal('MANIFEST_INVALID', error.message);
    throw error;
  }
}

function requireSize(descriptor: { readonly digest: string; readonly size: number }, actual: number): void {
  if (descriptor.size === actual) return;
  throw new Refusal(
    'MANIFEST_INVALID',
    `the manifest says that ${descriptor.digest} has ${descriptor.size} bytes, but it has ${actual}`,
    { detail: { digest: descriptor.digest } },
  );
}

/** Answers `/v2/<name>/referrers/<digest>`, also for an unknown digest (distribution-spec, "Listing Referrers"). */
export async function answerReferrers(
  { repository, digest }: Extract<Route, { kind: 'referrers' }>,
  call: Call,
  store: RegistryStore,
): Promise<Answer> {
  const wanted = call.query.get('artifactType');
  const all = await store.referrers(repository, digest, call.signal);
  const manifests = all
    .filter(({ artifactType }) => wanted === null || artifactType === wanted)
    .map(({ descriptor, artifactType, annotations }) => ({
      mediaType: descriptor.mediaType,
      digest: descriptor.digest,
      size: descriptor.size,
      ...(artifactType === null ? {} : { artifactType }),
      ...(annotations === null ? {} : { annotations }),
    }));
  return json(
    { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests },
    {
      'content-type': mediaTypes.ociIndex,
      ...(wanted === null ? {} : { 'oci-filters-applied': 'artifactType' }),
    },
  );
}
