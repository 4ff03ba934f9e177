import { tokenAuth } from '../tokens.ts';
import type { Profile } from './profile.ts';
import { Secret } from '../../../../src/registry/auth/secret.ts';

const key = '{\n  "type": "service_account",\n  "private_key": "canary: \\"quoted\\""\n}';

/**
 * Google's Container Registry and Artifact Registry. A large blob is to come in one request without chunks. A 401 may
 * come without a challenge, which only the base of the API has. A POST for a token is 404. The user is `_json_key` or
 * `oauth2accesstoken`, the password a whole JSON document. (The sources of kitops, containers/image and containerd.)
 */
function google(name: string, host: string, repository: string): Profile {
  return {
    name,
    repository,
    credential: { kind: 'basic', username: '_json_key', password: new Secret(key) },
    options: (now) => ({
      name: host,
      auth: tokenAuth({ username: '_json_key', password: key, noPost: 404, now }),
      storage: 'downloads',
      challenge: 'base',
      mostPatches: 1,
    }),
    vain: (requests) => requests.filter(({ headers }) => headers['content-range'] !== undefined),
  };
}

export const gcr = google('GCR', 'gcr.io', 'project/app');
export const artifactRegistry = google(
  'Artifact Registry',
  'europe-docker.pkg.dev',
  'project/repository/app',
);
