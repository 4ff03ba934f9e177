import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { callCli } from '../support/cli.ts';
import { FakeRegistry } from '../support/registry/fake-registry.ts';
import { fill, noisyImage } from '../support/registry/image-run.ts';

const image = noisyImage();
const mediaType = image.descriptor.mediaType;
const { digest, size } = image.descriptor;
const cosign = digest.replace(':', '-');
let fake: FakeRegistry;

beforeEach(async () => {
  fake = await FakeRegistry.start({ referrers: true });
  fill(fake, 'app', image);
});
afterEach(() => fake.close());

/** Adds a signature as cosign writes it: under a tag made of the digest. */
function signByTag(): void {
  const config = fake
    .repository('app')
    .addBlob(Buffer.from('{}'), 'application/vnd.oci.image.config.v1+json');
  fake
    .repository('app')
    .addManifest(
      { schemaVersion: 2, mediaType, config: config.json, layers: [] },
      mediaType,
      `${cosign}.sig`,
    );
}

/** Adds an artifact that names its subject. */
function signBySubject(): void {
  const config = fake.repository('app').addBlob(Buffer.from('{}'), 'application/vnd.oci.empty.v1+json');
  const subject = { mediaType, digest, size };
  const artifactType = 'application/vnd.example.signature';
  fake
    .repository('app')
    .addManifest(
      { schemaVersion: 2, mediaType, artifactType, config: config.json, layers: [], subject },
      mediaType,
      'signature',
    );
}

describe.each([
  ['under a tag made of the digest', signByTag],
  ['that names its subject', signBySubject],
])('T20: a signature %s', (_, sign) => {
  test('is told of, stays behind, and with --strict nothing is published', async () => {
    sign();
    for (const to of ['dst:v1', 'app:new']) {
      const line = ['squash', `${fake.host}/app:v1`, `${fake.host}/${to}`, '--last', '2'];
      const strict = await callCli([...line, '--strict']);
      expect([strict.status, strict.stderr]).toEqual([
        1,
        expect.stringMatching(
          /signatures and attestations do not hold for the new digest.*made an error by --strict/,
        ),
      ]);
      const [repository = '', tag = ''] = to.split(':');
      const content = fake.repository(repository);
      expect(content.tags.has(tag)).toBe(false);
      const done = await callCli(line);
      expect([done.status, done.stderr]).toEqual([
        0,
        expect.stringMatching(/warning: 1 artifact refers to the source .*REFERRERS_LEFT/),
      ]);
      const made = content.tags.get(tag) ?? '';
      expect(made).not.toBe(digest);
      expect([...content.tags.keys()].filter((name) => name.startsWith(made.replace(':', '-')))).toEqual([]);
      for (const { bytes } of content.manifests.values())
        expect(bytes.toString()).not.toContain(`"subject":{"mediaType":"${mediaType}","digest":"${made}"`);
    }
  });

  test('holds for an image that is copied, but is not copied with it: only within its repository nothing is said', async () => {
    sign();
    const copy = (to: string) => callCli(['copy', `${fake.host}/app:v1`, `${fake.host}/${to}`, '--strict']);
    const away = await copy('dst:v1');
    expect([away.status, away.stderr]).toEqual([1, expect.stringContaining('they are not copied with it')]);
    const within = await copy('app:new');
    expect([within.status, within.stderr]).toEqual([0, expect.not.stringContaining('REFERRERS_LEFT')]);
  });
});

test('T20: a registry that answers a query for referrers with nonsense does not suppress the warning', async () => {
  const headers = { 'content-type': 'application/vnd.oci.image.index.v1+json' };
  const effect = { kind: 'answer', status: 200, headers, body: '{"manifests":[{}' } as const;
  fake.fault({ method: 'GET', path: /referrers/, times: 99, effect });
  const line = ['squash', `${fake.host}/app:v1`, `${fake.host}/dst:v1`, '--last', '2', '--retry-times', '0'];
  expect((await callCli([...line, '--strict'])).status).toBe(1);
  const { status, stderr } = await callCli(line);
  expect([status, stderr]).toEqual([
    0,
    expect.stringMatching(/it is unknown whether signatures .*REFERRERS_LEFT/),
  ]);
});
