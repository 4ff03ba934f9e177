import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { writeAr } from '../../../scripts/release/ar.ts';
import { controlOf, debianVersion, makeDeb } from '../../../scripts/release/deb.ts';
import { textFile } from '../../../scripts/release/files.ts';
import type { Manifest } from '../../../scripts/release/manifest.ts';
import { Packer } from '../../../scripts/release/pack.ts';
import { dayOf, sourceDate } from '../../../scripts/release/source-date.ts';
import { writeTar } from '../../../scripts/release/tar.ts';
import { readTar } from '../../support/model/tar-bytes.ts';

const mtime = 1_796_016_335;
const files = [
  { ...textFile('usr/bin/ocislim', 'program'), mode: 0o755 },
  textFile('usr/share/doc/ocislim/copyright', 'free'),
];
const manifest: Manifest = {
  name: 'ocislim',
  version: '1.0.0-rc.1',
  description: 'Slims images',
  license: 'Apache-2.0',
  files: [],
  dependencies: {},
};

describe('a tar of a release', () => {
  const entriesOf = (tar: Uint8Array) =>
    readTar(tar).map(({ name, mode, mtime: time, uid, body }) => [
      name,
      mode.toString(8),
      time,
      uid,
      Buffer.from(body).toString(),
    ]);

  test('has its files sorted, of root and of one time', () => {
    const time = String(mtime);
    expect(entriesOf(writeTar(files.toReversed(), { mtime }))).toEqual([
      ['usr/bin/ocislim', '755', time, 0, 'program'],
      ['usr/share/doc/ocislim/copyright', '644', time, 0, 'free'],
    ]);
    expect(writeTar(files.toReversed(), { mtime })).toEqual(writeTar(files, { mtime }));
  });

  test('has an entry for each folder where dpkg wants one', () => {
    expect(entriesOf(writeTar(files, { mtime, rooted: true })).map(([name]) => name)).toEqual([
      './',
      './usr/',
      './usr/bin/',
      './usr/bin/ocislim',
      './usr/share/',
      './usr/share/doc/',
      './usr/share/doc/ocislim/',
      './usr/share/doc/ocislim/copyright',
    ]);
  });

  test('holds names of up to 255 bytes, and refuses longer ones', () => {
    const name = `${'d'.repeat(150)}/${'f'.repeat(100)}`;
    expect(entriesOf(writeTar([textFile(name, '')], { mtime })).map(([each]) => each)).toEqual([name]);
    expect(() => writeTar([textFile('f'.repeat(101), '')], { mtime })).toThrow(RangeError);
  });
});

describe('a Debian package', () => {
  test('is an archive of three members, each at an even offset', async () => {
    await using packer = new Packer('quick');
    const deb = await makeDeb({ manifest, architecture: 'x64', files, mtime }, packer);
    const text = Buffer.from(deb).toString('latin1');
    expect(text.slice(0, 72)).toBe(
      `!<arch>\ndebian-binary   1796016335  0     0     100644  4         \`\n2.0\n`,
    );
    expect(text.indexOf('control.tar.gz  1796016335') % 2).toBe(0);
    expect(text.indexOf('data.tar.zst    1796016335') % 2).toBe(0);
    expect(await makeDeb({ manifest, architecture: 'x64', files, mtime }, packer)).toEqual(deb);
  });

  test('is described in the fields that dpkg demands', () => {
    expect(controlOf({ manifest, architecture: 'arm64', files })).toBe(
      `Package: ocislim
Version: 1.0.0~rc.1
Architecture: arm64
Maintainer: The ocislim maintainers <maintainers@ocislim.invalid>
Installed-Size: 7
Depends: libc6 (>= 2.28), libstdc++6 (>= 6), libgcc-s1 (>= 4.2), libatomic1 (>= 4.8)
Recommends: ca-certificates
Suggests: strace, bubblewrap
Section: admin
Priority: optional
Description: rewrite container images without a daemon and without root
 ocislim squashes, prunes and recompresses OCI and Docker images where they
 live, from registry to registry, in a folder or in an archive. It makes
 images slim by removing what upper layers hide, caches of package managers,
 and files that no recorded run has used. It needs no container runtime.
`,
    );
    const named = { ...manifest, author: 'A B <a@b.example>', homepage: 'https://ocislim.example' };
    const control = controlOf({ manifest: named, architecture: 'x64', files });
    expect(control).toContain('Architecture: amd64\nMaintainer: A B <a@b.example>\n');
    expect(control).toContain('\nHomepage: https://ocislim.example\n');
  });

  test('of a version before a release is older than that', () => {
    expect(debianVersion('1.0.0-rc.1')).toBe('1.0.0~rc.1');
    expect(debianVersion('1.0.0')).toBe('1.0.0');
  });

  test('cannot hold a member with a name that ar cuts off', () => {
    expect(() => writeAr([{ name: 'a-very-long-member', bytes: new Uint8Array(0) }], 0)).toThrow(RangeError);
  });
});

test('packed files unpack to what they were, with gzip and with zstd', async () => {
  await using packer = new Packer('small');
  const folder = mkdtempSync(join(tmpdir(), 'ocislim-pack-'));
  try {
    const text = 'the same words again and again\n'.repeat(10_000);
    writeFileSync(join(folder, 'gz'), await packer.gzip(Buffer.from(text)));
    expect(execFileSync('gzip', ['-dc', join(folder, 'gz')], { encoding: 'utf8' })).toBe(text);
    const packed = packer.zstd(Buffer.from(text));
    expect(Buffer.from(packed.subarray(0, 4)).toString('hex')).toBe('28b52ffd');
    expect(packed.length).toBeLessThan(200);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

describe('the time of a release', () => {
  test('is SOURCE_DATE_EPOCH, or else that of the last commit', () => {
    expect(sourceDate({ SOURCE_DATE_EPOCH: '1796016335' })).toBe(mtime);
    expect(sourceDate({})).toBeGreaterThan(1_700_000_000);
    expect(dayOf(mtime)).toBe('2026-11-30');
  });

  test.each(['now', '-1', '1.5'])('is not %s', (text) => {
    expect(() => sourceDate({ SOURCE_DATE_EPOCH: text })).toThrow('SOURCE_DATE_EPOCH is not a number');
  });
});
