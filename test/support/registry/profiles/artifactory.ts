import { tokenAuth } from '../tokens.ts';
import type { Profile } from './profile.ts';
import { Secret } from '../../../../src/registry/auth/secret.ts';

/**
 * JFrog Artifactory. A request for a manifest that does not exist may get 403; a POST for a token gets 401, so that
 * an identity token goes by GET. Uploads of one digest at the same time disturb each other, which ends in
 * MANIFEST_INVALID. Upload locations are whole URLs. (RTFACT-13797; issues of jib and go-containerregistry.)
 */
export const artifactory: Profile = {
  name: 'Artifactory',
  repository: 'docker-local/app',
  credential: { kind: 'identity', username: 'bob', token: new Secret('canary') },
  options: (now) => ({
    auth: tokenAuth({ username: 'bob', password: 'canary', noPost: 401, now }),
    absent: { status: 403, code: 'DENIED', message: 'The repository is forbidden' },
    absoluteLocations: true,
    recommits: false,
    mounts: 'session',
  }),
  vain: (requests) =>
    requests.filter(
      ({ method, path, status }) => method === 'PUT' && path.includes('/uploads/') && status === 400,
    ),
};
