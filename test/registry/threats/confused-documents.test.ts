import { describe, expect, test } from 'vitest';
import type { Digest } from '../../../src/oci/digest.ts';
import { parseJsonObject } from '../../../src/oci/json.ts';
import { mediaTypes } from '../../../src/oci/media-type.ts';
import { sha256 } from '../../support/registry/content.ts';
import { FakeRegistry } from '../../support/registry/fake-registry.ts';
import { fill, noisyImage, runImage } from '../../support/registry/image-run.ts';
import { startRegistry } from '../../support/registry/opened.ts';

const image = noisyImage();
const good = Buffer.from(image.manifest).toString();
const goodConfig = Buffer.from(image.config).toString();
const [first] = image.layers;
const child = JSON.stringify({
  mediaType: mediaTypes.ociManifest,
  digest: image.descriptor.digest,
  size: good.length,
});

/** Runs a copy, then a squash, of an image whose manifest (and config) is that text. */
async function attempt(
  text: string | Uint8Array,
  type: string = mediaTypes.ociManifest,
  config: string | null = null,
): Promise<{ readonly errors: readonly unknown[]; readonly fake: FakeRegistry }> {
  const fake = await startRegistry({ strictAccept: false });
  fill(fake, 'app', image);
  const content = fake.repository('app');
  if (config !== null) content.blobs.set(sha256(Buffer.from(config)), Buffer.from(config));
  const bytes = Buffer.from(text);
  content.manifests.set(sha256(bytes), { mediaType: type, bytes });
  content.tags.set('v1', sha256(bytes));
  const errors: unknown[] = [];
  for (const name of ['copy', 'squash'] as const)
    errors.push((await runImage(`${fake.host}/app:v1`, `${fake.host}/${name}:v1`, name)).error);
  return { errors, fake };
}

async function expectRefused(sentence: RegExp, ...given: Parameters<typeof attempt>): Promise<void> {
  const { errors, fake } = await attempt(...given);
  for (const error of errors) {
    expect(error).toMatchObject({ name: 'OcislimError', message: expect.stringMatching(sentence) as string });
    expect((error as { code: string }).code).not.toBe('INTERNAL');
  }
  for (const name of ['copy', 'squash']) {
    expect(fake.repository(name).tags.size).toBe(0);
    expect(fake.repository(name).manifests.size).toBe(0);
  }
}

/** The manifest with something between its first brace and the rest. */
const withMember = (member: string): string => good.replace('{', `{${member},`);
const withConfig = (config: string): string =>
  good.replace(
    /"digest":"sha256:[0-9a-f]+","size":\d+/,
    `"digest":"${sha256(Buffer.from(config))}","size":${Buffer.byteLength(config)}`,
  );

test('these documents are refused for what was done to them, not for what they were', async () => {
  const { errors } = await attempt(good);
  expect(errors).toEqual([null, null]);
});

describe('N9: a document that could be two things is refused', () => {
  // CVE-2021-41190
  test.each<readonly [string, string, string, RegExp]>([
    [
      'layers and manifests',
      withMember(`"manifests":[${child}]`),
      mediaTypes.ociManifest,
      /has the key "manifests"/,
    ],
    [
      'an index with layers',
      `{"schemaVersion":2,"manifests":[${child}],"layers":[]}`,
      mediaTypes.ociIndex,
      /key "layers"/,
    ],
    [
      'an index with a config',
      `{"schemaVersion":2,"manifests":[${child}],"config":{}}`,
      mediaTypes.ociIndex,
      /key "config"/,
    ],
    ['fsLayers', withMember('"fsLayers":[]'), mediaTypes.ociManifest, /has the key "fsLayers"/],
    ['another mediaType inside', good, mediaTypes.dockerManifest, /calls itself/],
    ['an index outside', good, mediaTypes.ociIndex, /calls itself/],
    [
      'a number as mediaType',
      good.replace(/"mediaType":"[^"]*"/, '"mediaType":7'),
      mediaTypes.ociManifest,
      /calls itself/,
    ],
    [
      'Docker schema 1',
      '{"schemaVersion":1,"fsLayers":[]}',
      mediaTypes.dockerSchema1Signed,
      /schema 1 manifest/,
    ],
    [
      'another schemaVersion',
      good.replace('"schemaVersion":2', '"schemaVersion":3'),
      mediaTypes.ociManifest,
      /schemaVersion 3/,
    ],
    ['a web page', '<html></html>', 'text/html', /answered with a web page/],
    [
      'a type that is none',
      good,
      'application/vnd.evil+json',
      /calls itself|is not an image but an artifact/,
    ],
  ])('by itself: %s', async (_, text, type, sentence) => {
    await expectRefused(sentence, text, type);
  });

  test('a parameter of the Content-Type does not matter', async () => {
    const { errors } = await attempt(good, `${mediaTypes.ociManifest}; charset=utf-8`);
    expect(errors[1]).toBeNull();
  });

  test('a child that is not the kind of document that its index says is refused', async () => {
    const docker = child.replace(mediaTypes.ociManifest, mediaTypes.dockerManifest);
    const index = `{"schemaVersion":2,"manifests":[${docker}]}`;
    await expectRefused(/is announced as|calls itself/, index, mediaTypes.ociIndex);
  });
});

describe('N11: JSON that programs read in different ways is refused', () => {
  const layers = good.slice(good.indexOf('"layers"'), good.lastIndexOf(']') + 1);
  test.each<readonly [string, string | Uint8Array, RegExp]>([
    ['layers twice', withMember(layers), /the key "layers" twice/],
    [
      'layers twice, once escaped',
      withMember(layers.replace('layers', 'l\\u0061yers')),
      /the key "layers" twice/,
    ],
    [
      'layers twice, far from its colon',
      withMember(layers.replace(':', `${' '.repeat(5000)}:`)),
      /"layers" twice/,
    ],
    ['a digest twice', good.replace('"digest":', '"digest":"sha256:x","digest":'), /the key "digest" twice/],
    ['an annotation twice', withMember('"annotations":{"a":"1","a":"2"}'), /the key "a" twice/],
    [
      'a key in capitals',
      good.replace('"layers"', '"Layers"'),
      /"Layers", which some programs take for "layers"/,
    ],
    ['a second key in capitals', withMember('"Layers":[]'), /"Layers", which some programs/],
    [
      'a digest in capitals',
      good.replace('"digest":', '"Digest":"sha256:x","digest":'),
      /"Digest", which some/,
    ],
    ['an index in capitals', withMember('"MANIFESTS":[]'), /"MANIFESTS", which some/],
    ['a mark of byte order', `\ufeff${good}`, /is not JSON/],
    ['bytes after the end', `${good}{}`, /is not JSON/],
    ['a NUL after the end', `${good}\0`, /is not JSON/],
    [
      'bytes that are not UTF-8',
      Buffer.concat([Buffer.from(withMember('"x":"')), Buffer.from([0xff])]),
      /is not JSON/,
    ],
    ['a list', `[${good}]`, /is not a JSON object/],
    ['nothing', '', /is not JSON/],
    ['null', 'null', /is not a JSON object/],
    [
      'ten thousand lists',
      withMember(`"x":${'['.repeat(10_000)}${']'.repeat(10_000)}`),
      /more than 100 objects/,
    ],
    [
      'ten thousand objects',
      withMember(`"x":${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`),
      /more than 100 objects/,
    ],
  ])('in a manifest: %s', async (_, text, sentence) => {
    await expectRefused(sentence, text);
  });

  test.each(['9007199254740993', '-1', '1.5', '1e400', '"5"', 'null', 'true', '[5]'])(
    'in a size of %s',
    async (size) => {
      await expectRefused(/has no valid size/, good.replace(/"size":\d+/g, `"size":${size}`));
    },
  );

  test.each<readonly [string, string, RegExp]>([
    ['diff_ids twice', goodConfig.replace('"diff_ids"', '"diff_ids":[],"diff_ids"'), /"diff_ids" twice/],
    [
      'a thousand lists',
      goodConfig.replace('{', `{"x":${'['.repeat(1000)}${']'.repeat(1000)},`),
      /more than 100/,
    ],
    ['no UTF-16', goodConfig.slice(0, -1), /is not JSON/],
  ])('in a config: %s', async (_, config, sentence) => {
    await expectRefused(sentence, withConfig(config), mediaTypes.ociManifest, config);
  });

  test('names of JavaScript and numbers without end are data: they come out as they went in, and change nothing', async () => {
    const numbers = '"x-numbers":[18446744073709551615,1e999,-0,0.1000000000000000055511151231257827]';
    const odd = `"__proto__":{"polluted":"yes"},"constructor":"c","toString":"t",${numbers}`;
    const config = goodConfig
      .replace('"Labels":{', '"Labels":{"__proto__":"label","lone":"\\ud800",')
      .replace('{', `{${numbers},"x-more":{"\\"":[9007199254740993]},`);
    const text = withConfig(config).replace(
      '{',
      `{"annotations":{"__proto__":"x","hasOwnProperty":"y"},${odd},`,
    );
    const { errors, fake } = await attempt(text, mediaTypes.ociManifest, config);
    expect(errors).toEqual([null, null]);
    expect(fake.repository('copy').find('v1')?.manifest.bytes.toString()).toBe(text);
    const squashed = fake.repository('squash').find('v1')?.manifest.bytes.toString() ?? '';
    expect(squashed).toContain('"__proto__":"x"');
    expect(squashed).toContain('"hasOwnProperty":"y"');
    expect(squashed).toContain(odd);
    const { config: described } = JSON.parse(squashed) as { config: { digest: Digest } };
    const packed = fake.repository('squash').blobs.get(described.digest)?.toString() ?? '';
    expect(packed).toContain('"__proto__":"label"');
    expect(packed).toContain('"lone":"\\ud800"');
    expect(packed).toContain(numbers);
    expect(packed).toContain('"x-more":{"\\"":[9007199254740993]}');
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });

  test('strings may hold what looks like structure', () => {
    const value = {
      a: '{"a":1,"a":2}',
      b: '\\"',
      c: { a: '[[[', b: '\\\\' },
      d: [{ a: 1 }, { a: 2 }],
      '"': ':',
    };
    expect(parseJsonObject(Buffer.from(JSON.stringify(value)), 'it')).toEqual(value);
    expect(first?.digest).toBeDefined();
  });
});
