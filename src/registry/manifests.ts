/**
 * Manifests of a repository: fetched and verified, asked for, and put. Sources and targets of registries, and the referrers, use
 * these.
 */
import { OcislimError } from '../errors.ts';
import { exceeded } from '../limits.ts';
import { makeDescriptor } from '../oci/descriptor.ts';
import { algorithmOf, type Digest, hasher, isDigest } from '../oci/digest.ts';
import { sniffMediaType } from '../oci/manifest.ts';
import { isIndexType, isManifestType, layerKind, mediaTypes } from '../oci/media-type.ts';
import { namedIn } from '../oci/named.ts';
import type { RawManifest } from '../place/place.ts';
import { BlobsUnknown } from '../place/blobs-unknown.ts';
import { retrying, type RetryPolicy } from '../retry/retrying.ts';
import { nameOf, refusal } from './failure.ts';
import { describeFault, type Fault, readFault } from './http/fault.ts';
import { contentLength, discard, header, type HttpAnswer } from './http/transport.ts';
import type { Repository } from './repository.ts';

/** Sent with every request: a registry may answer 404 when a manifest has a type that is not accepted. */
const acceptedTypes: readonly string[] = [
  mediaTypes.ociIndex,
  mediaTypes.dockerList,
  mediaTypes.ociManifest,
  mediaTypes.dockerManifest,
  mediaTypes.ociArtifact,
  mediaTypes.orasArtifact,
];
const acceptHeader = { accept: acceptedTypes.join(', ') };

/** Accepts one more type, such as an index announces for one of its rows. */
function acceptedWith(mediaType: string | null): { readonly accept: string } {
  // What is not the form of a type would break the header.
  const isMore =
    mediaType !== null && !acceptedTypes.includes(mediaType) && /^[\w.+-]+\/[\w.+-]+$/.test(mediaType);
  return isMore ? { accept: `${acceptHeader.accept}, ${mediaType}` } : acceptHeader;
}

const changedAdvice = 'The registry, or a proxy in front of it, changes manifests: ask its operator.';

/** The name of a manifest: a digest or a tag. */
export type ManifestName = { readonly digest: Digest } | { readonly tag: string };

function pathOf(name: ManifestName): string {
  return `manifests/${'digest' in name ? name.digest : name.tag}`;
}

function describeName(name: ManifestName): string {
  return `manifest ${'digest' in name ? name.digest : name.tag}`;
}

/**
 * Fetches a manifest or an index. Its digest is computed from its bytes; the digest asked for, and the registry's header,
 * must equal it.
 * @param announced the media type that an index states for it; null for none
 * @throws NOT_FOUND, DIGEST_MISMATCH, MANIFEST_INVALID, LIMIT, …
 */
export async function getManifest(
  repository: Repository,
  name: ManifestName,
  signal: AbortSignal,
  announced: string | null = null,
): Promise<RawManifest> {
  const what = describeName(name);
  const { answer, bytes } = await repository.fetch(
    {
      method: 'GET',
      target: pathOf(name),
      headers: acceptedWith(announced),
      what,
      accept: (status) => status === 200,
      idempotent: true,
    },
    signal,
  );
  repository.requireIdentity(what, answer);
  const claimed = claimedDigest(answer);
  const wanted = 'digest' in name ? name.digest : claimed;
  const hash = hasher(wanted);
  hash.update(bytes);
  const digest = hash.digest();
  requireDigest(`${nameOf(repository.party)}: ${what}`, digest, name, claimed);
  const mediaType = mediaTypeOf(repository, what, answer, bytes);
  return { descriptor: makeDescriptor(mediaType, digest, bytes.length), bytes };
}

/** Fetches a manifest or an index as `getManifest` does. Returns null where it is missing. */
export async function findManifest(
  repository: Repository,
  name: ManifestName,
  signal: AbortSignal,
): Promise<RawManifest | null> {
  try {
    return await getManifest(repository, name, signal);
  } catch (error) {
    if (error instanceof OcislimError && error.code === 'NOT_FOUND') return null;
    throw error;
  }
}

/** @throws DIGEST_MISMATCH when the computed digest is not the one asked for, or not the one that the registry claims */
function requireDigest(full: string, digest: Digest, name: ManifestName, claimed: Digest | null): void {
  const differs = (other: Digest, from: string): OcislimError =>
    new OcislimError('DIGEST_MISMATCH', `${full} has the digest ${digest}, not ${other} as ${from}`, {
      advice: changedAdvice,
    });
  if ('digest' in name && name.digest !== digest) throw differs(name.digest, 'was asked for');
  // A registry may name the same manifest by another algorithm.
  if (claimed !== null && algorithmOf(claimed) === algorithmOf(digest) && claimed !== digest)
    throw differs(claimed, 'the registry says');
}

/** What a registry says of a manifest without sending it. */
export interface ManifestHead {
  /** Null if the registry leaves the header out. */
  readonly digest: Digest | null;
  /** In bytes; null if the registry leaves the header out. */
  readonly size: number | null;
  /** Empty if the registry leaves the header out. */
  readonly mediaType: string;
}

/**
 * Asks for a manifest by HEAD, which does not count as a pull. Returns null when it is missing.
 * @throws UNAUTHORIZED, DENIED, NETWORK, …
 */
export async function headManifest(
  repository: Repository,
  name: ManifestName,
  signal: AbortSignal,
): Promise<ManifestHead | null> {
  const answer = await repository.send(
    {
      method: 'HEAD',
      target: pathOf(name),
      headers: acceptHeader,
      what: describeName(name),
      // Some servers refuse HEAD: their answer says nothing.
      accept: (status) => [200, 404, 405, 501].includes(status),
      idempotent: true,
    },
    signal,
  );
  discard(answer);
  if (answer.status === 404) return null;
  if (answer.status !== 200) return { digest: null, size: null, mediaType: '' };
  return {
    digest: claimedDigest(answer),
    size: contentLength(answer) || null,
    mediaType: contentType(answer),
  };
}

/** The retries of a manifest whose blobs the registry has taken in but not yet noticed. */
const blobRetries = 3;

/** The registry's answer to a manifest that was put. */
export interface PutManifest {
  /** Whether the registry has noted the manifest's `subject` (distribution-spec, "Pushing Manifests with Subject"). */
  readonly subjectNoted: boolean;
}

/**
 * Puts a manifest under a digest or a tag.
 * @throws BlobsUnknown when the registry still misses some of its blobs after a while, DIGEST_MISMATCH when it stored
 *   something else, LIMIT, …
 */
export async function putManifest(
  repository: Repository,
  name: ManifestName,
  manifest: RawManifest,
  signal: AbortSignal,
): Promise<PutManifest> {
  const what = `putting ${describeName(name)}`;
  const { clock, limits } = repository.client.settings;
  const size = manifest.bytes.length;
  if (size > limits['manifest-bytes'])
    // Registries must take 4 MiB, and may refuse more (distribution-spec, "Pushing Manifests").
    throw exceeded(
      'manifest-bytes',
      limits,
      `${nameOf(repository.party)}: ${what}: registries may refuse it`,
      { says: `it has ${size} bytes; fewer layers or annotations make it smaller`, needed: size },
    );
  const policy: RetryPolicy = {
    retries: blobRetries,
    isTransient: (error) => error instanceof BlobsUnknown,
    // The target knows how to bring blobs again, by the error's class.
    exhausted: (error) => error,
  };
  return retrying(policy, { clock, signal }, () => putOnce(repository, name, manifest, signal));
}

async function putOnce(
  repository: Repository,
  name: ManifestName,
  manifest: RawManifest,
  signal: AbortSignal,
): Promise<PutManifest> {
  const { party } = repository;
  const { descriptor, bytes } = manifest;
  const what = `putting ${describeName(name)}`;
  const answer = await repository.send(
    {
      method: 'PUT',
      target: pathOf(name),
      headers: { 'content-type': descriptor.mediaType },
      body: bytes,
      what,
      accept: (status) => [200, 201, 202, 204, 400, 404].includes(status),
      idempotent: true,
    },
    signal,
  );
  if (answer.status < 300) {
    discard(answer);
    const stored = claimedDigest(answer);
    if (stored !== null && stored !== descriptor.digest)
      throw new OcislimError(
        'DIGEST_MISMATCH',
        `${nameOf(party)}: ${what}: the registry stored it as ${stored}, not ${descriptor.digest}`,
        { advice: changedAdvice },
      );
    return { subjectNoted: header(answer, 'oci-subject') !== null };
  }
  const fault = await readFault(answer);
  const missing = missingIn(manifest, fault);
  if (missing.length === 0) throw refusal(party, what, answer, fault);
  const blob = fault.digests.length === 0 ? 'a blob that it names' : `blob ${missing.join(', ')}`;
  const sentence = `the registry does not have ${blob} (${describeFault(fault)})`;
  throw new BlobsUnknown(`${nameOf(party)}: ${what}: ${sentence}`, missing);
}

/** Returns the blobs that a registry misses of a manifest: those that it named, else all; none if it refused for another reason. */
function missingIn({ bytes, descriptor }: RawManifest, fault: Fault): readonly Digest[] {
  if (!['MANIFEST_BLOB_UNKNOWN', 'BLOB_UNKNOWN', 'MANIFEST_UNKNOWN'].includes(fault.code ?? '')) return [];
  const { rows, blobs } = namedIn(bytes, descriptor.mediaType, `manifest ${descriptor.digest}`);
  const named = [...rows, ...blobs]
    .filter(({ mediaType }) => layerKind(mediaType).kind !== 'foreign')
    .map(({ digest }) => digest);
  const said = named.filter((digest) => fault.digests.includes(digest));
  return [...new Set(said.length > 0 ? said : named)];
}

function claimedDigest(answer: HttpAnswer): Digest | null {
  const text = header(answer, 'docker-content-digest');
  return isDigest(text) ? text : null;
}

/** Returns `Content-Type` without its parameters, in lower case. */
function contentType(answer: HttpAnswer): string {
  return (header(answer, 'content-type') ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
}

/** Returns the media type of a manifest: the announced one, or what its bytes say. @throws REGISTRY for a web page, … */
function mediaTypeOf(repository: Repository, what: string, answer: HttpAnswer, bytes: Uint8Array): string {
  const announced = contentType(answer);
  const full = `${nameOf(repository.party)}: ${what}`;
  if (/html/.test(announced)) {
    throw new OcislimError('REGISTRY', `${full}: ${answer.url.host} answered with a web page`, {
      advice: 'Check that this is the address of a registry.',
    });
  }
  // A type that contradicts the bytes is refused by their parser.
  if (isIndexType(announced) || isManifestType(announced) || announced.startsWith('application/vnd.'))
    return announced;
  return sniffMediaType(bytes, full);
}
