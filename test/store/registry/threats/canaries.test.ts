import { mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { callCli } from '../../../support/cli.ts';
import { FakeRegistry } from '../../../support/registry/fake-registry.ts';
import type { Effect, ServerName } from '../../../support/registry/faults.ts';
import { fill, noisyImage } from '../../../support/registry/image-run.ts';
import { tokenAuth } from '../../../support/registry/tokens.ts';

const open: { close(): Promise<unknown> }[] = [];
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ocislim-canaries-'));
});
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close();
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
    const fake = await FakeRegistry.start({ auth, storage: true });
    open.push(fake);
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
  const fake = await FakeRegistry.start({ auth: { kind: 'basic', username: 'bob', password: 'other' } });
  open.push(fake);
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
