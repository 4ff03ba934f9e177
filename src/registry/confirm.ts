/**
 * What a registry has after a push, asked for since some say yes to everything. The target asks for what it has put, under each name.
 */
import { OcislimError } from '../errors.ts';
import { algorithmOf, type Digest, hasher } from '../oci/digest.ts';
import { nameOf } from './failure.ts';
import { getManifest, headManifest, type ManifestName } from './manifests.ts';
import type { Repository } from './repository.ts';

/** The registry has something else under a name than was put there, or nothing. */
class NotConfirmed extends OcislimError {}

/**
 * Looks at a manifest that was put under its digest. Returns what is wrong with it; null where the registry has it, and where it does
 * not answer such requests. `thorough`: whether a manifest that HEAD does not find is asked for by GET too.
 */
export async function faultOfManifest(
  repository: Repository,
  digest: Digest,
  thorough: boolean,
  signal: AbortSignal,
): Promise<string | null> {
  const head = await headManifest(repository, { digest }, signal);
  const found =
    head === null && thorough
      ? await digestOf(repository, { digest }, digest, signal)
      : head && (head.digest ?? digest);
  if (found === null) return `manifest ${digest} is not there`;
  const isOther = algorithmOf(found) === algorithmOf(digest) && found !== digest;
  return isOther ? `manifest ${digest} has the digest ${found} there` : null;
}

/** Asks the registry what it has under a name, since some say yes to everything. @throws REGISTRY for anything but `digest` */
export async function confirmManifest(
  repository: Repository,
  name: ManifestName,
  digest: Digest,
  signal: AbortSignal,
): Promise<void> {
  const { client } = repository;
  // Replicas may lag behind for a moment.
  const policy = { isTransient: (error: unknown) => error instanceof NotConfirmed };
  await client.retries(policy).run(signal, async (failures) => {
    const head = await headManifest(repository, name, signal);
    if (head?.digest === digest) return;
    // A HEAD may say less than a GET, or something else. But a GET counts as a pull: for what is missing, only the last
    // attempt sends one.
    const isLast = failures >= client.settings.retryTimes;
    const asks = head !== null || isLast;
    const found = asks ? await digestOf(repository, name, digest, signal) : null;
    if (found === digest) return;
    const what = 'digest' in name ? name.digest : `tag ${name.tag}`;
    const sentence = found === null ? 'is not there' : `is ${found}, not ${digest}`;
    throw new NotConfirmed(
      'REGISTRY',
      `${nameOf(repository.party)}: the registry took the manifest, but ${what} ${sentence}`,
      { advice: await whatToDo(repository, name, digest, isLast ? signal : null) },
    );
  });
}

/** Says what to do about a name that is not as it was put. `signal`: null where the attempt is not the last, so that nothing is asked. */
async function whatToDo(
  repository: Repository,
  name: ManifestName,
  digest: Digest,
  signal: AbortSignal | null,
): Promise<string> {
  const again = 'Push again; if that does not help, the registry loses what it takes.';
  if (signal === null || 'digest' in name) return again;
  const found = await digestOf(repository, { digest }, digest, signal).catch(() => null);
  signal.throwIfAborted();
  return found === digest
    ? 'Another client may have pushed to it at the same time; the result is there by its digest.'
    : `The result is not found by its digest either. ${again}`;
}

/** Returns the digest of the manifest under a name, by the algorithm of `wanted`; null when it is missing. */
async function digestOf(
  repository: Repository,
  name: ManifestName,
  wanted: Digest,
  signal: AbortSignal,
): Promise<Digest | null> {
  try {
    const { bytes } = await getManifest(repository, name, signal);
    const hash = hasher(wanted);
    hash.update(bytes);
    return hash.digest();
  } catch (error) {
    if (error instanceof OcislimError && error.code === 'NOT_FOUND') return null;
    throw error;
  }
}
