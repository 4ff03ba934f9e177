import { tokenAuth } from '../tokens.ts';
import { beyond, type Profile } from './profile.ts';
import { Secret } from '../../../../src/registry/auth/secret.ts';

/**
 * Harbor. A mount from a project that does not exist, or is not open, gets 401 and not 202. HEAD has come without a
 * length. A missing manifest may be called UNKNOWN. Names of robots have a dollar sign. (Issues of harbor; the
 * sources of containers/image.)
 */
export const harbor: Profile = {
  name: 'Harbor',
  repository: 'project/team/app',
  credential: { kind: 'basic', username: 'robot$project+ci', password: new Secret('canary') },
  options: (now) => ({
    auth: tokenAuth({ username: 'robot$project+ci', password: 'canary', now }),
    headLength: false,
    absent: { status: 404, code: 'UNKNOWN', message: 'not found' },
    mounts: 'deny',
  }),
  vain: (requests) => beyond(1, requests, ({ path }) => /mount=.*from=/.test(path)),
};
