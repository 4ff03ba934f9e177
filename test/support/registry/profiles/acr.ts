import { tokenAuth } from '../tokens.ts';
import type { Profile } from './profile.ts';
import { Secret } from '../../../../src/registry/auth/secret.ts';

/** The user name for a login with a refresh token. */
const nobody = '00000000-0000-0000-0000-000000000000';

/**
 * Azure's container registry. `az acr login` leaves a refresh token, for which a POST gives access tokens. Blobs
 * are redirected to storage that refuses an Authorization header. Uploads are refused with UNAUTHORIZED now and
 * then, and sessions get lost. (Issues of acr and azure-sdk-for-net.)
 */
export const acr: Profile = {
  name: 'ACR',
  repository: 'team/app',
  credential: { kind: 'identity', username: nobody, token: new Secret('canary') },
  options: (now) => ({
    auth: tokenAuth({ username: nobody, password: 'canary', refreshToken: 'canary', now }),
    storage: 'downloads',
  }),
  faults: (fake) => [
    {
      method: 'PATCH',
      path: /./,
      effect: {
        kind: 'answer',
        status: 401,
        headers: {
          'www-authenticate': `Bearer realm="${fake.origin('tokens')}/token",service="fake",error="invalid_token"`,
        },
      },
    },
    {
      method: 'PATCH',
      path: /./,
      skip: 1,
      effect: {
        kind: 'answer',
        status: 404,
        body: '{"errors":[{"code":"BLOB_UPLOAD_UNKNOWN","message":"blob upload unknown to registry"}]}',
      },
    },
  ],
  // A refresh token is for the token server only, and never part of a URL.
  vain: (requests) => requests.filter(({ server, method }) => server === 'tokens' && method !== 'POST'),
};
