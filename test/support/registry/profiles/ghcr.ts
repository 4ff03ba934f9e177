import { tokenAuth } from '../tokens.ts';
import { beyond, type Profile } from './profile.ts';
import { block } from '../setup.ts';
import { Secret } from '../../../../src/registry/auth/secret.ts';

const limit = block / 2;

/**
 * GitHub's container registry. A chunk above 4 MiB is refused with 416. A commit takes seconds; one that was given up
 * and repeated gets 404 although the blob is there. (Issues of wash, rust-oci-client, ocx and jib.)
 */
export const ghcr: Profile = {
  name: 'GHCR',
  repository: 'owner/app',
  credential: { kind: 'basic', username: 'bob', password: new Secret('ghp_canary') },
  options: (now) => ({
    auth: tokenAuth({ username: 'bob', password: 'ghp_canary', now }),
    storage: 'downloads',
    largestChunk: limit,
    tooLarge: 416,
  }),
  faults: () => [{ method: 'PUT', path: /\/uploads\//, times: 2, effect: { kind: 'after', status: 404 } }],
  vain: (requests) => beyond(1, requests, ({ method, body }) => method === 'PATCH' && body.length > limit),
};
