import { tokenAuth } from '../tokens.ts';
import { beyond, type Profile } from './profile.ts';
import { Secret } from '../../../../src/registry/auth/secret.ts';

/**
 * Quay. A mount must say from where. The token server cannot parse a scope with the action `delete`. Names of robots
 * have a plus sign. Blobs come from a CDN. (The sources of go-containerregistry and containers/image.)
 */
export const quay: Profile = {
  name: 'Quay',
  repository: 'team/app',
  credential: { kind: 'basic', username: 'team+robot', password: new Secret('canary') },
  options: (now) => ({
    auth: tokenAuth({ username: 'team+robot', password: 'canary', unknownActions: ['delete', '*'], now }),
    storage: 'downloads',
    openMounts: 'refuse',
    referrers: true,
  }),
  // The client learns this from one refusal.
  vain: (requests) =>
    beyond(1, requests, ({ path }) => path.includes('mount=') && !/[?&]from=[^&]/.test(path)),
};
