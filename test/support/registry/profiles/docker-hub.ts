import { tokenAuth } from '../tokens.ts';
import type { Profile } from './profile.ts';
import { Secret } from '../../../../src/registry/auth/secret.ts';

/**
 * Docker Hub. Tokens last 300 seconds, so that a push of minutes outlives one; there is no POST for them. Mounts need the
 * right to pull from the source, even from a public one. Blobs come from a CDN with signed URLs. Every GET of a manifest
 * counts as a pull of 100 or 200 in six hours, and its headers say how many remain; a HEAD does not count.
 * (Docker's documentation of its rate limits; issues of jib, buildkit, buildx and rust-oci-client.)
 */
export const dockerHub: Profile = {
  name: 'Docker Hub',
  repository: 'library/app',
  credential: { kind: 'basic', username: 'bob', password: new Secret('dckr_pat_canary') },
  options: (now) => ({
    auth: tokenAuth({ username: 'bob', password: 'dckr_pat_canary', lifetime: 300, noPost: 405, now }),
    storage: 'downloads',
    manifestHeaders: { 'ratelimit-limit': '100;w=21600', 'ratelimit-remaining': '7;w=21600' },
  }),
  pace: 45,
  vain: (requests) => {
    const seen = new Set<string>();
    return requests.filter(({ method, path, status }) => {
      if (method !== 'GET' || status !== 200 || !path.includes('/manifests/')) return false;
      if (!seen.has(path)) return !seen.add(path);
      return true;
    });
  },
};
