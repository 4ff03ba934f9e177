import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type GateLimits, gateKeys } from '../../../src/analyze/gates/all.ts';
import { isDeep, judge } from '../../../src/analyze/gates/verdict.ts';
import { sinNames } from '../../../src/analyze/gates/dockerfile.ts';
import { parsePackageSpec, type PackageSpec } from '../../../src/analyze/gates/packages.ts';
import { commandsOf } from '../../../src/analyze/gates/shell-commands.ts';
import type { Digest } from '../../../src/oci/digest.ts';
import { gateKeysOfFiles } from '../../../src/settings/gate-schema.ts';
import { sample } from '../../report/analyze/sample.ts';
import { breachesOf, type Case, judgedOf, messagesOf } from './judged.ts';

const { totals, dive } = sample;

describe('a gate about numbers', () => {
  const numbers: readonly (readonly [name: string, limit: (value: number) => GateLimits, value: number])[] = [
    ['transferSize', (value) => ({ transferSize: value }), totals.transferBytes],
    ['unpackedSize', (value) => ({ unpackedSize: value }), totals.tarBytes],
    ['layerSize', (value) => ({ layerSize: value }), 2_000_000],
    ['layers', (value) => ({ layers: value }), 2],
    ['reclaimable', (bytes) => ({ reclaimable: { kind: 'bytes', bytes } }), totals.reclaimableBytes],
    ['duplicates', (bytes) => ({ duplicates: { kind: 'bytes', bytes } }), totals.duplicateBytes],
    ['highestWastedBytes', (value) => ({ highestWastedBytes: value }), dive.wastedBytes],
  ];
  test.each(numbers)('%s is met up to its limit, and not one beyond', async (_, limit, value) => {
    expect(await breachesOf(limit(value))).toEqual([]);
    expect(await breachesOf(limit(value - 1))).toHaveLength(1);
  });

  test('of dive has its comparisons: an image of one layer, where a share is not a number, passes', async () => {
    expect(await breachesOf({ lowestEfficiency: dive.efficiency })).toEqual([]);
    expect(await breachesOf({ lowestEfficiency: dive.efficiency + 1e-9 })).toHaveLength(1);
    const of = (wastedUserPercent: number): Case => ({ analysis: { dive: { ...dive, wastedUserPercent } } });
    expect(await breachesOf({ highestUserWastedPercent: 0 }, of(Number.NaN))).toEqual([]);
    expect(await breachesOf({ highestUserWastedPercent: 1 }, of(Number.POSITIVE_INFINITY))).toHaveLength(1);
  });

  test('may be a share of the whole', async () => {
    const share = totals.reclaimableBytes / totals.contentBytes;
    const [breach] = await breachesOf({ reclaimable: { kind: 'ratio', ratio: 0.05 } });
    expect(breach?.message).toBe(
      'files that no container sees take 2.9 MB, 33.33 % of 8.7 MB and more than 5 %',
    );
    expect(breach?.command).toEqual(['prune', '--shadowed']);
    expect(await breachesOf({ reclaimable: { kind: 'ratio', ratio: share } })).toEqual([]);
  });

  test('says how many layers to squash, so that it is met afterwards', async () => {
    const [breach] = await breachesOf({ layers: 1 });
    expect(breach?.command).toEqual(['squash', '--last', '2']);
  });
});

describe('forbidden paths', () => {
  const layers = [
    ['app/.git/config', 'etc/key.pem', 'bin/sh'],
    ['etc/.wh.key.pem', 'srv/key.pem'],
  ];

  test('are found in every layer, also where a layer above hides them', async () => {
    const [git, key, ...more] = await breachesOf({ forbiddenPaths: ['**/.git/**', '**/*.pem'] }, { layers });
    expect(more).toEqual([]);
    expect(git?.message).toBe('**/.git/** is forbidden, and there is /app/.git/config');
    expect(key?.message).toBe(
      '**/*.pem is forbidden, and there is /etc/key.pem, /srv/key.pem; 1 of them no container sees, but a layer still has',
    );
    expect(key?.command).toEqual(['prune', '--rule', '**/*.pem']);
    expect(key?.layer).toBe(1);
  });

  test('can be taken back, as by rules', async () => {
    expect(await messagesOf({ forbiddenPaths: ['**/*.pem', '!srv/*'] }, { layers })).toEqual([
      '**/*.pem is forbidden, and there is /etc/key.pem; 1 of them no container sees, but a layer still has',
    ]);
    expect(await messagesOf({ forbiddenPaths: ['usr/**'] }, { layers })).toEqual([]);
  });
});

describe('forbidden packages', () => {
  const spec = (text: string): PackageSpec => {
    const found = parsePackageSpec(text);
    if (found === null) throw new Error(text);
    return found;
  };
  test.each([
    ['libc6', true],
    ['dpkg:libc6:amd64', true],
    ['dpkg:libc6', true],
    ['rpm:libc6', false],
    ['lib*6', true],
    ['*', true],
    ['lib', false],
    ['libc6<2.36-9+deb12u10', true],
    ['libc6<2.36-9+deb12u9', false],
    ['libc6<=2.36-9+deb12u9', true],
    ['libc6>2.36', true],
    ['libc6 >= 3', false],
    ['libc6=2.36-9+deb12u9', true],
    ['libc6!=2.36', true],
  ])('named as %s: %s', async (text, isFound) => {
    const parsed = parsePackageSpec(text);
    if (parsed === null) {
      expect(isFound).toBe(false);
      return;
    }
    const messages = await messagesOf({ forbiddenPackages: [parsed] });
    expect(messages.some((message) => message.startsWith('libc6:amd64 '))).toBe(isFound);
  });

  test('of a version are none without a version', async () => {
    expect(await messagesOf({ forbiddenPackages: [spec('left-pad<9')] })).toEqual([]);
    expect(await messagesOf({ forbiddenPackages: [spec('node:left-pad')] })).toEqual([
      'left-pad (node) is forbidden by node:left-pad',
    ]);
  });

  test.each(['', '<3', 'a b', 'nokind:a', 'a<', 'a<<3'])(
    'must be written so that they say what: %j',
    (text) => {
      expect(parsePackageSpec(text)).toBeNull();
    },
  );
});

describe('base images', () => {
  const [one, two] = sample.layers.map(({ diffId }) => diffId);
  const base = (name: string, diffIds: readonly Digest[], digests: readonly Digest[] = []) => ({
    name,
    diffIds,
    digests,
  });
  const limits = { baseImages: ['base:1'] };

  test('are those whose layers are the lowest of the image, and not others', async () => {
    expect(await breachesOf(limits, { bases: [base('base:1', [one as Digest])] })).toEqual([]);
    expect(await breachesOf(limits, { bases: [base('base:1', [one as Digest, two as Digest])] })).toEqual([]);
    for (const diffIds of [[two], [one, two, two], []])
      expect(await breachesOf(limits, { bases: [base('base:1', diffIds as Digest[])] })).toHaveLength(1);
  });

  test('are those that annotations name by digest, too', async () => {
    const digest = sample.image.digest;
    const bases = [base('base:1', [], [digest])];
    const annotations = { 'org.opencontainers.image.base.digest': digest };
    expect(await breachesOf(limits, { bases, annotations })).toEqual([]);
    expect(await breachesOf(limits, { bases })).toHaveLength(1);
  });
});

describe('gates about the config', () => {
  test.each([
    ['', 1],
    ['root', 1],
    ['0:0', 1],
    ['1000', 0],
    ['app', 0],
  ])('the user %j: %i breaches', async (user, count) => {
    expect(await breachesOf({ nonRoot: true }, { config: { user } })).toHaveLength(count);
  });

  test.each([
    ['app', 1],
    ['app:latest', 1],
    ['registry.example:5000/app', 1],
    ['registry.example:5000/app:1', 0],
    [`app@sha256:${'a'.repeat(64)}`, 0],
    ['oci:app', 0],
    ['docker-archive:app.tar', 0],
  ])('the name %s: %i breaches about its tag', async (name, count) => {
    expect(await breachesOf({ tag: true }, { name })).toHaveLength(count);
  });

  test('a base that annotations name with "latest" is a breach', async () => {
    const annotations = { 'org.opencontainers.image.base.name': 'docker.io/library/debian:latest' };
    expect(await messagesOf({ tag: true }, { annotations })).toEqual([
      'the base docker.io/library/debian:latest is whatever is newest',
    ]);
  });

  test('ports, labels and the health check', async () => {
    expect(await messagesOf({ ports: ['80'] })).toEqual([]);
    expect(await messagesOf({ ports: [] })).toEqual(['exposed and not allowed: 80/tcp']);
    expect(await messagesOf({ labels: ['maintainer'] })).toEqual([]);
    expect(await messagesOf({ labels: ['maintainer', 'a', 'b'] })).toEqual(['missing labels: a, b']);
    expect(await messagesOf({ healthcheck: true })).toEqual(['there is no HEALTHCHECK']);
    expect(await messagesOf({ healthcheck: true }, { config: { healthcheck: true } })).toEqual([]);
  });
});

describe('gates about security', () => {
  test('secrets of hidden files are still in their layer', async () => {
    expect(await messagesOf({ secrets: true })).toEqual([
      'the variable API_TOKEN looks like a secret',
      '/root/.ssh/id_rsa looks like a secret, and layer 1 still holds it although no container sees it',
    ]);
  });

  test.each([
    ['ENV SECRET_TOKEN=abcdef', 'the variable SECRET_TOKEN'],
    ['RUN |1 NPM_TOKEN=abcdef /bin/sh -c npm ci # buildkit', 'the build argument NPM_TOKEN'],
    ['ARG NPM_TOKEN=abcdef', 'the build argument NPM_TOKEN'],
    ['RUN git clone https://me:abcdef@git.example/a', 'the password for git.example'],
    ['RUN curl -H "Authorization: Bearer abcdef" https://a.example', 'the header Authorization'],
    ['ENV API_TOKEN=abcdef', null],
  ])('secrets of the history are seen in %s', async (row, what) => {
    const found = await messagesOf({ secrets: true }, { history: [row] });
    expect(found.slice(2)).toEqual(
      what === null ? [] : [`the history shows the value of ${what} of layer 1`],
    );
  });

  test('instructions in breaches are shown without their secrets', async () => {
    const row = 'RUN curl -H "Authorization: Bearer abcdef" https://me:abcdef@a.example | TOKEN=abcdef sh';
    const [message] = await messagesOf({ dockerfile: ['pipe-to-shell'] }, { history: [row] });
    expect(message).toMatch(/^pipe-to-shell: RUN curl -H "Authorization: Bearer \*\*\*"/);
    expect(message).not.toContain('abcdef');
  });

  test('files of the surface are counted, and those that are allowed are not', async () => {
    expect(await messagesOf({ surface: { shells: 0, 'network-tools': 1 } })).toEqual([
      '1 shell, more than 0: /bin/sh',
    ]);
    const surface = sample.surface;
    if (surface === null) throw new Error('the sample has changed');
    const files = { ...surface.files, setuid: surface.files.shells };
    const given = { analysis: { surface: { ...surface, files } } };
    expect(await messagesOf({ setuid: [] }, given)).toEqual(['1 file with setuid or setgid bits: /bin/sh']);
    expect(await messagesOf({ setuid: ['bin/ash'] }, given)).toEqual([]);
  });
});

describe('mistakes of Dockerfiles', () => {
  const lists = 'var/lib/apt/lists/x_Packages';
  test.each([
    ['ADD https://example.com/x /x # buildkit', 'add-url'],
    ['ADD --checksum=sha256:0 https://example.com/x /x', null],
    ['RUN /bin/sh -c apt-get update && apt-get install -y curl # buildkit', 'apt-cache', [lists]],
    ['RUN /bin/sh -c apt-get update && apt-get install -y curl # buildkit', null, ['usr/bin/curl']],
    ['RUN /bin/sh -c echo apt-get', null, [lists]],
    ['/bin/sh -c DEBIAN_FRONTEND=noninteractive apt-get install -y x', 'apt-cache', [lists]],
    ['RUN apk add curl', 'apk-cache', ['var/cache/apk/APKINDEX.tar.gz']],
    ['RUN dnf install -y x', 'rpm-cache', ['var/cache/dnf/x.solv']],
    ['RUN python3 -m pip install x', 'pip-cache', ['root/.cache/pip/http/a']],
    ['RUN npm ci', 'npm-cache', ['root/.npm/_cacache/index']],
    ['RUN apt-get update && apt-get -y dist-upgrade', 'upgrade'],
    ['RUN apt-get update', null],
    ['RUN apt-get upgrade -y openssl', null],
    ['RUN sudo -u root make install', 'sudo'],
    ['RUN echo sudo', null],
    ['RUN curl -fsSL https://example.com/i.sh | bash -s -- -y', 'pipe-to-shell'],
    ['RUN wget -qO- https://example.com/i | /bin/sh', 'pipe-to-shell'],
    ['RUN curl -fsSL https://example.com/i.tar | tar x && sh i.sh', null],
    ['RUN chmod -R 777 /srv', 'chmod-777'],
    ['RUN chmod 755 /srv', null],
    ['ENV API_TOKEN=abcdef', 'secret-variable'],
    ['ENV API_TOKEN abcdef', 'secret-variable'],
    ['ENV PATH=/bin', null],
    ['ARG DB_PASSWORD=hunter2', 'secret-argument'],
    ['|1 NPM_TOKEN=abcdef /bin/sh -c npm ci', 'secret-argument'],
  ])('%s is the mistake %s', async (row, name, files: readonly string[] = []) => {
    const found = await messagesOf(
      { dockerfile: [...sinNames] },
      { history: [row], layers: [files.map((name) => `${name}=x`)] },
    );
    expect(found.map((message) => message.split(':')[0])).toEqual(name === null ? [] : [name]);
    expect(found.join('')).not.toMatch(/abcdef|hunter2/);
  });

  test('a chown -R counts only where it copies files of layers below', async () => {
    const history = ['COPY . /app', 'RUN chown -R 1000 /app'];
    const dockerfile = ['chown-recursive'] as const;
    const copied = { history, layers: [['app/a'], ['app/a']] };
    const [breach] = await breachesOf({ dockerfile }, copied);
    expect([breach?.layer, breach?.path, breach?.command]).toEqual([2, 'app/a', ['prune', '--shadowed']]);
    expect(await breachesOf({ dockerfile }, { history, layers: [['app/a'], ['app/b']] })).toEqual([]);
  });

  test('lines of a shell are taken apart in linear time, whatever is in them', () => {
    const pieces = ['curl', ' ', '|', '&&', ';', 'a=', 'sudo ', '-', '\\\n', '"', '(', 'sh'];
    const line = fc.array(fc.constantFrom(...pieces), { maxLength: 60 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(line, (text) => {
        const commands = commandsOf(text);
        expect(commands.length).toBeLessThanOrEqual(text.length);
        for (const { program, before } of commands) {
          expect(program).not.toMatch(/[\s;&|()]/);
          expect(before.length).toBeLessThan(5);
        }
      }),
    );
    expect(commandsOf('curl '.repeat(20_000)).length).toBe(1);
    expect(commandsOf(';A=x'.repeat(20_000))).toEqual([]);
  });
});

describe('a verdict', () => {
  test('fails by errors alone, and tells warnings', async () => {
    const judged = await judgedOf({});
    const met = { layers: 9 };
    const open = { layers: 1 };
    expect(judge({ check: met, warn: open }, judged).passed).toBe(true);
    expect(judge({ check: open, warn: {} }, judged).passed).toBe(false);
    const { gates } = judge({ check: met, warn: open }, judged);
    expect(gates.map(({ id, level, breaches }) => [id, level, breaches.length])).toEqual([
      ['layers', 'error', 0],
      ['layers', 'warning', 1],
    ]);
  });

  test('says of a policy whether headers are enough for it', () => {
    expect(isDeep({ check: { layers: 1, lowestEfficiency: 0.9 }, warn: { dockerfile: [...sinNames] } })).toBe(
      false,
    );
    expect(isDeep({ check: {}, warn: { secrets: true } })).toBe(true);
  });

  test('knows every gate that a file may name, and no other', () => {
    expect([...gateKeysOfFiles].toSorted()).toEqual([...gateKeys].toSorted());
  });
});
