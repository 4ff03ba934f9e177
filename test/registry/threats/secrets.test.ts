import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import type { ProgressEvent } from '../../../src/events.ts';
import { makeDescriptor } from '../../../src/oci/descriptor.ts';
import { mediaTypes } from '../../../src/oci/media-type.ts';
import type { Credential } from '../../../src/registry/auth/credential.ts';
import { openRegistrySource } from '../../../src/registry/source.ts';
import { openRegistryTarget } from '../../../src/registry/target.ts';
import type { FakeOptions } from '../../support/registry/fake-registry.ts';
import type { Effect, ServerName } from '../../support/registry/faults.ts';
import { startRegistry } from '../../support/registry/opened.ts';
import { block, drain, never, noise, pieces, refer, setup } from '../../support/registry/setup.ts';
import { tokenAuth } from '../../support/registry/tokens.ts';
import { Secret } from '../../../src/registry/auth/secret.ts';

// Whatever is secret has one of these in it: passwords, tokens, and the signature of the storage's URLs.
const canary = /canary|very-secret/;
const encoded = Buffer.from('bob:canary-password').toString('base64');
const basic: Credential = { kind: 'basic', username: 'bob', password: new Secret('canary-password') };
const identity: Credential = { kind: 'identity', username: 'bob', token: new Secret('canary-password') };

const auths: readonly (readonly [string, FakeOptions['auth'], Credential])[] = [
  ['Basic', { kind: 'basic', username: 'bob', password: 'canary-password' }, basic],
  ['Bearer', tokenAuth({ username: 'bob', password: 'canary-password' }), basic],
  [
    'an identity token',
    tokenAuth({ username: 'bob', password: 'canary-password', refreshToken: 'canary-password' }),
    identity,
  ],
];

const effects: readonly (readonly [string, Effect])[] = [
  ['nothing', { kind: 'change' }],
  ['resets', { kind: 'reset' }],
  ['refusals that repeat the question', { kind: 'answer', status: 400, body: 'no' }],
  [
    'redirects into the blue',
    { kind: 'answer', status: 307, headers: { location: 'http://127.0.0.1:1/x?token=canary' } },
  ],
  ['redirects without end', { kind: 'answer', status: 307, headers: { location: '/v2/?token=canary' } }],
  ['401s', { kind: 'answer', status: 401, headers: { 'www-authenticate': 'Basic realm="x"' } }],
];

test.each(
  auths.flatMap(([name, auth, credential]) =>
    effects.map(([what, effect]) => [name, what, auth, credential, effect] as const),
  ),
)(
  'N15: with %s and %s, no message or event holds a secret, and none leaves its origin',
  async (_name, _what, auth, credential, effect) => {
    for (const server of ['registry', 'storage', 'tokens'] as const satisfies readonly ServerName[]) {
      if (server === 'tokens' && auth.kind !== 'bearer') continue;
      const fake = await startRegistry({ auth, storage: true });
      const content = fake.repository('app');
      const blob = content.addBlob(noise(100_000));
      content.addManifest({ schemaVersion: 2, config: blob.json, layers: [] }, mediaTypes.ociManifest, 'v1');
      for (const method of ['GET', 'PUT', 'PATCH', 'POST', 'HEAD'])
        fake.fault({ method, path: /./, server, skip: 1, times: 3, effect });
      const { options, events } = setup({ credentials: () => Promise.resolve(credential), retryTimes: 1 });
      const source = openRegistrySource(refer(`${fake.host}/app:v1`), options);
      const target = openRegistryTarget([refer(`${fake.host}/dst:v1`)], options);
      const work: readonly (() => Promise<unknown>)[] = [
        () => source.root(never),
        () => drain(source.blob(blob, never)),
        () => source.referrers(blob.digest, never),
        () => target.adopt(blob, source, never),
        () => target.stage(() => pieces(noise(block + 20_000)), never),
        () => target.put(Buffer.from('{}'), makeDescriptor('x', blob.digest, 2), never),
      ];
      const said: unknown[] = [];
      for (const each of work) await each().catch((error: unknown) => said.push(error));
      await target.close();
      await source.close();
      said.push(events satisfies readonly ProgressEvent[]);
      const text = inspect(said, {
        depth: 12,
        showHidden: true,
        maxArrayLength: null,
        maxStringLength: null,
      });
      expect(text).not.toMatch(canary);
      expect(text).not.toContain(encoded);
      // Tokens are secrets, too.
      if (auth.kind === 'bearer') for (const token of auth.tokens.keys()) expect(text).not.toContain(token);
      const strays = fake.requests.filter(
        (request) =>
          request.server === 'storage' && JSON.stringify(request.headers).includes('authorization'),
      );
      expect(strays).toEqual([]);
      const passwords = fake.requests.filter(
        (request) => request.headers.authorization?.startsWith('Basic') === true,
      );
      expect(passwords.filter((request) => request.server === 'storage')).toEqual([]);
      // An identity token is for the token server only, even if the registry asks for a password.
      if (credential.kind === 'identity')
        expect(passwords.filter((request) => request.server === 'registry')).toEqual([]);
    }
  },
);
