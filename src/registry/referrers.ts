/**
 * Artifacts that refer to an image: signatures, attestations, SBOMs. The registry's source lists them, so that a run can warn of
 * those that it leaves behind.
 */
import { OcislimError } from '../errors.ts';
import { type Descriptor, makeDescriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import { parseManifest } from '../oci/manifest.ts';
import { mediaTypes } from '../oci/media-type.ts';
import { referrersTag } from '../oci/referrers.ts';
import type { Referrer } from '../place/place.ts';
import { ExchangeError } from './failure.ts';
import { getManifest, headManifest } from './manifests.ts';
import type { Repository } from './repository.ts';
import { header } from './http/transport.ts';
import { followPages } from './pages.ts';

const cosignSuffixes = ['.sig', '.att', '.sbom'];
const mostPages = 50;

/**
 * Finds what refers to a manifest: by the referrers API, else by the tag that replaces it (distribution-spec, "Listing
 * Referrers"), and by the tags that cosign makes. A registry without all of these has no referrers.
 * @throws NETWORK, REGISTRY for a server in trouble, MANIFEST_INVALID for a malformed list
 */
export async function findReferrers(
  repository: Repository,
  digest: Digest,
  signal: AbortSignal,
): Promise<readonly Referrer[]> {
  const base = referrersTag(digest);
  const listed =
    (await listReferrers(repository, digest, signal)) ?? (await readReferrersTag(repository, base, signal));
  const tagged = await Promise.all(
    cosignSuffixes.map((suffix) => describeTag(repository, `${base}${suffix}`, signal)),
  );
  const found = new Map<Digest, Referrer>(listed.map((each) => [each.digest, each]));
  for (const each of tagged) {
    if (each === null) continue;
    const known = found.get(each.descriptor.digest) ?? each.descriptor;
    found.set(known.digest, { ...known, tags: [...(known.tags ?? []), each.tag] });
  }
  return [...found.values()];
}

/** Asks the referrers API. Returns null when the registry does not have it. */
async function listReferrers(
  repository: Repository,
  digest: Digest,
  signal: AbortSignal,
): Promise<readonly Descriptor[] | null> {
  const what = `referrers of ${digest}`;
  const headers = { accept: mediaTypes.ociIndex };
  const pages = followPages(`referrers/${digest}`, (target) => {
    const request = { method: 'GET', target, headers, what, accept: isAnswer, idempotent: true } as const;
    return quietly(() => repository.fetch(request, signal));
  });
  const found: Descriptor[] = [];
  let count = 0;
  for await (const { answer, bytes } of pages) {
    // Some front ends answer unknown paths by a web page with status 200.
    if (answer.status !== 200 || !/json/.test(header(answer, 'content-type') ?? '')) break;
    const index = parseManifest(bytes, mediaTypes.ociIndex, what);
    if (index.kind === 'index') for (const { descriptor } of index.children) found.push(descriptor);
    count += 1;
    if (count === mostPages) break;
  }
  return count === 0 ? null : found;
}

async function readReferrersTag(
  repository: Repository,
  tag: string,
  signal: AbortSignal,
): Promise<readonly Descriptor[]> {
  const raw = await quietly(() => getManifest(repository, { tag }, signal));
  if (raw === null || raw.descriptor.mediaType !== mediaTypes.ociIndex) return [];
  const index = parseManifest(raw.bytes, raw.descriptor.mediaType, `referrers tag ${tag}`);
  return index.kind === 'index' ? index.children.map((child) => child.descriptor) : [];
}

async function describeTag(
  repository: Repository,
  tag: string,
  signal: AbortSignal,
): Promise<{ readonly tag: string; readonly descriptor: Referrer } | null> {
  const head = await quietly(() => headManifest(repository, { tag }, signal));
  if (head === null) return null;
  if (head.digest !== null && head.size !== null)
    return { tag, descriptor: makeDescriptor(head.mediaType, head.digest, head.size) };
  const raw = await quietly(() => getManifest(repository, { tag }, signal));
  return raw === null ? null : { tag, descriptor: raw.descriptor };
}

/** Returns null for a refusal: registries refuse what they do not have, or do not know, in many ways. */
async function quietly<T>(ask: () => Promise<T>): Promise<T | null> {
  try {
    return await ask();
  } catch (error) {
    // A server in trouble says nothing of what it has.
    if (isTransient(error) || (error instanceof Error && isTransient(error.cause))) throw error;
    if (
      error instanceof OcislimError &&
      ['NOT_FOUND', 'DENIED', 'UNAUTHORIZED', 'UNSUPPORTED', 'REGISTRY'].includes(error.code)
    )
      return null;
    throw error;
  }
}

/** Returns whether a failure was retried, or would have been. The error after the last retry has it as its cause. */
function isTransient(error: unknown): boolean {
  return error instanceof ExchangeError && error.transient;
}

function isAnswer(status: number): boolean {
  return status === 200 || (status >= 400 && status < 500 && status !== 429 && status !== 408);
}
