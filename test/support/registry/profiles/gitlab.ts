import { tokenAuth } from '../tokens.ts';
import { beyond, type Profile } from './profile.ts';
import { Secret } from '../../../../src/registry/auth/secret.ts';

/**
 * GitLab. Its token server looked at the last scope only, so that a mount, which needs two, is refused with 401. Tokens
 * last five minutes. (Issues of manifest-tool and moby.)
 */
export const gitlab: Profile = {
  name: 'GitLab',
  repository: 'group/project/app',
  credential: { kind: 'basic', username: 'gitlab-ci-token', password: new Secret('glcbt-canary') },
  options: (now) => ({
    auth: tokenAuth({
      username: 'gitlab-ci-token',
      password: 'glcbt-canary',
      lifetime: 300,
      scopes: 'last',
      now,
    }),
  }),
  // A token outlives the requests of others between a login and the request that asked for it.
  pace: 30,
  // The mount is refused, tried once more with the scope of the challenge, and then not tried again in this
  // repository.
  vain: (requests) => beyond(2, requests, ({ path }) => /mount=.*from=/.test(path)),
};
