import type { Profile } from './profile.ts';
import { Secret } from '../../../../src/registry/auth/secret.ts';

/**
 * Amazon ECR. Basic, the user `AWS` with a password of twelve hours. Blobs are redirected to S3, which refuses a second
 * proof of identity. A PATCH is answered with 201. A manifest that does not state its media type is refused as invalid
 * JSON. Mounts are off unless the account switched them on: an upload session instead.
 * (Issues of kitops and tart; the sources of regclient and containers/image.)
 */
export const ecr: Profile = {
  name: 'ECR',
  repository: 'team/app',
  credential: { kind: 'basic', username: 'AWS', password: new Secret('eyJwYXlsb2FkIjoi-canary') },
  options: () => ({
    auth: { kind: 'basic', username: 'AWS', password: 'eyJwYXlsb2FkIjoi-canary' },
    storage: 'downloads',
    patched: 201,
    absoluteLocations: true,
    mounts: 'session',
    mediaTypeInBody: true,
  }),
  // The session that comes instead of a mount is used, and no second one is opened.
  vain: (requests) => {
    const sessions = requests.filter(
      ({ method, path, status }) => method === 'POST' && path.includes('/uploads/') && status === 202,
    );
    const ends = requests.filter(({ method, path }) => method === 'PUT' && path.includes('/uploads/'));
    return sessions.slice(ends.length);
  },
};
