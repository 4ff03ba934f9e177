import { chmod, mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { callCli } from '../../support/cli.ts';
import { makeAuthority, writePkcs12 } from '../../support/registry/authority.ts';
import { type FakeOptions, FakeRegistry } from '../../support/registry/fake-registry.ts';
import type { Effect, ServerName } from '../../support/registry/faults.ts';
import { fill, noisyImage } from '../../support/registry/image-run.ts';
import { ProxyServer } from '../../support/registry/proxy-server.ts';
import { tokenAuth } from '../../support/registry/tokens.ts';
import { closing, startRegistry } from '../../support/registry/opened.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ocislim-canaries-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

const password = 'canary:pass/word+1';
const account = { username: 'bob', password };
const encoded = Buffer.from(`bob:${password}`).toString('base64');
/** The forms in which a password may slip out, and the signature of the storage's URLs. */
const secrets = [
  password,
  'canary',
  encodeURIComponent(password),
  encoded,
  Buffer.from(password).toString('base64'),
  'very-secret',
];

/** All that a run leaves behind: what it prints, and every file below its folders, their names too. */
async function leavings(path: string): Promise<string> {
  const names = await readdir(path, { recursive: true });
  const files: string[] = [];
  for (const name of names) {
    if ((await stat(join(path, name))).isFile()) files.push(await readFile(join(path, name), 'latin1'));
  }
  return [...names, ...files].join('\n');
}

const modes: readonly (readonly [string, 'basic' | 'bearer' | 'identity'])[] = [
  ['a password for the registry', 'basic'],
  ['a password for a token server', 'bearer'],
  ['an identity token', 'identity'],
];

const troubles: readonly (readonly [string, ServerName, Effect | null, number])[] = [
  ['no trouble', 'registry', null, 0],
  ['broken connections', 'registry', { kind: 'reset' }, 1],
  ['a server error', 'registry', { kind: 'answer', status: 500 }, 1],
  ['a refusal', 'registry', { kind: 'answer', status: 403 }, 1],
  [
    'a 401 that stays',
    'registry',
    { kind: 'answer', status: 401, headers: { 'www-authenticate': 'Basic realm="x"' } },
    1,
  ],
  [
    'a redirect to nowhere',
    'registry',
    { kind: 'answer', status: 307, headers: { location: 'http://127.0.0.1:1/x?token=canary' } },
    1,
  ],
  ['a server that repeats what it was told', 'registry', { kind: 'echo', status: 403 }, 1],
  ['a token server that repeats what it was told', 'tokens', { kind: 'echo', status: 401 }, 1],
  ['trouble in the storage', 'storage', { kind: 'answer', status: 403 }, 1],
  ['a storage that hangs up', 'storage', { kind: 'reset' }, 1],
  ['a token server that refuses', 'tokens', { kind: 'answer', status: 401 }, 1],
  [
    'a token server that redirects',
    'tokens',
    { kind: 'answer', status: 302, headers: { location: 'http://127.0.0.1:1/?x=canary' } },
    1,
  ],
  ['a token server that babbles', 'tokens', { kind: 'answer', status: 200, body: '{"token": "canary", ' }, 1],
];

const cases = modes.flatMap(([what, mode]) =>
  troubles
    .filter(([, server]) => mode !== 'basic' || server !== 'tokens')
    .map((trouble) => [what, ...trouble, mode] as const),
);

test.each(cases)(
  'N15: %s, with %s: no secret in anything that the command line prints or writes',
  async (_what, _trouble, server, effect, status, mode) => {
    const auth =
      mode === 'basic'
        ? ({ kind: 'basic', ...account } as const)
        : tokenAuth({ ...account, refreshToken: mode === 'identity' ? password : null });
    const fake = await startRegistry({ auth, storage: true });
    fill(fake, 'app', noisyImage());
    if (effect !== null)
      for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'HEAD'])
        fake.fault({ server, method, path: /./, skip: server === 'registry' ? 2 : 0, times: 999, effect });
    const home = join(folder, 'home');
    const work = join(folder, 'work');
    const temporary = join(folder, 'tmp');
    for (const each of [join(home, '.docker'), work, temporary]) await mkdir(each, { recursive: true });
    const entry =
      mode === 'identity'
        ? { auth: Buffer.from('bob:').toString('base64'), identitytoken: password }
        : { auth: encoded };
    await writeFile(join(home, '.docker/config.json'), JSON.stringify({ auths: { [fake.host]: entry } }));
    let said = '';
    for (const progress of ['plain', 'json', 'tty']) {
      const result = await callCli(
        [
          'squash',
          `${fake.host}/app:v1`,
          `${fake.host}/dst:v1`,
          '--last',
          '2',
          '-v',
          '--progress',
          progress,
          '--retry-times',
          progress === 'plain' ? '1' : '0',
          '--report',
          join(work, 'r.json'),
          '--report',
          join(work, 'r.md'),
          '--metadata-file',
          join(work, 'm.json'),
          '--digestfile',
          join(work, 'd'),
          '--iidfile',
          join(work, 'i'),
        ],
        { HOME: home, TMPDIR: temporary },
      );
      expect(result.status, result.stderr).toBe(status);
      said += `${result.stdout}\n${result.stderr}\n`;
    }
    const written = `${await leavings(work)}\n${await leavings(temporary)}`;
    expect(said).toContain(fake.host);
    if (status === 0) expect(written).toContain('sha256:');
    const tokens = auth.kind === 'bearer' ? [...auth.tokens.keys()] : [];
    for (const secret of [...secrets, ...tokens]) {
      expect(said).not.toContain(secret);
      expect(written).not.toContain(secret);
    }
    // Nor in what was pushed.
    const { blobs, manifests } = fake.repository('dst');
    for (const bytes of [...blobs.values(), ...[...manifests.values()].map((each) => each.bytes)])
      for (const secret of secrets) expect(bytes.includes(secret)).toBe(false);
  },
);

test.each<readonly [string, readonly string[], Record<string, string>]>([
  ['an option that there is not', ['--creds', `bob:${password}`, '--nope'], {}],
  ['credentials without a colon', ['--creds', 'canary'], {}],
  ['an option given twice', ['--src-creds', `bob:${password}`, '--src-creds', 'x:canary'], {}],
  ['an environment that is wrong', [], { OCISLIM_CREDS: 'canary' }],
  ['a file that is broken', ['--authfile', 'AUTHFILE'], {}],
  ['a variable that is broken', [], { DOCKER_AUTH_CONFIG: `{"auths": {"x": "canary"` }],
  ['a number that is none', ['--creds', `bob:${password}`, '--jobs', 'many'], {}],
])('N15: nor in what it says of %s', async (_, args, env) => {
  const fake = closing(
    await FakeRegistry.start({ auth: { kind: 'basic', username: 'bob', password: 'other' } }),
  );
  const authfile = join(folder, 'auth.json');
  await writeFile(authfile, `{"auths": {"${fake.host}": {"auth": "${encoded}"`);
  const given = args.map((each) => (each === 'AUTHFILE' ? authfile : each));
  const { status, stdout, stderr } = await callCli(
    ['copy', `${fake.host}/app:v1`, `${fake.host}/dst:v1`, '-v', ...given],
    { HOME: folder, ...env },
  );
  expect(status).toBeGreaterThan(0);
  expect(stderr).toMatch(/^ocislim: /m);
  for (const secret of secrets) expect(`${stdout}${stderr}`).not.toContain(secret);
});

interface Setting {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** What the registry wants; null for a registry that wants nothing. */
  readonly auth?: FakeOptions['auth'];
}
const authority = makeAuthority('The CA of a test');
const basic = { kind: 'basic', ...account } as const;
const helper = async (answer: string): Promise<Record<string, string>> => {
  const path = join(folder, 'docker-credential-quiet');
  await writeFile(path, `#!/bin/sh\ncat <<'END'\n${answer}\nEND\n`);
  await chmod(path, 0o755);
  return { PATH: `${folder}:/usr/bin:/bin`, DOCKER_AUTH_CONFIG: JSON.stringify({ credsStore: 'quiet' }) };
};
const docker = (host: string): string => JSON.stringify({ auths: { [host]: { auth: encoded } } });

/** Each place that a secret may be given in. */
const ways: Readonly<Record<string, (host: string) => Promise<Setting>>> = {
  '--creds': async () => ({ args: ['--creds', `bob:${password}`] }),
  '--src-creds and --dest-creds': async () => ({
    args: ['--src-creds', `bob:${password}`, '--dest-creds', `bob:${password}`],
  }),
  $OCISLIM_CREDS: async () => ({ env: { OCISLIM_CREDS: `bob:${password}` } }),
  '$OCISLIM_SRC_CREDS and $OCISLIM_DEST_CREDS': async () => ({
    env: { OCISLIM_SRC_CREDS: `bob:${password}`, OCISLIM_DEST_CREDS: `bob:${password}` },
  }),
  '--authfile': async (host) => {
    await writeFile(join(folder, 'auth.json'), docker(host));
    return { args: ['--authfile', join(folder, 'auth.json')] };
  },
  $REGISTRY_AUTH_FILE: async (host) => {
    await writeFile(join(folder, 'auth.json'), docker(host));
    return { env: { REGISTRY_AUTH_FILE: join(folder, 'auth.json') } };
  },
  $DOCKER_AUTH_CONFIG: async (host) => ({ env: { DOCKER_AUTH_CONFIG: docker(host) } }),
  'username and password in a file': async (host) => ({
    env: { DOCKER_AUTH_CONFIG: JSON.stringify({ auths: { [host]: account } }) },
  }),
  'a credential helper': async () => ({
    env: await helper(JSON.stringify({ Username: 'bob', Secret: password })),
  }),
  'an identity token of a helper': async () => ({
    env: await helper(JSON.stringify({ Username: '<token>', Secret: password })),
    auth: tokenAuth({ ...account, refreshToken: password }),
  }),
  'an identity token of a file': async (host) => ({
    env: {
      DOCKER_AUTH_CONFIG: JSON.stringify({
        auths: { [host]: { auth: Buffer.from('bob:').toString('base64'), identitytoken: password } },
      }),
    },
    auth: tokenAuth({ ...account, refreshToken: password }),
  }),
  'a registry token of a file': async (host) => ({
    env: { DOCKER_AUTH_CONFIG: JSON.stringify({ auths: { [host]: { registrytoken: 'canary-token' } } }) },
    auth: tokenAuth({
      tokens: new Map([
        [
          'canary-token',
          {
            scopes: ['repository:app:pull,push', 'repository:dst:pull,push'],
            until: Number.POSITIVE_INFINITY,
          },
        ],
      ]),
    }),
  }),
};

describe.each(Object.keys(ways))('N15: a secret given by %s', (way) => {
  test.each<readonly [string, Effect | null, readonly string[]]>([
    ['that is right, in a squash', null, ['squash', '--last', '2']],
    ['that is right, in a prune', null, ['prune', '--rule', '**']],
    ['that is right, in a plan', null, ['slim', '-f', 'PLAN']],
    ['that the registry repeats', { kind: 'echo', status: 403 }, ['squash', '--last', '2']],
    [
      'that the registry refuses',
      { kind: 'answer', status: 401, headers: { 'www-authenticate': 'Basic realm="x"' } },
      ['copy'],
    ],
  ])('%s: it is in nothing that is printed or written', async (_what, effect, [command = '', ...rest]) => {
    const first = await (ways[way] as (host: string) => Promise<Setting>)('x');
    const fake = await startRegistry({ auth: first.auth ?? basic, storage: true });
    fill(fake, 'app', noisyImage());
    const { args = [], env = {} } = await (ways[way] as (host: string) => Promise<Setting>)(fake.host);
    if (effect !== null)
      for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'HEAD'])
        fake.fault({ method, path: /app/, times: 999, skip: 1, effect });
    const work = join(folder, 'work');
    const temporary = join(folder, 'tmp');
    for (const each of [work, temporary]) await mkdir(each, { recursive: true });
    const plan = join(folder, 'plan.yaml');
    await writeFile(plan, 'version: 1\nsquash: { last: 2 }\n');
    let said = '';
    for (const progress of ['plain', 'json', 'tty']) {
      const result = await callCli(
        [
          command,
          `${fake.host}/app:v1`,
          `${fake.host}/dst:v1`,
          ...rest.map((each) => (each === 'PLAN' ? plan : each)),
          ...args,
          '-v',
          '--progress',
          progress,
          '--retry-times',
          '0',
          '--cache-dir',
          join(work, 'cache'),
          '--report',
          join(work, 'r.json'),
          '--report',
          join(work, 'r.md'),
          '--metadata-file',
          join(work, 'm.json'),
          ...(progress === 'json' ? ['--format', 'json'] : []),
        ],
        { HOME: folder, TMPDIR: temporary, ...env },
      );
      expect(result.status, result.stderr).toBe(effect === null ? 0 : 1);
      said += `${result.stdout}\n${result.stderr}\n`;
    }
    const written = `${await leavings(work)}\n${await leavings(temporary)}`;
    const { auth } = fake.options;
    const tokens = auth.kind === 'bearer' ? [...auth.tokens.keys()] : [];
    for (const secret of [...secrets, ...tokens]) {
      expect(said).not.toContain(secret);
      expect(written).not.toContain(secret);
    }
    const { blobs, manifests } = fake.repository('dst');
    expect(manifests.size > 0).toBe(effect === null);
    for (const bytes of [...blobs.values(), ...[...manifests.values()].map((each) => each.bytes)])
      for (const secret of secrets) expect(bytes.includes(secret)).toBe(false);
  });
});

test.each<readonly [string, readonly string[]]>([
  ['a reference', ['copy', `bob:${password}@registry.example/app:v1`, 'oci:x:v1']],
  [
    'a reference with an at sign in the password',
    ['copy', 'bob:canary@canary@registry.example/app:v1', 'oci:x:v1'],
  ],
  [
    'a reference with a digest',
    ['copy', `bob:canary@registry.example/app@sha256:${'a'.repeat(64)}`, 'oci:x:v1'],
  ],
  ['a reference with a scheme', ['copy', 'docker://bob:canary@registry.example/app:v1', 'oci:x:v1']],
  ['a URL', ['copy', 'https://bob:canary@registry.example/app:v1', 'oci:x:v1']],
  ['a destination', ['copy', 'oci:x:v1', 'bob:canary@registry.example/app:v1']],
  ['a tag', ['copy', 'oci:x:v1', '-t', 'bob:canary@registry.example/app:v1']],
  ['a base', ['squash', 'oci:x:v1', 'oci:y:v1', '--base', 'bob:canary@registry.example/app:v1']],
  ['an original', ['restore', 'oci:x:v1', 'oci:y:v1', '--original', 'bob:canary@registry.example/app:v1']],
  [
    'a mirror',
    ['copy', 'registry.example/app:v1', 'oci:x:v1', '--mirror', 'registry.example=bob:canary@mirror.example'],
  ],
  [
    'the URL of a mirror',
    [
      'copy',
      'registry.example/app:v1',
      'oci:x:v1',
      '--mirror',
      'registry.example=https://bob:canary@mirror.example',
    ],
  ],
])('N15: a password in %s is refused, and not repeated', async (_, args) => {
  const { status, stdout, stderr } = await callCli([...args, '-v', '--retry-times', '0'], { HOME: folder });
  expect(status).toBeGreaterThan(0);
  expect(stderr).toMatch(/^ocislim: /m);
  for (const secret of secrets) expect(`${stdout}${stderr}`).not.toContain(secret);
});

test('N15: nor is that of a proxy or of a client certificate, whatever goes wrong with them', async () => {
  const proxy = closing(await ProxyServer.start());
  await writeFile(
    join(folder, 'me.p12'),
    writePkcs12(authority.issue({ names: [] }), 'canary-word', 'aes256'),
  );
  await writeFile(join(folder, 'word'), 'canary-wrong\n');
  await writeFile(join(folder, 'junk.p12'), 'canary');
  const p12 = (name: string): string[] => ['--client-p12', join(folder, name)];
  const line = ['copy', 'registry.test/app:v1', 'oci:x:v1', '-v', '--retry-times', '0', '--timeout', '2'];
  const runs: readonly (readonly [readonly string[], Readonly<Record<string, string>>])[] = [
    [[], { HTTPS_PROXY: `http://bob:canary@${proxy.host}` }],
    [[], { HTTPS_PROXY: `https://bob:canary@${proxy.host}` }],
    [[], { HTTPS_PROXY: 'http://bob:canary@127.0.0.1:1' }],
    [[], { HTTPS_PROXY: 'http://bob:canary%@127.0.0.1:1' }],
    [[], { HTTPS_PROXY: 'socks5://bob:canary@127.0.0.1:1' }],
    [[], { HTTPS_PROXY: 'ftp://bob:canary@127.0.0.1:1' }],
    [[], { https_proxy: 'bob:canary@127.0.0.1:port' }],
    [
      ['--insecure'],
      { HTTPS_PROXY: `http://bob:canary@${proxy.host}`, HTTP_PROXY: `http://bob:canary@${proxy.host}` },
    ],
    [p12('me.p12'), { OCISLIM_CLIENT_P12_PASSPHRASE: 'canary-wrong' }],
    [[...p12('me.p12'), '--client-p12-passphrase-file', join(folder, 'word')], {}],
    [[...p12('me.p12'), '--client-p12-passphrase-file', join(folder, 'none')], {}],
    [p12('junk.p12'), { OCISLIM_CLIENT_P12_PASSPHRASE: 'canary-word' }],
  ];
  for (const [args, env] of runs) {
    const { status, stdout, stderr } = await callCli([...line, ...args], { HOME: folder, ...env });
    expect(status, stderr).toBeGreaterThan(0);
    expect(stderr).not.toContain('a bug in ocislim');
    expect(`${stdout}${stderr}`, JSON.stringify(env)).not.toMatch(/canary/);
  }
});
