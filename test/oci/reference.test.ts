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
  readingsOf,
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
    ['Registry.Example:5000/app', 'registry.example:5000', 'app', null, null],
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
    ['', 'it is empty'],
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
  const layout = { kind: 'layout', tag: null, digest: null, position: null } as const;
  const archive = { ...layout, kind: 'oci-archive' } as const;
  const docker = {
    kind: 'docker-archive',
    path: 'app.tar',
    name: null,
    digest: null,
    position: null,
  } as const;

  test.each([
    ['oci:dir', { ...layout, path: 'dir' }],
    ['oci:/a/b:1.0', { ...layout, path: '/a/b', tag: '1.0' }],
    ['oci:dir:_tag', { ...layout, path: 'dir', tag: '_tag' }],
    // The path ends at the first colon, as for skopeo.
    ['oci:dir:name/with:colons', { ...layout, path: 'dir', tag: 'name/with:colons' }],
    ['oci:dir:localhost:5000/app:1', { ...layout, path: 'dir', tag: 'localhost:5000/app:1' }],
    ['oci:/a:b/c', { ...layout, path: '/a', tag: 'b/c' }],
    ['oci:/a:/c:tag', { ...layout, path: '/a:/c', tag: 'tag' }],
    [`oci:dir:tag@${sha256}`, { ...layout, path: 'dir', tag: 'tag', digest: sha256 }],
    [`oci:dir@${sha256}`, { ...layout, path: 'dir', digest: sha256 }],
    // An "@" before anything but a digest or a number belongs to the path or the name.
    ['oci:job@2/lay:v1', { ...layout, path: 'job@2/lay', tag: 'v1' }],
    ['oci:job@2/lay', { ...layout, path: 'job@2/lay' }],
    [`oci:job@2/lay@${sha256}`, { ...layout, path: 'job@2/lay', digest: sha256 }],
    ['oci:dir@digest', { ...layout, path: 'dir@digest' }],
    ['oci:job@2/', { ...layout, path: 'job@2/' }],
    ['oci:dir:user@host', { ...layout, path: 'dir', tag: 'user@host' }],
    ['oci:lay@0', { ...layout, path: 'lay', position: 0 }],
    ['oci:lay:@12', { ...layout, path: 'lay', position: 12 }],
    ['oci-archive:app.tar', { ...archive, path: 'app.tar' }],
    ['oci-archive:app.tar:1', { ...archive, path: 'app.tar', tag: '1' }],
    ['oci-archive:app.tar@1', { ...archive, path: 'app.tar', position: 1 }],
    [`oci-archive:app.tar@${sha256}`, { ...archive, path: 'app.tar', digest: sha256 }],
    ['docker-archive:app.tar', docker],
    ['docker-archive:app.tar@1', { ...docker, position: 1 }],
    ['docker-archive:app.tar:@1', { ...docker, position: 1 }],
    ['docker-archive:a@2/app.tar:app:1', { ...docker, path: 'a@2/app.tar', name: 'app:1' }],
    [`docker-archive:app.tar@${sha256}`, { ...docker, digest: sha256 }],
    [`docker-archive:app.tar:app@${sha256}`, { ...docker, name: 'app:latest', digest: sha256 }],
    ['docker-archive:app.tar:app', { ...docker, name: 'app:latest' }],
    ['docker-archive:app.tar:localhost:5000/app', { ...docker, name: 'localhost:5000/app:latest' }],
    ['docker-archive:app.tar:localhost:5000/app:2', { ...docker, name: 'localhost:5000/app:2' }],
    ['docker-archive:/a/10:00/app.tar:app:2', { ...docker, path: '/a/10:00/app.tar', name: 'app:2' }],
  ] as const)('are named by %s', (text, reference) => {
    expect(parseReference(text)).toEqual(reference);
  });

  test.each([
    ['oci:', 'the path is missing'],
    ['oci::tag', 'the path is missing'],
    ['oci:@0', 'the path is missing'],
    ['oci:dir:', 'no name follows the ":"'],
    ['oci:dir:a b', 'is not a tag'],
    ['oci:dir:-x', 'is not a tag'],
    [`oci:dir@${sha256.slice(0, -1)}`, 'what follows "@" is not a digest'],
    [`oci:dir@${sha256.toUpperCase()}`, 'what follows "@" is not a digest'],
    ['oci:dir@sha256:abc', 'what follows "@" is not a digest'],
    [`oci:dir@md5:${'0'.repeat(32)}`, 'what follows "@" is not a digest'],
    ['oci:~/dir:1', 'the shell does not replace "~" here'],
    ['oci-archive:', 'the path is missing'],
    ['docker-archive:', 'the path is missing'],
    ['docker-archive:app.tar:app@1', 'a name and a position'],
    ['oci:lay:v1@0', 'a name and a position'],
    ['docker-archive:app.tar:app@', 'nothing follows the "@"'],
    ['docker-archive:app.tar:App', 'repository names are lower case'],
    ['docker-archive:app.tar:app:-x', 'is not a tag'],
  ])('are not named by %s', (text, why) => {
    expect(refusal(text)).toContain(why);
  });
});

/** Returns what the error says to write. */
function advised(text: string): string {
  try {
    parseReference(text);
  } catch (error) {
    if (error instanceof OcislimError && error.code === 'REFERENCE_INVALID') return error.advice ?? '';
    throw error;
  }
  return 'none';
}

describe("what is another tool's form, or no reference, gets what to write instead:", () => {
  test.each([
    ['./x.tar', 'docker-archive:./x.tar'],
    ['./x.tar', 'oci-archive:./x.tar'],
    ['x.tar', 'docker-archive:x.tar'],
    ['x.tar.gz', 'docker-archive:x.tar.gz'],
    ['dir/x.tgz', 'oci-archive:dir/x.tgz'],
    ['x.tar:app:v1', 'docker-archive:x.tar:app:v1'],
    ['../dir', 'oci:../dir'],
    ['/abs/dir', 'oci:/abs/dir'],
    ['.', 'oci:.'],
    ['~/x', 'oci:"$HOME"/x'],
    ['oci:~/x:1', 'oci:"$HOME"/x:1'],
    ['oci-archive:~/x.tar', 'oci-archive:./~/x.tar for'],
    ['podman:app:1', 'podman save app:1 | ocislim COMMAND docker-archive:- '],
    ['podman:app:1', 'docker-archive:-:app:1 | podman load'],
    ['containers-storage:app', 'podman save'],
    ['containerd:app:1', 'ctr images export - app:1 | ocislim COMMAND oci-archive:- '],
    ['nerdctl:app:1', 'oci-archive:-:app:1 | ctr images import -'],
    ['docker-daemon:app:1', 'docker save app:1 | ocislim COMMAND docker-archive:- '],
    ['docker-daemon:', 'docker save NAME |'],
    ['docker-daemon:app:1', 'docker-archive:-:app:1 | docker load'],
    ['docker:team/app:1', 'docker save team/app:1 |'],
    ['registry:team/app:1', 'Write team/app:1'],
    ['ocidir://dir:1', 'oci:dir:1'],
    ['ocidir:///abs/dir:1', 'oci:/abs/dir:1'],
    ['oci-dir:dir', 'oci:dir'],
    ['oci-layout://dir:1', 'oci:dir:1'],
    ['dir:path', 'skopeo copy dir:path oci:'],
    ['oci://registry.example/app:1', 'Write registry.example/app:1'],
    ['oci://dir:1', 'oci:dir:1'],
    ['oci:///abs/dir:1', 'oci:/abs/dir:1'],
    ['docker-archive://x.tar', 'docker-archive:x.tar'],
    ['oci-archive:///abs/x.tar', 'oci-archive:/abs/x.tar'],
    ['file://x.tar', 'docker-archive:x.tar'],
    ['file:x.tar', 'oci-archive:x.tar'],
    ['tarball:x.tar', 'docker-archive:x.tar'],
    ['docker-image://app:1', 'Write app:1'],
    ['https://registry.example/app:1', 'Write registry.example/app:1'],
    ['http://localhost:5000/app', 'Write localhost:5000/app, with --insecure'],
    ['HTTPS://registry.example/app/', 'Write registry.example/app.'],
    ['https://hub.docker.com/_/nginx', 'Write nginx.'],
    ['https://hub.docker.com/r/team/app/tags?page=1', 'Write team/app.'],
    ['me:secret@registry.example/app', 'Write registry.example/app, and give --creds'],
    [sha256, `REPOSITORY@${sha256}`],
    ['localhost:5000', 'localhost:5000/REPOSITORY:TAG'],
    ['registry.example', 'registry.example/REPOSITORY:TAG'],
    ['registry.example/', 'registry.example/REPOSITORY:TAG'],
    ['registry.example/App:V1', 'registry.example/app:V1'],
    ['App', 'Write app'],
    ['registry.example/app/', 'Write registry.example/app for'],
    ['out/', 'oci:out for a folder'],
    ['build.out/x.tar', 'docker-archive:build.out/x.tar'],
    ['build.out/x.tar', 'docker://build.out/x.tar'],
    ['app:1\n', 'Write app:1'],
    [' app', 'Write app'],
    ['oci: dir:1', 'Write oci:dir:1'],
    ['docker:// app', 'Write docker://app'],
    ['app@latest', 'app:latest'],
    ['app@sha256:abc', '64 digits'],
    ['s3://bucket/app', 'oci:DIR[:tag]'],
    ['sif:x', 'oci:DIR[:tag]'],
    ['-', 'docker-archive:-'],
    ['docker-archive', 'docker-archive:FILE'],
    ['oci', 'oci:DIR'],
    // Misspelt forms.
    ['dockerarchive:x.tar', 'Write docker-archive:x.tar'],
    ['dockerarchive:x', 'Write docker-archive:x,'],
    ['dockerarchive:x.tar:app:1', 'Write docker-archive:x.tar:app:1'],
    [`dockerarchive:x.tar@${sha256}`, `Write docker-archive:x.tar@${sha256}`],
    ['docker_archive:x.tar', 'Write docker-archive:x.tar'],
    ['Docker-Archive:x.tar', 'Write docker-archive:x.tar'],
    ['docker.archive:x.tar', 'Write docker-archive:x.tar'],
    ['docker-archve:x.tar', 'Write docker-archive:x.tar'],
    ['docker-archives:./x.tar', 'Write docker-archive:./x.tar'],
    ['dokcer-archive:/x.tar', 'Write docker-archive:/x.tar'],
    ['docker-archive-:x.tar', 'Write docker-archive:x.tar'],
    ['docker_archive://x.tar', 'Write docker-archive:x.tar'],
    ['oci_archive:x', 'Write oci-archive:x,'],
    ['oci_archive:x', 'docker://oci_archive:x for'],
    ['ociarchive:x.tar:v1', 'Write oci-archive:x.tar:v1'],
    ['oci-archiv:x.tar@0', 'Write oci-archive:x.tar@0'],
    ['OCI-ARCHIVE:x.tar', 'Write oci-archive:x.tar'],
    ['OCI:lay:v1', 'Write oci:lay:v1'],
    ['Oci:./lay', 'Write oci:./lay'],
    [`OCI:lay@${sha256}`, `Write oci:lay@${sha256}`],
    ['oci-layout:lay:v1', 'oci:lay:v1'],
    ['oci_layout:lay', 'oci:lay'],
    ['oci_dir:lay', 'oci:lay'],
    ['docker_daemon:app:1', 'docker save app:1 |'],
    ['dockerdaemon:app', 'docker save app |'],
    ['docker-deamon:app:1', 'docker save app:1 |'],
    ['docker-daemon:', 'docker save NAME |'],
    ['container-storage:app:1', 'podman save app:1 |'],
    ['containers_storage:app', 'podman save app |'],
    ['containers-storage:[overlay@/var/lib]app:1', 'podman save app:1 |'],
    ['Podman:app:1', 'podman save app:1 |'],
    ['DIR:path', 'skopeo copy dir:path oci:'],
    ['docker:x.tar', 'docker-archive:x.tar'],
    ['dockerarchive: x.tar', 'Write docker-archive:x.tar'],
    ['docker_archive: x.tar', 'Write docker-archive:x.tar'],
    ['docker archive:x.tar', 'Write docker-archive:x.tar'],
    ['docker-archive=x.tar', 'Write docker-archive:x.tar'],
    ['oci-archive=x.tar:v1', 'Write oci-archive:x.tar:v1'],
    ['oci-archive :x.tar', 'Write oci-archive:x.tar'],
    ['docker:/team/app:1', 'Write docker://team/app:1'],
    ['docker:///app', 'Write docker://app'],
    ['Docker://app:1', 'Write docker://app:1'],
    ['DOCKER://registry.example/app', 'Write docker://registry.example/app'],
    // The name of an archive is lower case, and its reference is told whole.
    ['docker-archive:nm3.tar:Bad', 'Write docker-archive:nm3.tar:bad'],
    ['docker-archive:x.tar:ü', 'lower-case letters (a to z)'],
    ['ü', 'lower-case letters (a to z)'],
    ['registry.example/a b', 'lower-case letters (a to z)'],
  ])('%s is answered with %s', (text, advice) => {
    expect(advised(text)).toContain(advice);
  });

  test('names that images have are no such forms', () => {
    for (const text of [
      'docker:27',
      'registry:2',
      'registry:5000/app',
      'podman:5000/app',
      'docker:5000/app:1',
      'file',
      'archive/tar:1',
      'registry.example/x.tar:1',
      'localhost:5000/x.tar',
      'docker://registry.example/x.tar',
      'socket.io:4',
      'constructor',
      'docker://localhost/x',
      'oci-tools:1',
      'archives:1',
      'team/dockerarchive:1',
      'dockerarchive',
      'docker-archive.example/app:1',
      'docker-archives:5000/app',
      'docker://dockerarchive:x',
      'container:1',
      'docker-registry:2',
    ])
      expect(refusal(text)).toBe('none');
  });

  test.each(['./x.tar', '../x.tar', './dir', '/x.tar', './x.tar:v1', '.hidden/x.tar', './localhost/x.tar'])(
    'a path is not named as an image: %s',
    (text) => {
      expect(advised(text)).not.toContain('docker://');
    },
  );

  test('what is to be written can be read, where it is a reference', () => {
    for (const text of ['./x.tar', '../dir', 'ocidir://dir:1', 'https://registry.example/app:1', 'App:1']) {
      const [, written = ''] = /Write (\S+?)[.,]?(?: |$)/.exec(advised(text)) ?? [];
      expect(refusal(written)).toBe('none');
    }
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
    expect(readingsOf(reference)[0]).toEqual(reference);
  });

  test('adds a digest where the form has digests, and a name removes it', () => {
    for (const text of ['localhost:5000/app:1', 'oci:dir:1', 'oci-archive:file.tar:1']) {
      const reference = withDigest(parseReference(text), sha256);
      expect(formatReference(reference)).toBe(`${text}@${sha256}`);
      expect(digestOfReference(reference)).toBe(sha256);
      expect(digestOfReference(formOf(reference).withName(reference, 'x'))).toBeNull();
    }
    expect(formatReference(withDigest(parseReference('oci:dir@3'), sha256))).toBe(`oci:dir@${sha256}`);
    const saved = parseReference('docker-archive:file.tar:app:1');
    expect(withDigest(saved, sha256)).toBe(saved);
  });

  test('lists where a path with colons may end', () => {
    const reference = parseReference('oci:/a:b:c:1');
    const read = readingsOf(reference).map((reading) =>
      'path' in reading ? [reading.path, formOf(reading).nameOf(reading)] : null,
    );
    expect(read).toEqual([
      ['/a', 'b:c:1'],
      ['/a:b', 'c:1'],
      ['/a:b:c', '1'],
      ['/a:b:c:1', null],
    ]);
  });
});

test.each([
  'me:secret@registry.example/app',
  'me:secret@registry.example',
  'me:secret@registry.example/App',
  ' me:secret@registry.example/app',
  'me:se/cret@registry.example/app',
  'me:se/cret@latest',
  'https://me:secret@registry.example/app',
  'oci://me:secret@registry.example/app',
  'registry:me:secret@registry.example/app',
])('an error about %j does not show the password', (text) => {
  expect(`${refusal(text)} ${advised(text)}`).not.toMatch(/secret|cret@|se\/cret/);
  expect(advised(text)).not.toBe('none');
});

test.each([
  ['me:secret@registry.example/app', 'me:***@registry.example/app'],
  [`me:secret@registry.example/app@${sha256}`, `me:***@registry.example/app@${sha256}`],
  ['registry.example:5000/app', 'registry.example:5000/app'],
  [`registry.example/app@${sha256}`, `registry.example/app@${sha256}`],
  ['oci:/a:b@c', 'oci:/a:b@c'],
  ['localhost:5000/app:1@', 'localhost:5000/app:1@'],
  ['me:secret@localhost:5000/app@', 'me:***@localhost:5000/app@'],
  // Digests that are written badly are no hosts either.
  ['localhost:5000/app@SHA256:abc', 'localhost:5000/app@SHA256:abc'],
  [`app:1@${sha256.toUpperCase()}`, `app:1@${sha256.toUpperCase()}`],
  ['app:1@sha256', 'app:1@sha256'],
  ['dir:x@0', 'dir:x@0'],
  ['app:1@sha256:', 'app:1@sha256:'],
  ['app:1@sha1:abc', 'app:1@sha1:abc'],
  ['app:1@sha-256:abc', 'app:1@sha-256:abc'],
  ['app:1@MD5:abc', 'app:1@MD5:abc'],
  [`app:1@blake3:${'0a'.repeat(32)}`, `app:1@blake3:${'0a'.repeat(32)}`],
  [`app:1@other:${'0a'.repeat(32)}`, `app:1@other:${'0a'.repeat(32)}`],
  [`docker://app:1@Sha256:${'0A'.repeat(32)}`, `docker://app:1@Sha256:${'0A'.repeat(32)}`],
  ['me:secret@registry.example/app@SHA256:abc', 'me:***@registry.example/app@SHA256:abc'],
  ['me:secret@sha256.example/app', 'me:***@sha256.example/app'],
  ['me:secret@sha256.example:5000', 'me:***@sha256.example:5000'],
  ['me:secret@sha256:5000/app', 'me:***@sha256:5000/app'],
])('messages show %s as %s', (text, shown) => {
  expect(withoutPassword(text)).toBe(shown);
});
