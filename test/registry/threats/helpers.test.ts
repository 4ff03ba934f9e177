import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Credential } from '../../../src/registry/auth/credential.ts';
import { askHelper } from '../../../src/registry/auth/credential-helper.ts';
import { createCredentialLookup } from '../../../src/registry/auth/credentials.ts';
import { never } from '../../support/registry/setup.ts';
import { Secret } from '../../../src/registry/auth/secret.ts';
import { compareSecrets } from '../../support/registry/compare-secrets.ts';

compareSecrets();

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'ocislim-helpers-'));
});
afterEach(() => rm(home, { recursive: true }));

async function write(path: string, content: string): Promise<void> {
  const file = join(home, path);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, content);
}

async function helper(name: string, script: string, folder = 'bin'): Promise<void> {
  const path = `${folder}/docker-credential-${name}`;
  await write(path, `#!/bin/sh\n${script}\n`);
  await chmod(join(home, path), 0o755);
}

const env = (): Record<string, string> => ({
  PATH: `${join(home, 'bin')}:/usr/bin:/bin`,
  OCISLIM_CREDS: 'canary',
  OCISLIM_SRC_CREDS: 'canary',
});
const limits = { milliseconds: 200, bytes: 100_000 };
const ask = (name: string): Promise<Credential | null> =>
  askHelper(name, 'registry.example', { env: env(), limits }, never);

test.each([
  '../x',
  '../../bin/x',
  'a/b',
  '/bin/sh',
  '',
  '-x',
  '.',
  '.x',
  'a b',
  'a\nb',
  'a\0b',
  '$(x)',
  'x;y',
  'x\u202e',
  'x'.repeat(101),
  'x'.repeat(5000),
])('N17: %j is not accepted as the name of a helper, and nothing is run', async (name) => {
  // What a path out of the name would lead to.
  await helper('', 'touch "$0.ran"', 'bin');
  await write('bin/x', '#!/bin/sh\ntouch "$0.ran"\n');
  await chmod(join(home, 'bin/x'), 0o755);
  await expect(ask(name)).rejects.toMatchObject({
    code: 'UNAUTHORIZED',
    message: expect.stringMatching(/^"[\x20-\x7e]*…?" is not the name of a credential helper$/) as string,
  });
  await expect(readFile(join(home, 'bin/x.ran'))).rejects.toThrow();
  await expect(readFile(join(home, 'bin/docker-credential-.ran'))).rejects.toThrow();
});

describe('N17: a failure is an error, not silence', () => {
  test.each<readonly [string, string, RegExp]>([
    ['it fails', 'echo "the keychain is locked" >&2; exit 1', /it exited with 1: the keychain is locked$/],
    ['it says nothing', 'exit 4', /it exited with 4$/],
    ['it babbles', 'echo hello', /did not answer with JSON$/],
    ['it answers with a list', 'echo []', /no Username and Secret$/],
    ['it answers with null', 'echo null', /no Username and Secret$/],
    ['it answers by half', `echo '{"Username":"u"}'`, /no Username and Secret$/],
    ['its secret is a number', `echo '{"Username":"u","Secret":7}'`, /no Username and Secret$/],
    ['it hangs', 'exec sleep 60', /within 0\.2 seconds$/],
    ['its child hangs', 'sleep 60 & wait', /within 0\.2 seconds$/],
    ['it floods', 'exec cat /dev/zero', /longer than 100000 bytes$/],
    ['it floods its stderr', 'exec cat /dev/zero >&2', /longer than 100000 bytes$/],
    ['it is killed', 'kill -9 $$', /exited with 1$/],
  ])('with the reason: %s', async (_, script, sentence) => {
    await helper('bad', script);
    await expect(ask('bad')).rejects.toMatchObject({
      code: 'UNAUTHORIZED',
      message: expect.stringMatching(sentence) as string,
    });
  });

  test('if the helper is not installed or cannot be run', async () => {
    await expect(ask('missing')).rejects.toThrow(/docker-credential-missing failed: it is not installed$/);
    await write('bin/docker-credential-plain', 'no program');
    await expect(ask('plain')).rejects.toThrow(/docker-credential-plain failed: it cannot run \(EACCES\)$/);
  });

  test('without the answer that may come with it, and without control characters', async () => {
    await helper('spills', `echo '{"Username":"u","Secret":"canary"}'; echo warning >&2; exit 3`);
    await helper('mixes', `echo trouble; echo ' "secret" : "canary"' >&2; exit 3`);
    for (const name of ['spills', 'mixes']) {
      const error: unknown = await ask(name).catch((reason: unknown) => reason);
      expect(error).toMatchObject({ message: expect.stringMatching(/it exited with 3$/) as string });
      expect(inspect(error, { depth: 9, showHidden: true })).not.toContain('canary');
    }
    await helper('draws', `printf '\\033[2Jlocked\\r\\n::set-output' >&2; exit 1`);
    await expect(ask('draws')).rejects.toThrow(/exited with 1: \\u\{1b\}\[2Jlocked$/);
  });
});

test('N17: a helper without a credential is not a failure, however it says so', async () => {
  await helper('stdout', 'echo "credentials not found in native keychain"; exit 1');
  await helper('stderr', 'echo "Error: Credentials not found in native keychain." >&2; exit 2');
  await helper('empty', `echo '{"ServerURL":"","Username":"","Secret":""}'`);
  for (const name of ['stdout', 'stderr', 'empty']) expect(await ask(name)).toBeNull();
});

test('N17: the helper of a host comes before that of the file, and that before the entries', async () => {
  const answer = (user: string): string =>
    `read server; printf '{"Username":"${user}","Secret":"%s"}' "$server"`;
  await helper('host', answer('host'));
  await helper('store', answer('store'));
  const auth = Buffer.from('entry:secret').toString('base64');
  const look = async (config: unknown, host: string): Promise<unknown> => {
    await write('.docker/config.json', JSON.stringify(config));
    return createCredentialLookup({ creds: null, authfile: null, env: env(), home })(host, 'app', never);
  };
  const auths = { 'registry.example': { auth }, 'docker.io': { auth } };
  const all = { credHelpers: { 'registry.example': 'host' }, credsStore: 'store', auths };
  expect(await look(all, 'registry.example')).toMatchObject({
    username: 'host',
    password: new Secret('registry.example'),
  });
  expect(await look({ credsStore: 'store', auths }, 'registry.example')).toMatchObject({ username: 'store' });
  expect(await look({ credsStore: 'store', auths }, 'docker.io')).toMatchObject({
    username: 'store',
    password: new Secret('https://index.docker.io/v1/'),
  });
  expect(await look({ auths }, 'registry.example')).toMatchObject({ username: 'entry' });
});

test('N17: a helper gets the server on its input, get as its only argument, and none of our options', async () => {
  await helper(
    'looks',
    `printf '{"Username":"u","Secret":"%s|%s|%s|%s"}' "$#" "$*" "$(cat)" "$(env | grep -c OCISLIM_)"`,
  );
  expect(await ask('looks')).toEqual({
    kind: 'basic',
    username: 'u',
    password: new Secret('1|get|registry.example|0'),
  });
});

test('N17: a helper may give an identity token, and is killed on abort', async () => {
  await helper('token', `echo '{"Username":"<token>","Secret":"t"}'`);
  expect(await ask('token')).toEqual({ kind: 'identity', username: '<token>', token: new Secret('t') });
  await helper('hangs', 'exec sleep 60');
  const stop = new AbortController();
  const asking = askHelper('hangs', 'registry.example', { env: env() }, stop.signal);
  stop.abort(new Error('stopped'));
  await expect(asking).rejects.toThrow('stopped');
});
