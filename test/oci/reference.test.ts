import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { OcislimError } from '../../src/errors.ts';
import type { Digest } from '../../src/oci/digest.ts';
import {
  digestOfReference,
  formatReference,
  formOf,
  hostOf,
  isRegistry,
  isUntagged,
  parseReference,
  withDigest,
  withoutPassword,
} from '../../src/oci/reference.ts';

const sha256 = `sha256:${'0a'.repeat(32)}` as Digest;
const sha512 = `sha512:${'0b'.repeat(64)}`;

function refusal(text: string): string {
  try {
    parseReference(text);
  } catch (error) {
    if (error instanceof OcislimError && error.code === 'REFERENCE_INVALID') return error.message;
    throw error;
  }
  return 'none';
}

describe('images in registries', () => {
  test.each([
    ['app', 'docker.io', 'library/app', null, null],
    ['team/app:1.0', 'docker.io', 'team/app', '1.0', null],
    ['index.docker.io/app', 'docker.io', 'library/app', null, null],
    ['docker://app:1', 'docker.io', 'library/app', '1', null],
    ['localhost/app', 'localhost', 'app', null, null],
    ['localhost:5000/a/b/c:tag', 'localhost:5000', 'a/b/c', 'tag', null],
    ['registry.example/app', 'registry.example', 'app', null, null],
    ['registry:5000/app', 'registry:5000', 'app', null, null],
    ['[::1]:5000/app:1', '[::1]:5000', 'app', '1', null],
    [`registry.example/app@${sha256}`, 'registry.example', 'app', null, sha256],
    [`registry.example/app:1@${sha512}`, 'registry.example', 'app', '1', sha512],
    // A name without a dot or port before the slash is not a host.
    ['registry/app', 'docker.io', 'registry/app', null, null],
    ['a__b/c--d.e_f', 'docker.io', 'a__b/c--d.e_f', null, null],
  ])('are named by %s', (text, host, repository, tag, digest) => {
    expect(parseReference(text)).toEqual({
      kind: 'registry',
      host,
      repository,
      tag,
      digest,
      untagged: false,
    });
  });

  test('are named without a tag, as destinations, by a final "@"', () => {
    const reference = parseReference('localhost:5000/app@');
    expect(reference).toMatchObject({ repository: 'app', tag: null, digest: null, untagged: true });
    expect(isUntagged(reference)).toBe(true);
    expect(formatReference(reference)).toBe('localhost:5000/app@');
    expect(formatReference(withDigest(reference, sha256))).toBe(`localhost:5000/app@${sha256}`);
    expect(isUntagged(formOf(reference).withName(reference, null))).toBe(false);
  });

  test.each([
    ['registry.example/App', 'repository names are lower case'],
    ['registry.example/a//b', 'is not a repository name'],
    ['registry.example/-a', 'is not a repository name'],
    [`registry.example/${'a'.repeat(256)}`, 'is not a repository name'],
    ['registry.example/app:', 'is not a tag'],
    ['registry.example/app:-x', 'is not a tag'],
    ['registry.example/app:1@', 'the "@" of a destination without a tag'],
    ['@', 'is not a repository name'],
    [`registry.example/app:${'t'.repeat(129)}`, 'is not a tag'],
    ['registry.example/app@sha256:abc', 'what follows "@" is not a sha256 or sha512 digest'],
    [`registry.example/app@${sha256}@${sha256}`, 'what follows "@"'],
    ['registry_.example/app', 'is not a host name'],
    ['registry.example:port/app', 'is not a host name'],
    ['registry.example:65536/app', 'is not a host name'],
    ['[1]:0/app', 'is not a host name'],
    ['[::1::]/app', 'is not a host name'],
    ['256.256.256.256/app', 'is not a host name'],
    ['', 'is not a repository name'],
    ['https://registry.example/app', 'the form "https:" is not known here'],
    ['dir:app', 'the form "dir:" is not known here'],
    ['docker-daemon:app:1', 'ocislim works without a daemon'],
    ['containers-storage:app', "does not read podman's local storage"],
  ])('are not named by %s', (text, why) => {
    expect(refusal(text)).toContain(why);
  });

  test('have tags of up to 128 and repositories of up to 255 characters', () => {
    expect(refusal(`registry.example/app:${'t'.repeat(128)}`)).toBe('none');
    expect(refusal(`registry.example/${'a'.repeat(255)}`)).toBe('none');
    expect(refusal('a'.repeat(248))).not.toBe('none');
  });
});

describe('layouts and archives', () => {
  test.each([
    ['oci:dir', { kind: 'layout', path: 'dir', tag: null, digest: null }],
    ['oci:/a/b:1.0', { kind: 'layout', path: '/a/b', tag: '1.0', digest: null }],
    ['oci:/a:b/c', { kind: 'layout', path: '/a:b/c', tag: null, digest: null }],
    ['oci:/a:b/c:tag', { kind: 'layout', path: '/a:b/c', tag: 'tag', digest: null }],
    [`oci:dir:tag@${sha256}`, { kind: 'layout', path: 'dir', tag: 'tag', digest: sha256 }],
    [`oci:dir@${sha256}`, { kind: 'layout', path: 'dir', tag: null, digest: sha256 }],
    ['oci-archive:app.tar', { kind: 'oci-archive', path: 'app.tar', tag: null, digest: null }],
    ['oci-archive:app.tar:1', { kind: 'oci-archive', path: 'app.tar', tag: '1', digest: null }],
    [`oci-archive:app.tar@${sha256}`, { kind: 'oci-archive', path: 'app.tar', tag: null, digest: sha256 }],
    ['docker-archive:app.tar', { kind: 'docker-archive', path: 'app.tar', name: null }],
    ['docker-archive:app.tar:app', { kind: 'docker-archive', path: 'app.tar', name: 'app:latest' }],
    [
      'docker-archive:app.tar:localhost:5000/app',
      { kind: 'docker-archive', path: 'app.tar', name: 'localhost:5000/app:latest' },
    ],
    [
      'docker-archive:app.tar:localhost:5000/app:2',
      { kind: 'docker-archive', path: 'app.tar', name: 'localhost:5000/app:2' },
    ],
  ] as const)('are named by %s', (text, reference) => {
    expect(parseReference(text)).toEqual(reference);
  });

  test.each([
    ['oci:', 'the path is missing'],
    ['oci::tag', 'the path is missing'],
    ['oci:dir@digest', 'what follows "@" is not a digest'],
    ['oci:dir:a b', 'is not a tag'],
    ['oci-archive:', 'the path is missing'],
    ['oci-archive:app.tar@1', 'what follows "@" is not a digest'],
    ['docker-archive:', 'the path is missing'],
    [`docker-archive:app.tar:app@${sha256}`, 'by tag, not by digest'],
  ])('are not named by %s', (text, why) => {
    expect(refusal(text)).toContain(why);
  });
});

test('a formatted reference reads as the same reference', () => {
  const word = fc.stringMatching(/^[a-z0-9]{1,8}$/);
  const tag = fc.option(fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,8}$/));
  const layoutTag = fc.option(word);
  const suffix = (text: string | null) => (text === null ? '' : `:${text}`);
  const digest = fc.constantFrom('', `@${sha256}`, `@${sha512}`);
  const texts = fc.oneof(
    fc
      .tuple(
        fc.constantFrom('', 'localhost/', 'r.example:5000/'),
        fc.array(word, { minLength: 1 }),
        tag,
        digest,
      )
      .map(([host, path, name, at]) => `${host}${path.join('/')}${suffix(name)}${at}`),
    fc
      .tuple(fc.constantFrom('oci', 'oci-archive'), word, layoutTag, digest)
      .map(([kind, path, name, at]) => `${kind}:/${path}${suffix(name)}${at}`),
    fc.tuple(word, layoutTag).map(([path, name]) => `docker-archive:${path}${suffix(name)}`),
  );
  fc.assert(
    fc.property(texts, (text) => {
      const reference = parseReference(text);
      expect(parseReference(formatReference(reference))).toEqual(reference);
    }),
  );
});

describe('the form of a reference', () => {
  const forms = {
    'localhost:5000/app:1': { host: 'localhost:5000', name: '1', other: 'localhost:5000/app:2' },
    'oci:dir:1': { host: null, name: '1', other: 'oci:dir:2' },
    'oci-archive:file.tar:1': { host: null, name: '1', other: 'oci-archive:file.tar:2' },
    'docker-archive:file.tar:app:1': { host: null, name: 'app:1', other: 'docker-archive:file.tar:2' },
  };

  test.each(Object.entries(forms))('tells the parts of %s', (text, { host, name, other }) => {
    const reference = parseReference(text);
    const form = formOf(reference);
    expect(hostOf(reference)).toBe(host);
    expect(isRegistry(reference)).toBe(host !== null);
    expect(form.isLocal).toBe(host === null);
    expect(form.nameOf(reference)).toBe(name);
    expect(formatReference(form.withName(reference, '2'))).toBe(other);
    expect(form.nameOf(form.withName(reference, null))).toBeNull();
    expect(form.readings(reference)).toEqual([reference]);
  });

  test('adds a digest where the form has digests, and a name removes it', () => {
    for (const text of ['localhost:5000/app:1', 'oci:dir:1', 'oci-archive:file.tar:1']) {
      const reference = withDigest(parseReference(text), sha256);
      expect(formatReference(reference)).toBe(`${text}@${sha256}`);
      expect(digestOfReference(reference)).toBe(sha256);
      expect(digestOfReference(formOf(reference).withName(reference, 'x'))).toBeNull();
    }
    const saved = parseReference('docker-archive:file.tar:app:1');
    expect(withDigest(saved, sha256)).toBe(saved);
  });

  test('lists where a path with colons may end', () => {
    const reference = parseReference('oci:/a:b:c:1');
    const read = formOf(reference)
      .readings(reference)
      .map((reading) => ('path' in reading ? [reading.path, formOf(reading).nameOf(reading)] : null));
    expect(read).toEqual([
      ['/a:b:c', '1'],
      ['/a', 'b:c:1'],
      ['/a:b', 'c:1'],
    ]);
  });
});

test.each([
  ['me:secret@registry.example/app', 'me:***@registry.example/app'],
  [`me:secret@registry.example/app@${sha256}`, `me:***@registry.example/app@${sha256}`],
  ['registry.example:5000/app', 'registry.example:5000/app'],
  [`registry.example/app@${sha256}`, `registry.example/app@${sha256}`],
  ['oci:/a:b@c', 'oci:/a:b@c'],
])('messages show %s as %s', (text, shown) => {
  expect(withoutPassword(text)).toBe(shown);
});
