import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { askHelper } from '../../../src/store/registry/credential-helper.ts';
import { type CredentialOptions, createCredentialLookup } from '../../../src/store/registry/credentials.ts';
import { never } from '../../support/registry/setup.ts';

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
const basic = (username: string, password = 'secret'): unknown => ({ kind: 'basic', username, password });

function look(host: string, repository = 'app', options: Partial<CredentialOptions> = {}): Promise<unknown> {
  return createCredentialLookup({ creds: null, authfile: null, env: {}, home, ...options })(
    host,
    repository,
    never,
  );
}

describe('where credentials come from', () => {
  test('the first place that has some wins', async () => {
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
    expect(await look(host, 'app', { env, authfile, creds: 'me:p:w' })).toEqual(basic('me', 'p:w'));
  });

  test('a place without an entry for the host is passed over', async () => {
    await write('.config/containers/auth.json', { auths: { 'other.example': entry('other') } });
    await write('.docker/config.json', { auths: { 'registry.example': entry('home'), 'empty.example': {} } });
    expect(await look('registry.example')).toEqual(basic('home'));
    expect(await look('empty.example')).toBeNull();
    expect(await look('third.example')).toBeNull();
  });

  test('broken places are errors, and their text is in no message', async () => {
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
    expect(() => createCredentialLookup({ creds: 'nocolon', authfile: null, env: {}, home })).toThrow(
      expect.objectContaining({ code: 'USAGE' }),
    );
  });
});

describe('which entry of a file', () => {
  test('the most specific one', async () => {
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

  test("Docker Hub's is under its old address", async () => {
    await write('.docker/config.json', { auths: { 'https://index.docker.io/v1/': entry('hub') } });
    expect(await look('docker.io', 'library/alpine')).toEqual(basic('hub'));
    expect(await look('registry.example', 'library/alpine')).toBeNull();
  });

  test('all kinds', async () => {
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
      token: 'refresh',
    });
    expect(await look('token.example')).toEqual({ kind: 'identity', username: '<token>', token: 'refresh' });
    expect(await look('bearer.example')).toEqual({ kind: 'bearer', token: 'bearer' });
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

  test('that of the host, then that of the file, then the entries', async () => {
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

  test('an identity token', async () => {
    await helper('token', answer('<token>'));
    expect(await askHelper('token', 'registry.example', env(), never)).toEqual({
      kind: 'identity',
      username: '<token>',
      token: 'get-registry.example',
    });
  });

  test('our own options are not passed on', async () => {
    await helper('env', `printf '{"Username":"u","Secret":"%s"}' "$OCISLIM_CREDS"`);
    expect(await askHelper('env', 'registry.example', env(), never)).toEqual(basic('u', ''));
  });

  test('failures are errors, not silence', async () => {
    await helper('fails', 'echo "the keychain is locked" >&2; exit 1');
    await helper('babbles', 'echo hello');
    await helper('incomplete', `echo '{"Username":"u"}'`);
    await helper('hangs', 'exec sleep 60');
    await helper('floods', 'exec cat /dev/zero');
    const limits = { milliseconds: 200, bytes: 100_000 };
    const ask = (name: string): Promise<unknown> => askHelper(name, 'registry.example', env(), never, limits);
    const failing = async (name: string, sentence: RegExp): Promise<void> => {
      await expect(ask(name)).rejects.toMatchObject({
        code: 'UNAUTHORIZED',
        message: expect.stringMatching(sentence) as string,
      });
    };
    await failing('fails', /the keychain is locked/);
    await failing('babbles', /not answer with JSON/);
    await failing('incomplete', /no Username and Secret/);
    await failing('hangs', /within 0\.2 seconds/);
    await failing('floods', /longer than 100000 bytes/);
    await failing('missing', /not installed/);
    for (const name of ['../x', 'a/b', '', '-x', 'a b', '$(x)'])
      await failing(name, /not the name of a credential helper/);
  });

  test('stops when told to', async () => {
    await helper('hangs', 'exec sleep 60');
    const stop = new AbortController();
    const asking = askHelper('hangs', 'registry.example', env(), stop.signal);
    stop.abort(new Error('stopped'));
    await expect(asking).rejects.toThrow('stopped');
  });
});
