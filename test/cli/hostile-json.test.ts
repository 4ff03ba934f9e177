import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { callCli, type CliResult } from '../support/cli.ts';
import { buildImage, digestOf, writeLayout } from '../support/image-builder.ts';
import { writeTar } from '../support/model/tar-bytes.ts';
import { runs } from '../support/extent.ts';
import { FakeRegistry } from '../support/registry/fake-registry.ts';
import { fill } from '../support/registry/image-run.ts';
import { tokenAuth } from '../support/registry/tokens.ts';

const image = buildImage({
  layers: [
    writeTar([{ type: 'file', name: 'a', body: new Uint8Array(10) }]),
    writeTar([{ type: 'file', name: 'b', body: new Uint8Array(10) }]),
  ],
  annotations: { note: 'x' },
});
const accounts = { username: 'bob', password: 'pass' };

let folder = '';
let open: FakeRegistry;
let closed: FakeRegistry;
let tokens: FakeRegistry;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ocislim-json-'));
  open = await FakeRegistry.start({ referrers: true });
  closed = await FakeRegistry.start({ auth: { kind: 'basic', ...accounts } });
  tokens = await FakeRegistry.start({ auth: tokenAuth(accounts) });
  for (const each of [open, closed, tokens]) fill(each, 'app', image);
});
afterAll(async () => {
  for (const each of [open, closed, tokens]) await each.close();
  rmSync(folder, { recursive: true });
});

let count = 0;
const place = (name: string): string => join(folder, `${(count += 1)}-${name}`);
function file(name: string, content: Uint8Array): string {
  const path = place(name);
  writeFileSync(path, content);
  return path;
}
const dry = ['--dry-run', '--retry-times', '0', '--jobs', '1'];
const answer = (
  fake: FakeRegistry,
  path: RegExp,
  status: number,
  type: string,
  body: Uint8Array,
  server = 'registry',
): void =>
  fake.fault({
    method: 'GET',
    path,
    server: server as 'registry',
    times: 1,
    effect: { kind: 'answer', status, headers: { 'content-type': type }, body },
  });

/** A way in for a document: a good one, and a run that reads it. */
interface Entrance {
  readonly good: unknown;
  readonly read: (bytes: Uint8Array) => Promise<CliResult>;
  /** The exit status for the good document. Default: 0. */
  readonly status?: number;
}

async function layoutWith(name: string, bytes: Uint8Array): Promise<string> {
  const path = place('layout');
  await writeLayout(path, { v1: image });
  writeFileSync(join(path, name), bytes);
  return path;
}

const manifest = JSON.parse(Buffer.from(image.manifest).toString()) as Record<string, unknown> & {
  config: { digest: string; size: number };
};
const docker = [{ Config: 'config.json', RepoTags: ['app:v1'], Layers: ['1/layer.tar', '2/layer.tar'] }];
const row = {
  mediaType: image.descriptor.mediaType,
  digest: image.descriptor.digest,
  size: image.descriptor.size,
};
const auths = { [`x.example`]: { auth: Buffer.from('bob:pass').toString('base64') } };

const entrances: Readonly<Record<string, Entrance>> = {
  'the manifest of a registry': {
    good: manifest,
    read(bytes) {
      const content = open.repository('app');
      content.manifests.set(digestOf(bytes) as never, {
        mediaType: image.descriptor.mediaType,
        bytes: Buffer.from(bytes),
      });
      content.tags.set('odd', digestOf(bytes) as never);
      return callCli(['squash', `${open.host}/app:odd`, '--all', ...dry]);
    },
  },
  'a config': {
    good: JSON.parse(Buffer.from(image.config).toString()),
    read(bytes) {
      const content = open.repository('app');
      content.blobs.set(digestOf(bytes) as never, Buffer.from(bytes));
      const config = { ...manifest.config, digest: digestOf(bytes), size: bytes.length };
      content.addManifest({ ...manifest, config }, image.descriptor.mediaType, 'odd');
      return callCli(['squash', `${open.host}/app:odd`, '--all', '--label', 'a=b', ...dry]);
    },
  },
  'an index': {
    good: {
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.index.v1+json',
      manifests: [{ ...row, platform: { os: 'linux', architecture: 'amd64' } }],
    },
    read(bytes) {
      const content = open.repository('app');
      const mediaType = 'application/vnd.oci.image.index.v1+json';
      content.manifests.set(digestOf(bytes) as never, { mediaType, bytes: Buffer.from(bytes) });
      content.tags.set('odd', digestOf(bytes) as never);
      return callCli(['recompress', `${open.host}/app:odd`, '--compression', 'none', ...dry]);
    },
  },
  'index.json of a layout': {
    good: {
      schemaVersion: 2,
      manifests: [{ ...row, annotations: { 'org.opencontainers.image.ref.name': 'v1' } }],
    },
    read: async (bytes) => callCli(['copy', `oci:${await layoutWith('index.json', bytes)}:v1`, ...dry]),
  },
  'oci-layout': {
    good: { imageLayoutVersion: '1.0.0' },
    read: async (bytes) => callCli(['copy', `oci:${await layoutWith('oci-layout', bytes)}:v1`, ...dry]),
  },
  'manifest.json of a Docker archive': {
    good: docker,
    read: (bytes) => {
      const [one, two] = image.layers.map(({ digest }) => image.blobs.get(digest) as Uint8Array);
      const tar = writeTar([
        { type: 'file', name: 'config.json', body: image.config },
        { type: 'file', name: '1/layer.tar', body: one as Uint8Array },
        { type: 'file', name: '2/layer.tar', body: two as Uint8Array },
        { type: 'file', name: 'manifest.json', body: bytes },
      ]);
      return callCli(['copy', `docker-archive:${file('archive.tar', tar)}`, ...dry]);
    },
  },
  'a plan': {
    good: {
      version: 1,
      squash: { last: 2 },
      prune: { rules: ['a'], keep: ['b'] },
      recompress: [{ compression: 'gzip', level: 6 }],
    },
    read: (bytes) => callCli(['slim', `${open.host}/app:v1`, '-f', file('plan.yaml', bytes), ...dry]),
  },
  'an auth file': {
    good: { auths, credHelpers: {}, credsStore: '' },
    read: (bytes) =>
      callCli(['copy', `${closed.host}/app:v1`, '--authfile', file('auth.json', bytes), ...dry]),
    status: 1,
  },
  $DOCKER_AUTH_CONFIG: {
    good: { auths },
    read: (bytes) =>
      callCli(['copy', `${closed.host}/app:v1`, ...dry], {
        DOCKER_AUTH_CONFIG: Buffer.from(bytes).toString(),
      }),
    status: 1,
  },
  'the answer of a token server': {
    good: { token: 'x', access_token: 'x', expires_in: 60, issued_at: '2026-01-01T00:00:00Z' },
    read: (bytes) => {
      answer(tokens, /token/, 200, 'application/json', bytes, 'tokens');
      return callCli(['copy', `${tokens.host}/app:v1`, ...dry]);
    },
    status: 1,
  },
  'a list of referrers': {
    good: {
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.index.v1+json',
      manifests: [{ ...row, artifactType: 'x/y' }],
    },
    read: (bytes) => {
      answer(open, /referrers/, 200, 'application/vnd.oci.image.index.v1+json', bytes);
      return callCli(['squash', `${open.host}/app:v1`, '--all', ...dry]);
    },
  },
  'the body of an error': {
    good: { errors: [{ code: 'DENIED', message: 'no', detail: null }] },
    read: (bytes) => {
      answer(open, /manifests/, 403, 'application/json', bytes);
      return callCli(['copy', `${open.host}/app:v1`, ...dry]);
    },
    status: 1,
  },
  'a report for verify': {
    good: {
      reportVersion: 1,
      platforms: [
        {
          slimming: {
            removed: [{ path: 'a', type: 'file', rule: 'a' }],
            linked: { links: [{ path: 'a', to: 'b' }] },
            cleared: [{ path: 'a', oldMode: '4755', newMode: '755' }],
          },
        },
      ],
    },
    read: (bytes) =>
      callCli([
        'verify',
        `${open.host}/app:v1`,
        `${open.host}/app:v1`,
        '--removed-by',
        file('r.json', bytes),
      ]),
  },
  'a trace': {
    good: { path: '/a', uses: ['open'] },
    read: (bytes) => callCli(['trace', 'show', file('a.trace', bytes)]),
  },
};

function expectSound({ status, stderr }: CliResult, what: string): void {
  expect([0, 1, 2, 3], `${what}: ${stderr}`).toContain(status);
  expect(stderr, what).not.toMatch(/a bug in ocislim|INTERNAL|RangeError|TypeError|SyntaxError/);
  if (status !== 0 && status !== 3) expect(stderr, what).toMatch(/\[[A-Z_]+\]$/m);
  expect(({} as Record<string, unknown>)['polluted'], what).toBeUndefined();
}

const nest = (opening: string, closing: string, n: number): string => opening.repeat(n) + closing.repeat(n);
const odd: readonly (readonly [string, string | Uint8Array])[] = [
  ['nothing', ''],
  ['null', 'null'],
  ['true', 'true'],
  ['a number', '1e999'],
  ['a text', '"x"'],
  ['an empty list', '[]'],
  ['an empty object', '{}'],
  ['a list of nulls', '[null,null]'],
  ['ten thousand lists', nest('[', ']', 10_000)],
  ['ten thousand lists, open', '['.repeat(10_000)],
  ['ten thousand objects', `${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`],
  ['an object in ten thousand lists', `[{"a":${nest('[', ']', 10_000)}}]`],
  ['a mark of byte order', '\ufeff{}'],
  ['no UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d])],
  ['UTF-16', Buffer.from('\ufeff{"a":1}', 'utf16le')],
  ['NULs', Buffer.alloc(100)],
  ['a page', '<!DOCTYPE html><html></html>'],
  ['__proto__', '{"__proto__":{"polluted":"yes"},"constructor":{"prototype":{"polluted":"yes"}}}'],
  [
    'a list of __proto__',
    '[{"__proto__":{"polluted":"yes"},"constructor":{"prototype":{"polluted":"yes"}}}]',
  ],
];

/** Generates the same document with something odd somewhere in it. */
function spoilt(good: unknown): fc.Arbitrary<string> {
  const paths: (readonly (string | number)[])[] = [];
  const walk = (value: unknown, path: readonly (string | number)[]): void => {
    paths.push(path);
    if (typeof value === 'object' && value !== null)
      for (const [key, member] of Object.entries(value))
        walk(member, [...path, Array.isArray(value) ? Number(key) : key]);
  };
  walk(good, []);
  const raw = fc.constantFrom(
    'null',
    'true',
    '0',
    '-1',
    '-0',
    '1e999',
    '9007199254740993',
    '1.5',
    '""',
    '"x"',
    '"\\ud800"',
    '"\\u0000"',
    '[]',
    '{}',
    '[null]',
    '[[]]',
    '[{}]',
    '{"a":null}',
    '{"__proto__":{"polluted":"yes"}}',
    nest('[', ']', 99),
    `"${'x'.repeat(5000)}"`,
    '"../../../etc/passwd"',
    '"sha256:x"',
    '"\\u001b[2J\\r\\n::error::x"',
  );
  const mark = '@@here@@';
  const at = (value: unknown, path: readonly (string | number)[]): unknown => {
    const [first, ...rest] = path;
    if (first === undefined) return mark;
    if (Array.isArray(value)) return value.map((each: unknown, i) => (i === first ? at(each, rest) : each));
    const object = value as Record<string, unknown>;
    return Object.fromEntries(
      Object.entries(object).map(([key, each]) => [key, key === first ? at(each, rest) : each]),
    );
  };
  return fc
    .tuple(fc.constantFrom(...paths), raw)
    .map(([path, text]) => JSON.stringify(at(good, path)).replace(`"${mark}"`, () => text));
}

describe.each(Object.entries(entrances))('N11: in place of %s,', (_, { good, read, status = 0 }) => {
  test('the right document is accepted', async () => {
    const result = await read(Buffer.from(JSON.stringify(good)));
    expect(result.status, result.stderr).toBe(status);
    expectSound(result, 'good');
  });

  test.each(odd)('a document that is %s fails soundly', async (what, content) => {
    expectSound(await read(Buffer.from(content)), what);
  });

  test('a document with something odd in it fails soundly', async () => {
    await fc.assert(
      fc.asyncProperty(spoilt(good), async (text) => {
        expectSound(await read(Buffer.from(text)), text.slice(0, 500));
      }),
      { numRuns: runs(15, 60) },
    );
  });
});

test('N11: what is written in the folder of a cache by somebody else fails no run, and decides nothing', async () => {
  const cache = place('cache');
  const line = (tag: string): string[] => [
    'squash',
    `${open.host}/app:v1`,
    `${open.host}/out:${tag}`,
    '--all',
    '--cache-dir',
    cache,
    '--jobs',
    '1',
  ];
  const first = await callCli(line('first'));
  expect(first.status, first.stderr).toBe(0);
  for (const [i, [what, content]] of odd.entries()) {
    for (const below of ['recipes', 'blobs'])
      for (const name of readdirSync(join(cache, below), { recursive: true, withFileTypes: true }))
        if (name.isFile()) writeFileSync(join(name.parentPath, name.name), content);
    const again = await callCli(line(`again-${i}`));
    expectSound(again, what);
    expect(again.stdout.split('@')[1]).toBe(first.stdout.split('@')[1]);
  }
});

test('N11: a document that only a registry sees is not judged by its content type alone', async () => {
  // The type decides which of two documents under one digest is read, so the type is checked, too.
  const both = Buffer.from(JSON.stringify({ ...manifest, manifests: [row] }));
  const content = open.repository('app');
  for (const mediaType of [image.descriptor.mediaType, 'application/vnd.oci.image.index.v1+json']) {
    content.manifests.set(digestOf(both) as never, { mediaType, bytes: both });
    content.tags.set('both', digestOf(both) as never);
    const result = await callCli(['copy', `${open.host}/app:both`, ...dry]);
    expect(result.stderr).toMatch(/it could be read in two ways|calls itself/);
    expect(result.status).toBe(1);
  }
});

test('options that set names of JavaScript set them', async () => {
  const out = place('out');
  mkdirSync(out);
  const result = await callCli([
    'copy',
    `${open.host}/app:v1`,
    `oci:${join(out, 'layout')}:v1`,
    '--annotation',
    '__proto__=a',
    '--annotation',
    'constructor=b',
    '--label',
    '__proto__=c',
  ]);
  expect(result.status, result.stderr).toBe(0);
  const texts = readdirSync(join(out, 'layout/blobs/sha256')).map((name) =>
    readFileSync(join(out, 'layout/blobs/sha256', name), 'utf8'),
  );
  expect(
    texts.filter((text) => text.includes('"__proto__":"a"') && text.includes('"constructor":"b"')),
  ).toHaveLength(1);
  expect(texts.filter((text) => text.includes('"__proto__":"c"'))).toHaveLength(1);
});

test('N11: a config whose key is written in escapes is the config, whatever was read before', async () => {
  const text = Buffer.from(image.manifest).toString().replace('"config"', '"c\\u006f\\u006efig"');
  const content = open.repository('app');
  const bytes = Buffer.from(text);
  content.manifests.set(digestOf(bytes) as never, { mediaType: image.descriptor.mediaType, bytes });
  content.tags.set('escaped', digestOf(bytes) as never);
  // V8 would take it for this key, which has the same length as far as it looks.
  JSON.parse(text.replace('c\\u006f\\u006efig', 'c\\\\u006'));
  const iid = place('iid');
  const result = await callCli([
    'copy',
    `${open.host}/app:escaped`,
    `${open.host}/out:escaped`,
    '--iidfile',
    iid,
  ]);
  expect(result.status, result.stderr).toBe(0);
  expect(readFileSync(iid, 'utf8')).toBe(manifest.config.digest);
});
