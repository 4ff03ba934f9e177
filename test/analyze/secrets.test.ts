import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readInstruction } from '../../src/analyze/instruction.ts';
import { maskSecrets, secretsOf } from '../../src/analyze/instruction-secrets.ts';
import { analysisOf, type Step } from '../support/analyze.ts';
import type { Short } from '../support/model/shorthand.ts';

const step = (...entries: readonly Short[]): Step => ({ row: 'COPY . / # buildkit', entries });
const key = '-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n';

async function inFiles(...entries: readonly Short[]) {
  const { findings, surface } = await analysisOf([step(...entries)]);
  const whys = findings.flatMap(({ kind, why }) => (kind === 'secret-file' ? [why] : []));
  return { whys, files: surface?.secretFiles ?? [] };
}

describe('files', () => {
  test.each([
    ['a private key', 'root/.ssh/id_ed25519', key],
    ['a private key', 'srv/server.pem', '-----BEGIN RSA PRIVATE KEY-----\nAA'],
    ['a token of npm', 'root/.npmrc', '//registry.example/:_authToken=npm_abcdef'],
    ['a token of npm', 'root/.yarnrc.yml', 'npmAuthToken: "abcdef"'],
    ['a password of netrc', 'root/.netrc', 'machine a login b password hunter22'],
    ['credentials of a registry', 'root/.docker/config.json', '{"auths":{"a.example":{"auth":"YTpiCg=="}}}'],
    ['credentials of AWS', 'root/.aws/credentials', '[default]\naws_secret_access_key = abcdefgh'],
    [
      'credentials of Google Cloud',
      'srv/service-account.json',
      '{"private_key": "-----BEGIN PRIVATE KEY-----"}',
    ],
    ['tokens of Azure', 'root/.azure/accessTokens.json', '[{"refreshToken": "abcdefghij"}]'],
    ['credentials of Kubernetes', 'root/.kube/config', 'users:\n- user:\n    token: abcdefgh'],
    ['a password of PyPI', 'root/.pypirc', '[pypi]\npassword = hunter22'],
    [
      'a password in the settings of pip',
      'etc/pip.conf',
      '[global]\nindex-url = https://me:hunter22@pypi.example/simple',
    ],
    ['credentials of git', 'root/.git-credentials', 'https://me:hunter22@git.example'],
    [
      'a password in the settings of a git repository',
      'srv/.git/config',
      '[remote "origin"]\n\turl = https://me:hunter22@git.example/a',
    ],
    ['a password of PostgreSQL', 'root/.pgpass', 'host:5432:db:me:hunter22'],
    ['a password of MySQL', 'root/.my.cnf', '[client]\npassword=hunter22'],
    ['credentials of Maven', 'root/.m2/settings.xml', '<server><password>hunter22</password></server>'],
    ['a token of cargo', 'root/.cargo/credentials.toml', '[registry]\ntoken = "abcdefgh"'],
    ['a token of RubyGems', 'root/.gem/credentials', ':rubygems_api_key: abcdefgh'],
    ['a token of Composer', 'root/.composer/auth.json', '{"github-oauth":{"github.com":"abcdefghij"}}'],
    ['a token of Terraform', 'root/.terraformrc', 'credentials "a" {\n  token = "abcdefgh"\n}'],
    ['a token of GitHub', 'root/.config/gh/hosts.yml', 'github.com:\n  oauth_token: abcdefgh'],
    ['a token of Vault', 'root/.vault-token', 'hvs.abcdefgh'],
    ['settings with a secret', 'srv/.env', 'DEBUG=1\nexport API_KEY="abcdefgh"'],
    ['settings with a secret', 'srv/.env.production', 'DATABASE_URL=postgres://me:hunter22@db/app'],
  ])('hold %s: %s', async (what, name, text) => {
    const { whys, files } = await inFiles(`${name}=${text}`);
    expect(whys).toEqual([`layer 1 (COPY . /) holds ${what} in "${name}"`]);
    expect(files).toEqual([{ path: name, layer: 1, visible: true }]);
  });

  test.each([
    ['a certificate', 'etc/ssl/certs/ca.pem', '-----BEGIN CERTIFICATE-----\nAA'],
    ['a public key', 'root/.ssh/id_rsa.pub', 'ssh-rsa AAAA'],
    ['settings of npm without a token', 'root/.npmrc', 'registry=https://registry.example/'],
    ['a variable in place of a token', 'root/.npmrc', '//registry.example/:_authToken=${NPM_TOKEN}'],
    ['a registry without credentials', 'root/.docker/config.json', '{"credsStore": "pass"}'],
    ['an example of settings', 'srv/.env.example', 'API_KEY=abcdefgh'],
    ['settings without secrets', 'srv/.env', 'PORT=80\nAPI_KEY=\nTOKEN_FILE=/run/secrets/token'],
    ['the key of a test', 'srv/app/test/server.key', key],
    ['a URL without a password', 'etc/pip.conf', 'index-url = https://pypi.example/simple'],
    ['something else that begins as a key does', 'usr/bin/ssh-keygen', key],
  ])('do not, where it is %s', async (_, name, text) => {
    expect(await inFiles(`${name}=${text}`)).toEqual({ whys: [], files: [] });
  });

  test('that a package brings are public', async () => {
    const { whys } = await inFiles(
      'var/lib/dpkg/status=Package: a\nStatus: install ok installed\nVersion: 1\nArchitecture: all\n',
      'var/lib/dpkg/info/a.list=/usr/share/a/server.key\n',
      `usr/share/a/server.key=${key}`,
    );
    expect(whys).toEqual([]);
  });

  test('that an upper layer deletes are still in the layer', async () => {
    const { findings, surface } = await analysisOf([
      step(`root/.ssh/id_rsa=${key}`, `root/.ssh/id_dsa=${key}`),
      { row: 'RUN /bin/sh -c rm -r /root/.ssh # buildkit', entries: ['root/.wh..ssh'] },
    ]);
    const secrets = findings.filter(({ kind }) => kind === 'secret-file');
    expect(secrets).toMatchObject([
      {
        bytes: 0,
        files: 2,
        layer: 1,
        by: 2,
        why: 'layer 1 (COPY . /) holds a private key in "root/.ssh/id_rsa" and 1 more file: layer 2 (RUN rm -r /root/.ssh) hides it, but a pull of the image still brings it',
        command: ['prune', '--shadowed'],
      },
    ]);
    expect(surface?.secretFiles.map(({ visible }) => visible)).toEqual([false, false]);
  });

  test('with names that need more than quotes have no command', async () => {
    const { findings } = await analysisOf([step(`srv/a b/id_rsa=${key}`)]);
    expect(findings.map(({ command }) => command)).toEqual([null]);
  });
});

describe('variables and instructions', () => {
  async function whysOf(row: string, config = {}): Promise<readonly string[]> {
    const { findings } = await analysisOf([{ row, entries: ['a=1'] }], config);
    return findings.flatMap(({ kind, why }) => (kind === 'secret-variable' ? [why] : []));
  }

  test('name the variable of the environment, and not its value', async () => {
    const whys = await whysOf('COPY a / # buildkit', {
      Env: ['PATH=/bin', 'DB_PASSWORD=hunter22', 'TOKEN_FILE=/run/x'],
    });
    expect(whys).toEqual(['the environment variable DB_PASSWORD of the config looks like a secret']);
  });

  test.each([
    ['RUN |2 NPM_TOKEN=abcdef VERSION=1 /bin/sh -c npm ci # buildkit', 'the build argument NPM_TOKEN'],
    ['RUN /bin/sh -c export GITHUB_TOKEN=abcdef && make # buildkit', 'the variable GITHUB_TOKEN'],
    ['/bin/sh -c git clone https://me:hunter22@git.example/a', 'the password for git.example'],
    ['/bin/sh -c #(nop)  ARG API_KEY=abcdef', 'the build argument API_KEY'],
    ['ENV SECRET_TOKEN=ghp_abcdef', 'the variable SECRET_TOKEN'],
    ['/bin/sh -c #(nop)  ENV SECRET_TOKEN ghp_abcdef', 'the variable SECRET_TOKEN'],
    ['RUN curl -H "Authorization: Bearer abcdef" https://a.example', 'the header Authorization'],
    ["RUN curl --header 'PRIVATE-TOKEN: abcdef' https://a.example", 'the header PRIVATE-TOKEN'],
    ['RUN npm config set //a.example/:_authToken=abcdef', 'the variable _authToken'],
  ])('of %s', async (row, what) => {
    expect(await whysOf(row)).toEqual([`the history shows the value of ${what} of layer 1`]);
  });

  test.each([
    'RUN /bin/sh -c make TOKEN=$TOKEN # buildkit',
    'RUN /bin/sh -c --mount=type=secret,id=npm npm ci # buildkit',
    'RUN |1 VERSION=1 /bin/sh -c make # buildkit',
    '/bin/sh -c git clone https://$USER:$TOKEN@git.example/a',
    'RUN curl -H "Authorization: Bearer $TOKEN" https://a.example',
    'RUN curl -H "Authorization: $TOKEN" https://a.example',
    'RUN TOKEN=`cat /run/secrets/token` make',
  ])('say nothing of %s', async (row) => {
    expect(await whysOf(row)).toEqual([]);
  });

  test('name a variable of ENV once while the config has the value, and in the history when it has another', async () => {
    const row = 'ENV SECRET_TOKEN=ghp_abcdef';
    expect(await whysOf(row, { Env: ['SECRET_TOKEN=ghp_abcdef'] })).toEqual([
      'the environment variable SECRET_TOKEN of the config looks like a secret',
    ]);
    expect(await whysOf(row, { Env: ['SECRET_TOKEN='] })).toEqual([
      'the history shows the value of the variable SECRET_TOKEN of layer 1',
    ]);
  });

  test('of instructions in findings are masked', async () => {
    const row = 'RUN API_KEY=abcdef curl -u https://me:abcdef@a.example';
    const { findings } = await analysisOf([{ row, entries: [`root/.ssh/id_rsa=${key}`] }]);
    const told = findings.map(({ why }) => why).join('\n');
    expect(told).toContain('(RUN API_KEY=*** curl -u https://me:***@a.example)');
    expect(told).not.toContain('abcdef');
  });
});

describe('the mask', () => {
  const around = fc.stringMatching(/^[ ;&|"'\w:/@=-]{0,12}$/);
  const shown = fc.constantFrom(
    'API_KEY=%',
    'export DB_PASSWORD="%"',
    "TOKEN='%'",
    '--password=%',
    'Authorization: Bearer %',
    'authorization: %',
    'x-vault-token: %',
    'https://me:%@a.example/b',
  );
  test('hides what the findings name, whatever stands around it', () => {
    const value = 'hunter22secret';
    fc.assert(
      fc.property(around, shown, around, (before, form, after) => {
        const text = `RUN ${before} ${form.replace('%', value)} ${after}`;
        const masked = maskSecrets(text);
        if (secretsOf(readInstruction(text)).length > 0) expect(masked).toContain('***');
        expect(secretsOf(readInstruction(masked))).toEqual([]);
      }),
    );
  });
  test.each([
    ['ENV API_KEY abcdef', 'ENV API_KEY ***'],
    [`RUN API_KEY=${'ab'.repeat(2000)} make`, 'RUN API_KEY=*** make'],
    [`RUN curl -H 'Authorization: Bearer ${'ab'.repeat(2000)}'`, "RUN curl -H 'Authorization: Bearer ***'"],
    ['ENV API_KEY=abcdef PATH=/bin', 'ENV API_KEY=*** PATH=/bin'],
    ['RUN make A=1 && curl https://a.example/x', 'RUN make A=1 && curl https://a.example/x'],
  ])('of %.40s is %s', (text, masked) => {
    expect(maskSecrets(text)).toBe(masked);
  });
});
