import { tokenAuth } from '../tokens.ts';
import type { Profile } from './profile.ts';
import { Secret } from '../../../../src/registry/auth/secret.ts';

/**
 * registry.redhat.io, to pull from: a missing manifest is a 404 with the code UNKNOWN, and service accounts have a
 * number and a bar in their name. (The sources of containers/image.)
 */
export const redHat: Profile = {
  name: 'registry.redhat.io',
  repository: 'ubi9/app',
  credential: { kind: 'basic', username: '1234567|ci', password: new Secret('canary') },
  options: (now) => ({
    auth: tokenAuth({ username: '1234567|ci', password: 'canary', now }),
    storage: 'downloads',
    absent: { status: 404, code: 'UNKNOWN', message: 'Not Found' },
  }),
  readOnly: true,
};
