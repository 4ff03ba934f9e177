import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { callCli, type CliResult, runCli } from '../support/cli.ts';
import type { FakeRegistry } from '../support/registry/fake-registry.ts';
import { fill, noisyImage } from '../support/registry/image-run.ts';
import { startRegistry } from '../support/registry/opened.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ocislim-creds-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

const image = noisyImage();

/** Starts a registry that accepts one user only. */
async function start(username: string): Promise<FakeRegistry> {
  const fake = await startRegistry({ auth: { kind: 'basic', username, password: 'p:w' } });
  fill(fake, 'app', image);
  return fake;
}

/** Returns the users that a registry was shown. */
function shown({ requests }: FakeRegistry): readonly string[] {
  const values = requests.flatMap(({ headers }) => headers.authorization?.replace('Basic ', '') ?? []);
  return [...new Set(values.map((value) => Buffer.from(value, 'base64').toString()))];
}

const config = (...entries: readonly (readonly [FakeRegistry, string])[]): string =>
  JSON.stringify({
    auths: Object.fromEntries(
      entries.map(([{ host }, user]) => [host, { auth: Buffer.from(`${user}:p:w`).toString('base64') }]),
    ),
  });

function copy(
  from: FakeRegistry,
  to: FakeRegistry,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<CliResult> {
  return callCli(['copy', `${from.host}/app:v1`, `${to.host}/dst:v1`, '-q', ...args], env);
}

test('each side is shown its own credentials, and no others', async () => {
  const from = await start('alice');
  const to = await start('bob');
  const { status, stderr } = await copy(from, to, ['--src-creds', 'alice:p:w', '--dest-creds', 'bob:p:w']);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(shown(from)).toEqual(['alice:p:w']);
  expect(shown(to)).toEqual(['bob:p:w']);
});

test('verify shows the original the credentials of the source, and the result those of the destination', async () => {
  const [a, b] = [await start('alice'), await start('bob')];
  const given = ['--src-creds', 'alice:p:w', '--dest-creds', 'bob:p:w'];
  const { status, stderr } = await callCli([
    'verify',
    `${a.host}/app:v1`,
    `${b.host}/app:v1`,
    '-q',
    ...given,
  ]);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect([shown(a), shown(b)]).toEqual([['alice:p:w'], ['bob:p:w']]);
});

test('--creds is for the side that has no credentials of its own', async () => {
  for (const side of ['src', 'dest']) {
    const from = await start(side === 'src' ? 'own' : 'both');
    const to = await start(side === 'dest' ? 'own' : 'both');
    expect((await copy(from, to, [`--${side}-creds`, 'own:p:w', '--creds', 'both:p:w'])).status).toBe(0);
  }
});

test('options come before --authfile, that before the environment, in its order', async () => {
  const from = await start('alice');
  const to = await start('alice');
  const both = (user: string): string => config([from, user], [to, user]);
  const authfile = join(folder, 'auth.json');
  const registryFile = join(folder, 'registry.json');
  const wrong = { DOCKER_AUTH_CONFIG: both('wrong'), REGISTRY_AUTH_FILE: registryFile };
  await writeFile(registryFile, both('wrong'));
  await writeFile(authfile, both('wrong'));
  expect((await copy(from, to, ['--creds', 'alice:p:w', '--authfile', authfile], wrong)).status).toBe(0);
  await writeFile(authfile, both('alice'));
  expect((await copy(from, to, ['--authfile', authfile], wrong)).status).toBe(0);
  expect((await copy(from, to, [], { ...wrong, DOCKER_AUTH_CONFIG: both('alice') })).status).toBe(0);
  await writeFile(registryFile, both('alice'));
  expect((await copy(from, to, [], { REGISTRY_AUTH_FILE: registryFile })).status).toBe(0);
  expect((await copy(from, to, [], wrong)).status).toBe(1);
  for (const fake of [from, to]) expect(shown(fake)).toContain('alice:p:w');
});

test('a base image of another registry is not shown what was given for the source', async () => {
  const source = await start('alice');
  const other = await start('carol');
  const squash = (base: FakeRegistry, env: Record<string, string>): Promise<CliResult> =>
    callCli(
      [
        'squash',
        `${source.host}/app:v1`,
        `oci:${join(folder, 'out')}:v1`,
        '--base',
        `${base.host}/base:v1`,
        '--creds',
        'alice:p:w',
        '-q',
      ],
      env,
    );
  const base = noisyImage([5000, 30_000, 60_000]);
  for (const fake of [source, other]) fill(fake, 'base', base);
  const { status, stderr } = await squash(other, {});
  expect(status).toBe(1);
  expect(stderr).toContain('[UNAUTHORIZED]');
  expect(shown(other)).toEqual([]);
  // The other registry gets its own from a file; a base in the source's registry gets the source's.
  await squash(other, { DOCKER_AUTH_CONFIG: config([other, 'carol']) });
  expect(shown(other)).toEqual(['carol:p:w']);
  other.requests.length = 0;
  source.requests.length = 0;
  await squash(source, {});
  expect(source.sent('GET', /base\/manifests/).at(-1)?.status).toBe(200);
  expect(other.requests).toEqual([]);
});

test.each(['', 'relative', '.'])(
  'a folder of the checkout does not pass for the home directory (HOME=%j)',
  async (home) => {
    const [from, to] = [await start('from'), await startRegistry()];
    for (const place of [folder, join(folder, 'relative')]) {
      await mkdir(join(place, '.docker'), { recursive: true });
      await writeFile(join(place, '.docker', 'config.json'), config([from, 'from']));
    }
    const args = ['copy', `${from.host}/app:v1`, `${to.host}/dst:v1`, '-q'];
    const { status, stderr } = await runCli(args, { cwd: folder, env: { HOME: home } });
    expect(stderr).toContain('[UNAUTHORIZED]');
    expect(status).toBe(1);
    expect(shown(from)).toEqual([]);
  },
);
