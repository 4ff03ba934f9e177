import { tokenAuth } from '../tokens.ts';
import type { Profile } from './profile.ts';
import { Secret } from '../../../../src/registry/auth/secret.ts';

const unknown = '{"errors":[{"code":"MANIFEST_BLOB_UNKNOWN","message":"blob unknown to registry"}]}';

/**
 * OpenShift's registry, and others with several replicas: what was just pushed may still be missing, such as a blob
 * when its manifest comes, or a tag that is read. (Issues of image-registry.)
 */
export const openShift: Profile = {
  name: 'OpenShift',
  repository: 'namespace/app',
  credential: { kind: 'basic', username: 'serviceaccount', password: new Secret('canary') },
  options: (now) => ({ auth: tokenAuth({ username: 'serviceaccount', password: 'canary', now }) }),
  faults: () => [
    {
      method: 'PUT',
      path: /\/manifests\/sha256/,
      times: 2,
      effect: { kind: 'answer', status: 404, body: unknown },
    },
    { method: 'HEAD', path: /\/manifests\/v1/, times: 2, effect: { kind: 'answer', status: 404 } },
  ],
};
