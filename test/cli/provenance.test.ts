/**
 * Tests of --provenance and --sign-key through the command line: what stands beside the image in places of every kind, what files get,
 * and what is refused before anything is written.
 */
import { createHash, generateKeyPairSync } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import { knownTypes, typeNames } from '../../src/attest/names.ts';
import type { Provenance } from '../../src/attest/provenance.ts';
import type { Statement } from '../../src/attest/statement.ts';
import { copy } from '../../src/commands/index.ts';
import { type Report } from '../../src/report/report.ts';
import { type Attached, attachedTo, type Bundle, statementIn } from '../support/attest/attached.ts';
import { sealLikeCosign } from '../support/attest/cosign-keys.ts';
import { callCli } from '../support/cli.ts';
import { buildImage, buildIndex } from '../support/image-builder.ts';
import { bytesOf } from '../support/model/byte-string.ts';
import { specOf } from '../support/model/shorthand.ts';
import { writeTar } from '../support/model/tar-bytes.ts';
import { startRegistry } from '../support/registry/opened.ts';
import { openScene } from '../support/scene.ts';
import { serve } from '../support/store/serving.ts';

const layer = (...entries: string[]) => writeTar(entries.map(specOf));
const app = buildImage({ layers: [layer('a=1', 'b=2'), layer('c=3', 'a=4')] });
const several = buildIndex({
  images: ['amd64', 'arm64'].map((architecture) =>
    buildImage({ layers: [layer('a=1', `${architecture}=2`)], platform: { os: 'linux', architecture } }),
  ),
});
const scene = openScene(() => ({ app, several }));
const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
let key = '';
beforeAll(async () => {
  key = await scene.write('k.pem', privateKey.export({ format: 'pem', type: 'pkcs8' }));
});

const digestIn = (name: string) => name.slice(name.indexOf('@') + 1);
const byType = (list: readonly Attached[]) => list.map(({ statement }) => statement.predicateType).toSorted();

interface Place {
  readonly at: string;
  /** Where it can be read from. */
  readonly reference: (digest: string) => string;
}

const places: Readonly<Record<string, () => Promise<Place>>> = {
  'a layout': async () => ({ at: scene.at('out', 'made'), reference: () => scene.at('out', 'made') }),
  'an OCI archive': async () => {
    const at = `oci-archive:${scene.path('made.tar')}:out`;
    return { at, reference: () => at };
  },
  'a registry with the referrers API': async () => {
    const at = `${(await serve()).host}/app`;
    return { at: `${at}:1`, reference: (digest) => `${at}@${digest}` };
  },
  'a registry without it': async () => {
    const at = `${(await startRegistry({ referrers: false })).host}/app`;
    return { at: `${at}:1`, reference: (digest) => `${at}@${digest}` };
  },
};

describe.each(Object.entries(places))('in %s', (name, place) => {
  const isRegistry = name.includes('registry');

  test('a result is signed, and states how it was made', async () => {
    const { at, reference } = await place();
    const made = await scene.succeed('slim', scene.at('app'), at, '--provenance', '--sign-key', key);
    const digest = digestIn(made);
    const attached = await attachedTo(reference(digest), digest);
    expect(byType(attached)).toEqual(
      [typeNames.equivalence, knownTypes.signature, knownTypes.provenance].toSorted(),
    );
    for (const { artifactType, annotations, manifest, statement } of attached) {
      expect(artifactType).toBe('application/vnd.dev.sigstore.bundle.v0.3+json');
      expect(annotations).toEqual({
        'dev.sigstore.bundle.content': 'dsse-envelope',
        'dev.sigstore.bundle.predicateType': statement.predicateType,
        'org.opencontainers.image.created': expect.stringMatching(
          /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/,
        ) as string,
      });
      expect(manifest['config']).toMatchObject({ mediaType: 'application/vnd.oci.empty.v1+json', size: 2 });
      expect(statement.subject).toEqual([
        {
          ...(isRegistry && statement.predicateType !== knownTypes.signature
            ? { name: at.replace(/:1$/, '') }
            : {}),
          digest: { sha256: digest.slice('sha256:'.length) },
        },
      ]);
    }
  });

  test('statements stand beside it without a key, too', async () => {
    const { at, reference } = await place();
    const digest = digestIn(await scene.succeed('squash', scene.at('app'), at, '--all', '--provenance'));
    const attached = await attachedTo(reference(digest), digest);
    // A layout and an archive have the statements of the test before, if these are about the same image.
    const unsigned = attached.filter(({ artifactType }) => artifactType === 'application/vnd.in-toto+json');
    expect(byType(unsigned)).toEqual([typeNames.equivalence, knownTypes.provenance].toSorted());
    for (const { annotations, statement } of unsigned)
      expect(annotations['in-toto.io/predicate-type']).toBe(statement.predicateType);
  });
});

test('of a second manifest the equivalence is stated too, with what both have lost', async () => {
  const file = scene.path('variant.json');
  const words = ['--rule', 'b', '--add-variant', 'zstd', `--provenance=${file}`];
  await scene.succeed('prune', scene.at('app'), scene.at('two', 'variants'), ...words);
  const statements = (await readFile(file, 'utf8'))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Statement);
  const claims = statements.filter(({ predicateType }) => predicateType === typeNames.equivalence);
  const [first, second] = claims.map(({ predicate }) => predicate);
  expect(claims).toHaveLength(2);
  expect(new Set(claims.map(({ subject }) => JSON.stringify(subject))).size).toBe(2);
  expect(first).toMatchObject({ relation: 'subset', removed: { count: 1 } });
  expect(second).toEqual(first);
});

test('of an index each image has its equivalence, and the index the provenance and the signature', async () => {
  const at = scene.at('all', 'indexes');
  const file = scene.path('several.json');
  const made = await scene.succeed(
    'prune',
    scene.at('several'),
    at,
    '--rule',
    'a',
    '--provenance',
    '--sign-key',
    key,
    '--report',
    file,
    '--report',
    scene.path('several.md'),
  );
  const root = digestIn(made);
  expect(byType(await attachedTo(at, root))).toEqual(
    [knownTypes.signature, knownTypes.provenance].toSorted(),
  );
  const report = JSON.parse(await readFile(file, 'utf8')) as Report;
  expect(await readFile(scene.path('several.md'), 'utf8')).toContain(
    '\n\nStated beside the image: provenance, 2 equivalences.\n',
  );
  expect(report.platforms).toHaveLength(2);
  for (const { digest, sourceDigest, platform } of report.platforms) {
    const [only, ...more] = await attachedTo(at, digest ?? '');
    expect(more).toEqual([]);
    expect(only?.statement.predicate).toMatchObject({
      relation: 'subset',
      removed: { count: 1 },
      platform,
      source: { digest: { sha256: sourceDigest.slice('sha256:'.length) } },
      config: { relation: 'same' },
    });
  }
  expect(report.attestations?.statements.map(({ subject, isAttached }) => [subject, isAttached])).toEqual([
    [root, true],
    ...report.platforms.map(({ digest }) => [digest, true]),
    [root, true],
  ]);
});

test('a file gets a statement a line; with a key, a bundle a line that is also beside the image', async () => {
  const [plain, signed] = [scene.path('plain.jsonl'), scene.path('signed.jsonl')];
  const at = scene.at('files', 'files');
  const digest = digestIn(await scene.succeed('slim', scene.at('app'), at, `--provenance=${plain}`));
  expect(await attachedTo(at, digest)).toEqual([]);
  const lines = (await readFile(plain, 'utf8')).trimEnd().split('\n');
  expect(lines.map((line) => (JSON.parse(line) as Statement).predicateType)).toEqual([
    typeNames.equivalence,
    knownTypes.provenance,
  ]);
  await scene.succeed(
    'slim',
    scene.at('app'),
    at,
    `--provenance=${signed}`,
    '--provenance',
    '--sign-key',
    key,
  );
  const bundles = (await readFile(signed, 'utf8')).trimEnd().split('\n');
  expect(bundles.map((line) => statementIn(line).predicateType)).toEqual([
    typeNames.equivalence,
    knownTypes.provenance,
  ]);
  const texts = (await attachedTo(at, digest)).map(({ text }) => text);
  for (const line of bundles) expect(texts).toContain(line);
});

test('SOURCE_DATE_EPOCH makes statements the same each time', async () => {
  const texts: string[] = [];
  for (const name of ['one', 'two']) {
    const file = scene.path(`${name}.jsonl`);
    const args = ['slim', scene.at('app'), scene.at('same', name), '--label', 'a=b', `--provenance=${file}`];
    expect((await callCli(args, { SOURCE_DATE_EPOCH: '1700000000' })).status).toBe(0);
    texts.push(await readFile(file, 'utf8'));
  }
  expect(texts[0]).toBe(texts[1]);
  const provenance = statementIn(texts[0]?.split('\n')[1] ?? '') as Statement<Provenance>;
  expect(provenance.predicate.runDetails.metadata).toEqual({
    invocationId: expect.stringMatching(/^urn:uuid:[0-9a-f-]{36}$/) as string,
    startedOn: '2023-11-14T22:13:20Z',
    finishedOn: '2023-11-14T22:13:20Z',
  });
});

test('a copy that changes nothing can be signed, and states nothing', async () => {
  const at = scene.at('copy', 'copies');
  const file = scene.path('copy.jsonl');
  const args = ['copy', scene.at('app'), at, '--provenance', `--provenance=${file}`, '--sign-key', key];
  const { stderr, stdout } = await scene.run(...args);
  expect(stderr).toContain('nothing is stated of an image that is the same');
  expect(byType(await attachedTo(at, digestIn(stdout.trim())))).toEqual([knownTypes.signature]);
  expect(await readFile(file, 'utf8')).toBe('');
});

test('a dry run says what would be made, and writes nothing', async () => {
  const file = scene.path('dry.jsonl');
  const args = [
    'slim',
    scene.at('app'),
    scene.at('dry', 'dry'),
    '--provenance',
    `--provenance=${file}`,
    '--sign-key',
    key,
  ];
  const { stderr } = await scene.run(...args, '--dry-run');
  expect(stderr).toMatch(/would be signed \(EC P-256, key \S+\)/);
  expect(stderr).toContain('would state beside the image: provenance, equivalence');
  expect([existsSync(file), existsSync(scene.path('dry'))]).toEqual([false, false]);
});

test('the result of --verify-with is attested as any other, and a debug image is not', async () => {
  const at = scene.at('checked', 'checked');
  const args = [
    'prune',
    scene.at('app'),
    at,
    '--rule',
    'b',
    '--debug-tag',
    'debug',
    '--verify-with',
    'true',
    '--provenance',
  ];
  const digest = digestIn(await scene.succeed(...args));
  const attached = await attachedTo(at, digest);
  expect(byType(attached)).toEqual([typeNames.equivalence, knownTypes.provenance].toSorted());
  const [claim] = attached.filter(({ statement }) => statement.predicateType === typeNames.equivalence);
  expect(claim?.statement.predicate).toMatchObject({ relation: 'subset', removed: { count: 1 } });
  expect(
    await attachedTo(scene.at('debug', 'checked'), (await scene.read('debug', 'checked')).descriptor.digest),
  ).toEqual([]);
});

test('what restore puts back has provenance with the original, and no equivalence', async () => {
  const [slim, file] = [scene.at('slim', 'restored'), scene.path('restored.jsonl')];
  await scene.succeed('prune', scene.at('app'), slim, '--rule', 'b');
  await scene.succeed(
    'restore',
    slim,
    scene.at('whole', 'restored'),
    '--original',
    scene.at('app'),
    `--provenance=${file}`,
  );
  const [line = '', ...more] = (await readFile(file, 'utf8')).trimEnd().split('\n');
  expect(more).toEqual([]);
  const { predicate } = statementIn(line) as Statement<Provenance>;
  expect(predicate.buildDefinition.resolvedDependencies).toContainEqual({
    digest: { sha256: app.descriptor.digest.slice('sha256:'.length) },
    mediaType: app.descriptor.mediaType,
    annotations: { role: 'original' },
  });
});

test('an edited package database is in the equivalence, by its contents before and after', async () => {
  const stanza = (name: string) => `Package: ${name}\nStatus: install ok installed\nVersion: 1\n\n`;
  const files = {
    'var/lib/dpkg/status': stanza('a') + stanza('b'),
    'var/lib/dpkg/info/a.list': '/.\n/bin/a\n',
    'var/lib/dpkg/info/b.list': '/.\n/bin/b\n',
    'bin/a': 'a',
    'bin/b': 'b',
  };
  const debian = Object.entries(files).map(([name, body]) => ({ name, body: bytesOf(body) }));
  await scene.writeLayout({ debian: buildImage({ layers: [writeTar(debian)] }) }, 'debian');
  const [from, to] = [scene.at('debian', 'debian'), scene.at('synced', 'synced')];
  const [file, report] = [scene.path('edited.jsonl'), scene.path('edited.json')];
  const args = [
    '--rule',
    'bin/b',
    '--package-db',
    'sync',
    '--force',
    `--provenance=${file}`,
    '--report',
    report,
  ];
  await scene.succeed('prune', from, to, ...args);
  const [edit] = (JSON.parse(await readFile(report, 'utf8')) as Report).platforms[0]?.slimming?.edited ?? [];
  expect(edit?.path).toBe('var/lib/dpkg/status');
  const row = `${edit?.path}\0${edit?.before.digest}\0${edit?.after.digest}\0`;
  const { predicate } = statementIn((await readFile(file, 'utf8')).split('\n')[0] ?? '');
  expect(predicate).toMatchObject({
    relation: 'subset',
    edited: { count: 1, digest: { sha256: createHash('sha256').update(row).digest('hex') } },
  });
  await scene.succeed('verify', from, to, '--removed-by', report);
});

test('what append adds has provenance, and no equivalence', async () => {
  const [added, file] = [await scene.write('new', 'x'), scene.path('appended.jsonl')];
  const to = scene.at('appended', 'appended');
  await scene.succeed('append', scene.at('app'), to, '--layer', `${added}:/new`, `--provenance=${file}`);
  const lines = (await readFile(file, 'utf8')).trimEnd().split('\n');
  expect(lines.map((line) => statementIn(line).predicateType)).toEqual([knownTypes.provenance]);
  expect(lines[0]).not.toContain(scene.folder);
});

test('a rule that is called as what layers above hide is a rule: what it takes is announced', async () => {
  await scene.writeLayout({ app: buildImage({ layers: [layer('shadowed=1', 'b=2')] }) }, 'called');
  const [from, to, report] = [
    scene.at('app', 'called'),
    scene.at('out', 'called'),
    scene.path('called.json'),
  ];
  const file = scene.path('called.jsonl');
  await scene.succeed('prune', from, to, '--rule', 'shadowed', '--report', report, `--provenance=${file}`);
  expect(statementIn((await readFile(file, 'utf8')).split('\n')[0] ?? '').predicate).toMatchObject({
    relation: 'subset',
    removed: { count: 1 },
  });
  await scene.succeed('verify', from, to, '--removed-by', report);
});

test('a base and the builder are in the provenance', async () => {
  const base = buildImage({ layers: [layer('a=1', 'b=2')] });
  await scene.writeLayout({ base }, 'bases');
  const file = scene.path('base.jsonl');
  const args = [
    'squash',
    scene.at('app'),
    scene.at('x', 'squashed'),
    '--base',
    scene.at('base', 'bases'),
    `--provenance=${file}`,
  ];
  await scene.succeed(...args, '--builder-id', 'https://ci.example/pipelines/7', '--compression', 'zstd');
  const { predicate } = statementIn(
    (await readFile(file, 'utf8')).trimEnd().split('\n').at(-1) ?? '',
  ) as Statement<Provenance>;
  expect(predicate.buildDefinition.resolvedDependencies).toContainEqual({
    digest: { sha256: base.descriptor.digest.slice('sha256:'.length) },
    annotations: { role: 'base' },
  });
  expect(predicate.runDetails.builder.id).toBe('https://ci.example/pipelines/7');
});

describe('a key', () => {
  const pkcs8 = privateKey.export({ format: 'der', type: 'pkcs8' });

  test.each([
    ['OCISLIM_SIGN_KEY_PASSPHRASE', 'secret'],
    ['COSIGN_PASSWORD', 'secret'],
  ])('of cosign opens with $%s', async (variable, passphrase) => {
    const at = scene.at(variable.toLowerCase(), 'keys');
    const env = { KEY: sealLikeCosign(pkcs8, 'secret'), [variable]: passphrase };
    const { status, stdout, stderr } = await callCli(
      ['slim', scene.at('app'), at, '--sign-key', 'env://KEY'],
      env,
    );
    expect({ status, stderr }).toMatchObject({ status: 0 });
    expect(`${stdout}${stderr}`).not.toContain('secret');
    const [only] = await attachedTo(at, digestIn(stdout.trim()));
    expect((JSON.parse(only?.text ?? '') as Bundle).verificationMaterial.publicKey.hint).toMatch(
      /^[\w+/]{43}=$/,
    );
  });

  test.each([
    ['a missing file', ['--sign-key', '/nonexistent/key'], {}, /cannot read "\/nonexistent\/key"/],
    ['a missing variable', ['--sign-key', 'env://NO_SUCH'], {}, /the variable NO_SUCH is not set/],
    ['a key service', ['--sign-key', 'awskms://x'], {}, /a key is a file, or env:/],
    ['an empty name', ['--sign-key='], {}, /--sign-key is empty/],
    ['a wrong passphrase', ['--sign-key', 'env://KEY'], { COSIGN_PASSWORD: 'other' }, /does not open/],
    ['no passphrase', ['--sign-key', 'env://KEY'], {}, /is encrypted, and no passphrase was given/],
    ['a file for what is no word', ['--provenance=mode=max'], {}, /takes "attach" or a file, not "mode=max"/],
    ['an empty file name', ['--provenance='], {}, /--provenance is empty/],
    ['no URI', ['--builder-id', 'me'], {}, /takes a URI, not "me"/],
  ])('or a word is refused before anything is written: %s', async (_, args, more, message) => {
    const env = { KEY: sealLikeCosign(pkcs8, 'secret'), ...more };
    const { status, stdout, stderr } = await callCli(
      ['slim', scene.at('app'), scene.at('x', 'refused'), ...args],
      env,
    );
    expect(stderr).toMatch(message);
    expect({ status: status === 0, stdout, exists: existsSync(scene.path('refused')) }).toEqual({
      status: false,
      stdout: '',
      exists: false,
    });
    expect(stderr).not.toContain('BEGIN');
  });
});

test.each([['--provenance'], ['--sign-key', 'env://KEY']])(
  'a Docker archive takes nothing beside its image: %s',
  async (...args) => {
    const file = scene.path('x.tar');
    const { status, stderr } = await callCli(
      ['slim', scene.at('app'), `docker-archive:${file}:app:1`, ...args],
      {
        KEY: privateKey.export({ format: 'pem', type: 'pkcs8' }),
      },
    );
    expect({ status, exists: existsSync(file) }).toEqual({ status: 2, exists: false });
    expect(stderr).toContain('a docker-archive holds nothing about its image');
  },
);

test('a program gets the statements in the outcome', async () => {
  const { attestations } = await copy(scene.at('app'), scene.at('y', 'program'), {
    label: { a: 'b' },
    provenance: ['attach'],
  });
  expect(attestations.map(({ predicateType }) => predicateType)).toEqual([
    typeNames.equivalence,
    knownTypes.provenance,
  ]);
  expect(statementIn(attestations[0]?.text ?? '').predicate).toMatchObject({
    relation: 'same-rootfs',
    config: { relation: 'changed', changed: ['config.Labels.a'] },
  });
});
