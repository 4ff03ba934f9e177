import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { askHelper } from '../../../src/registry/auth/credential-helper.ts';
import { type CredentialOptions, createCredentialLookup } from '../../../src/registry/auth/credentials.ts';
import { never } from '../../support/registry/setup.ts';
import { Secret } from '../../../src/registry/auth/secret.ts';
import { compareSecrets } from '../../support/registry/compare-secrets.ts';

compareSecrets();

let home: string;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'ocislim-credentials-'));
});
afterEach(() => rm(home, { recursive: true }));

async function write(path: string, value: unknown): Promise<string> {
  const file = join(home, path);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, typeof value === 'string' ? value : JSON.stringify(value));
  return file;
}

const encode = (text: string): string => Buffer.from(text).toString('base64');
const entry = (user: string): unknown => ({ auth: encode(`${user}:secret`) });
const basic = (username: string, password = 'secret'): unknown => ({
  kind: 'basic',
  username,
  password: new Secret(password),
});

function look(host: string, repository = 'app', options: Partial<CredentialOptions> = {}): Promise<unknown> {
  return createCredentialLookup({
    creds: null,
    authfile: null,
    env: {},
    home,
    runtimeFolder: null,
    ...options,
  })(host, repository, never);
}

describe('where credentials come from', () => {
  test('the first place with credentials for the host wins', async () => {
    const host = 'registry.example';
    const config = (user: string): unknown => ({ auths: { [host]: entry(user) } });
    const env: Record<string, string> = {};
    const options = { env };
    // From the last place to the first: each one added hides those before it.
    expect(await look(host, 'app', options)).toBeNull();
    await write('.docker/config.json', config('home'));
    expect(await look(host, 'app', options)).toEqual(basic('home'));
    env['DOCKER_CONFIG'] = dirname(await write('docker/config.json', config('docker-config')));
    expect(await look(host, 'app', options)).toEqual(basic('docker-config'));
    env['XDG_CONFIG_HOME'] = join(home, 'xdg');
    await write('xdg/containers/auth.json', config('xdg-config'));
    expect(await look(host, 'app', options)).toEqual(basic('xdg-config'));
    env['XDG_RUNTIME_DIR'] = join(home, 'run');
    await write('run/containers/auth.json', config('runtime'));
    expect(await look(host, 'app', options)).toEqual(basic('runtime'));
    env['REGISTRY_AUTH_FILE'] = await write('registry-auth.json', config('registry-auth-file'));
    expect(await look(host, 'app', options)).toEqual(basic('registry-auth-file'));
    env['DOCKER_AUTH_CONFIG'] = JSON.stringify(config('inline'));
    expect(await look(host, 'app', options)).toEqual(basic('inline'));
    const authfile = await write('authfile.json', config('authfile'));
    expect(await look(host, 'app', { env, authfile })).toEqual(basic('authfile'));
    expect(await look(host, 'app', { env, authfile, creds: new Secret('me:p:w') })).toEqual(
      basic('me', 'p:w'),
    );
  });

  test('without $XDG_RUNTIME_DIR podman keeps them in /run/containers/UID', async () => {
    const config = (user: string): unknown => ({ auths: { 'registry.example': entry(user) } });
    const runtimeFolder = dirname(await write('run/containers/1000/auth.json', config('runtime')));
    await write('.docker/config.json', config('home'));
    await write('.config/containers/auth.json', config('config'));
    const env = { REGISTRY_AUTH_FILE: await write('registry-auth.json', { auths: {} }) };
    expect(await look('registry.example', 'app', { runtimeFolder, env })).toEqual(basic('runtime'));
    const set = { ...env, XDG_RUNTIME_DIR: join(home, 'none') };
    expect(await look('registry.example', 'app', { runtimeFolder, env: set })).toEqual(basic('config'));
    const absent = join(home, 'other');
    expect(await look('registry.example', 'app', { runtimeFolder: absent, env })).toEqual(basic('config'));
  });

  test('a place without an entry for the host is passed over', async () => {
    await write('.config/containers/auth.json', { auths: { 'other.example': entry('other') } });
    await write('.docker/config.json', { auths: { 'registry.example': entry('home'), 'empty.example': {} } });
    expect(await look('registry.example')).toEqual(basic('home'));
    expect(await look('empty.example')).toBeNull();
    expect(await look('third.example')).toBeNull();
  });

  test('malformed places are errors, and no message contains their text', async () => {
    const authfile = await write('broken.json', '{"auths": {"registry.example": {"auth": "c2VjcmV0"}');
    const failed = look('registry.example', 'app', { authfile });
    await expect(failed).rejects.toMatchObject({
      code: 'UNAUTHORIZED',
      message: expect.stringContaining(authfile) as string,
    });
    await expect(failed).rejects.not.toThrow(/c2VjcmV0/);
    await expect(
      look('registry.example', 'app', { authfile: join(home, 'missing.json') }),
    ).rejects.toMatchObject({ code: 'IO' });
    await write('.docker/config.json', { auths: { 'registry.example': { auth: encode('no colon') } } });
    await expect(look('registry.example')).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
    expect(() =>
      createCredentialLookup({ creds: new Secret('nocolon'), authfile: null, env: {}, home }),
    ).toThrow(expect.objectContaining({ code: 'USAGE' }));
  });
});

describe('malformed files', () => {
  test.each<readonly [string, unknown, RegExp]>([
    ['no JSON', 'canary', /it is not JSON$/],
    ['a list', [], /it is not a JSON object$/],
    ['auths that are a list', { auths: ['canary'] }, /"auths" is not an object by host$/],
    ['auths that are text', { auths: 'canary' }, /"auths" is not an object by host$/],
    ['credHelpers that are text', { credHelpers: 'canary' }, /"credHelpers" is not an object by host$/],
    [
      'a credsStore that is a list',
      { credsStore: [] },
      /"credsStore" is not the name of a credential helper$/,
    ],
    [
      'a helper that is a number',
      { credHelpers: { 'registry.example': 7 } },
      /"credHelpers\.registry\.example" is not the name of a credential helper$/,
    ],
    [
      'an entry that is text',
      { auths: { 'registry.example': 'canary' } },
      /registry\.example is not an object$/,
    ],
    [
      'an entry without a colon',
      { auths: { 'registry.example': { auth: encode('canary') } } },
      /the entry of registry\.example is not base64 of USER:PASSWORD in UTF-8$/,
    ],
    [
      'an entry that is not base64',
      { auths: { 'registry.example': { auth: 'bob:canary' } } },
      /is not base64 of USER:PASSWORD in UTF-8$/,
    ],
    [
      'a password in Latin-1',
      { auths: { 'registry.example': { auth: Buffer.from('bob:p\xe4ss', 'latin1').toString('base64') } } },
      /is not base64 of USER:PASSWORD in UTF-8$/,
    ],
  ])('a file with %s is an error that names it and quotes nothing of it', async (_, content, sentence) => {
    const authfile = await write('broken.json', content);
    const failed = look('registry.example', 'app', { authfile });
    await expect(failed).rejects.toMatchObject({
      code: 'UNAUTHORIZED',
      message: expect.stringMatching(sentence) as string,
    });
    await expect(failed).rejects.toThrow(`cannot use the credentials in ${authfile}: `);
    const error: unknown = await failed.catch((reason: unknown) => reason);
    expect(inspect(error, { depth: 9, showHidden: true })).not.toMatch(/canary|Y2FuYXJ5|p\xe4ss/);
    // The same text in the environment is an error of the variable.
    if (typeof content === 'string') {
      const env = { DOCKER_AUTH_CONFIG: content };
      await expect(look('registry.example', 'app', { env })).rejects.toThrow(
        /in \$DOCKER_AUTH_CONFIG: it is not/,
      );
    }
  });

  test('empty files hold no credentials, as Docker and podman leave them', async () => {
    await write('.config/containers/auth.json', '\n');
    await write('.docker/config.json', {
      auths: { 'registry.example': entry('home'), 'other.example': null },
    });
    const env = { DOCKER_AUTH_CONFIG: ' ' };
    expect(await look('registry.example', 'app', { env })).toEqual(basic('home'));
    expect(await look('other.example', 'app', { env })).toBeNull();
    await write('.docker/config.json', { auths: null, credHelpers: null, credsStore: null });
    expect(await look('registry.example')).toBeNull();
  });

  test('an optional file that cannot be read is an error', async () => {
    await mkdir(join(home, '.docker/config.json'), { recursive: true });
    await expect(look('registry.example')).rejects.toMatchObject({
      code: 'IO',
      message: expect.stringMatching(/cannot read the credentials in .*config\.json: EISDIR/) as string,
    });
  });
});

describe('entries of a file', () => {
  test.each([
    'http://registry.example',
    'https://registry.example/',
    'https://registry.example/v1/',
    'https://registry.example/v2/',
    'https://registry.example/some/path',
    'registry.example/',
    'registry.example/v1/',
    'registry.example/v2',
  ])('the old key %s is that of its host', async (key) => {
    await write('.docker/config.json', { auths: { [key]: entry('old') } });
    expect(await look('registry.example', 'team/app')).toEqual(basic('old'));
    expect(await look('example', 'team/app')).toBeNull();
    expect(await look('registry.example:443', 'team/app')).toBeNull();
    expect(await look('registry.example.evil.test', 'team/app')).toBeNull();
  });

  test('a host that is named like a property of JavaScript objects has no credentials', async () => {
    await write(
      '.docker/config.json',
      '{"auths":{"__proto__":{"auth":"eDp5"},"constructor":{"auth":"eDp5"}}}',
    );
    expect(await look('registry.example', 'app')).toBeNull();
    expect(await look('constructor', 'app')).toEqual(basic('x', 'y'));
  });

  test('passwords with colons, quotes and other scripts are kept whole', async () => {
    for (const password of ['a:b:c', ':', '', '{"type": "service_account"}\n', 'pässwörd☃', ' x ']) {
      const auth = Buffer.from(`bob:${password}`).toString('base64');
      await write('.docker/config.json', { auths: { 'registry.example': { auth: `${auth}\n` } } });
      expect(await look('registry.example')).toEqual(basic('bob', password));
    }
  });

  test('the entry of the longest namespace wins', async () => {
    const auths: Record<string, unknown> = {};
    const keys = [
      'https://registry.example:5000/v1/',
      'registry.example:5000',
      'registry.example:5000/team',
      'registry.example:5000/team/app',
    ];
    for (const [i, key] of keys.entries()) {
      auths[key] = entry(`user-${i}`);
      await write('.docker/config.json', { auths });
      expect(await look('registry.example:5000', 'team/app')).toEqual(basic(`user-${i}`));
    }
    expect(await look('registry.example:5000', 'team/other')).toEqual(basic('user-2'));
    expect(await look('registry.example:5000', 'teams')).toEqual(basic('user-1'));
    expect(await look('registry.example', 'team/app')).toBeNull();
  });

  test("Docker Hub's entry is under its old address", async () => {
    await write('.docker/config.json', { auths: { 'https://index.docker.io/v1/': entry('hub') } });
    expect(await look('docker.io', 'library/alpine')).toEqual(basic('hub'));
    expect(await look('registry.example', 'library/alpine')).toBeNull();
  });

  test('passwords, identity tokens and registry tokens are read', async () => {
    const auths = {
      'plain.example': { username: 'u', password: 'p' },
      'padded.example': { auth: encode('u:p\0\0') },
      'identity.example': { auth: encode('00000000-0000-0000-0000-000000000000:'), identitytoken: 'refresh' },
      'token.example': { identitytoken: 'refresh' },
      'bearer.example': { registrytoken: 'bearer' },
    };
    await write('.docker/config.json', { auths });
    expect(await look('plain.example')).toEqual(basic('u', 'p'));
    expect(await look('padded.example')).toEqual(basic('u', 'p'));
    expect(await look('identity.example')).toEqual({
      kind: 'identity',
      username: '00000000-0000-0000-0000-000000000000',
      token: new Secret('refresh'),
    });
    expect(await look('token.example')).toEqual({
      kind: 'identity',
      username: '<token>',
      token: new Secret('refresh'),
    });
    expect(await look('bearer.example')).toEqual({ kind: 'bearer', token: new Secret('bearer') });
  });
});

describe('credential helpers', () => {
  async function helper(name: string, script: string): Promise<void> {
    await write(`bin/docker-credential-${name}`, `#!/bin/sh\n${script}\n`);
    await chmod(join(home, 'bin', `docker-credential-${name}`), 0o755);
  }
  const env = (): Record<string, string> => ({
    PATH: `${join(home, 'bin')}:/usr/bin:/bin`,
    OCISLIM_CREDS: 'canary',
  });
  const answer = (user: string): string =>
    `read server\nprintf '{"ServerURL":"%s","Username":"${user}","Secret":"%s"}' "$server" "$1-$server"`;
  const notFound = 'echo "credentials not found in native keychain"; exit 1';

  test("the host's helper is asked first, then the file's, and then the entries are read", async () => {
    await helper('host', answer('from-host'));
    await helper('store', answer('from-store'));
    await helper('none', notFound);
    await write('.docker/config.json', {
      credHelpers: { 'helped.example': 'host', 'unhelped.example': 'none' },
      credsStore: 'store',
      auths: { 'helped.example': entry('entry'), 'unhelped.example': entry('entry') },
    });
    expect(await look('helped.example', 'app', { env: env() })).toEqual(
      basic('from-host', 'get-helped.example'),
    );
    expect(await look('stored.example', 'app', { env: env() })).toEqual(
      basic('from-store', 'get-stored.example'),
    );
    expect(await look('docker.io', 'library/a', { env: env() })).toEqual(
      basic('from-store', 'get-https://index.docker.io/v1/'),
    );
    // The host's helper speaks for the host: nothing found is the end of this file.
    expect(await look('unhelped.example', 'app', { env: env() })).toBeNull();
    await write('.docker/config.json', { credsStore: 'none', auths: { 'registry.example': entry('entry') } });
    expect(await look('registry.example', 'app', { env: env() })).toEqual(basic('entry'));
  });

  test("Docker Hub's is under its old address for a helper of docker.io too", async () => {
    await helper(
      'hub',
      `read server\n[ "$server" = https://index.docker.io/v1/ ] || { ${notFound}; }
      echo '{"Username":"u","Secret":"s"}'`,
    );
    for (const key of ['docker.io', 'index.docker.io', 'https://index.docker.io/v1/']) {
      await write('.docker/config.json', { credHelpers: { [key]: 'hub' } });
      expect(await look('docker.io', 'library/a', { env: env() })).toEqual(basic('u', 's'));
    }
  });

  test('an invalid name of a helper is an error that names the file', async () => {
    const file = await write('.docker/config.json', { credsStore: '../../bin/x' });
    await expect(look('registry.example', 'app', { env: env() })).rejects.toMatchObject({
      code: 'UNAUTHORIZED',
      message: '"../../bin/x" is not the name of a credential helper',
      advice: `Look for credHelpers and credsStore in ${file}.`,
    });
  });

  test('the user name <token> marks an identity token', async () => {
    await helper('token', answer('<token>'));
    expect(await askHelper('token', 'registry.example', { env: env() }, never)).toEqual({
      kind: 'identity',
      username: '<token>',
      token: new Secret('get-registry.example'),
    });
  });
});
