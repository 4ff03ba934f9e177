import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { changeDates, changelogProbe } from '../../src/relayer/change-dates.ts';
import { readDebianChangelog } from '../../src/relayer/changelog.ts';
import { buildPackageIndex } from '../../src/rootfs/packages/package-index.ts';
import { imageOf, symlink, type Thing } from '../closure/rig.ts';
import { b, p } from '../support/bytes.ts';

const changelog = `curl (7.88.1-10+deb12u5) bookworm-security; urgency=high

  * Fix a bug.

 -- A Name <a@b.example>  Wed, 04 Oct 2023 20:46:59 +0200

curl (7.88.1-1) unstable; urgency=medium

  * New version.

 -- B Name <b@b.example>  Mon, 20 Feb 2023 10:00:00 +0000

curl (7.0) unstable; urgency=medium
 -- B Name <b@b.example>  no date
Old changelog:
`;

const read = [
  { time: Date.UTC(2023, 9, 4, 18, 46, 59) / 1000, release: 'bookworm-security' },
  { time: Date.UTC(2023, 1, 20, 10) / 1000, release: 'unstable' },
];

const packed = (text: string): Thing => {
  const contents = gzipSync(text);
  return { entry: { body: contents }, contents };
};

async function datesIn(table: Readonly<Record<string, Thing | string>>): Promise<Record<string, unknown>> {
  const image = await imageOf(table);
  return Object.fromEntries(changeDates(image, buildPackageIndex(image.fs, image.facts)));
}

const status = 'Package: curl\nStatus: install ok installed\nVersion: 1\nSource: curl-source\n';
const database = {
  'var/lib/dpkg/status': status,
  'var/lib/dpkg/info/curl.list': '/usr/bin/curl\n',
  'usr/bin/curl': '1',
};

describe('a changelog of Debian', () => {
  it('says when the package was changed, and for which release', () => {
    expect(readDebianChangelog(b(changelog))).toEqual(read);
  });

  it('is found by the name of the package, also through a link', async () => {
    const documents = { 'usr/share/doc/curl/changelog.Debian.gz': packed(changelog) };
    expect(await datesIn({ ...database, ...documents })).toEqual({ 'dpkg:curl-source': read });
    const linked = {
      'usr/share/doc/curl': symlink('base'),
      'usr/share/doc/base/changelog.gz': packed(changelog),
    };
    expect(await datesIn({ ...database, ...linked })).toEqual({ 'dpkg:curl-source': read });
  });

  it.each(['', 'no gzip', '\x1f\x8b\x08\x04', '\x1f\x8b\x08\x08name'])(
    'may be damaged: %j',
    async (contents) => {
      expect(await datesIn({ ...database, 'usr/share/doc/curl/changelog.Debian.gz': contents })).toEqual({});
    },
  );

  it('is read by a scan', () => {
    expect(changelogProbe(p('usr/share/doc/curl/changelog.Debian.gz'))).toBeGreaterThan(0);
    expect(changelogProbe(p('usr/share/doc/curl/changelog.gz'))).toBeGreaterThan(0);
    expect(changelogProbe(p('usr/share/doc/curl/NEWS.Debian.gz'))).toBe(0);
  });
});

it('packages of apk say when they were built', async () => {
  const found = await datesIn({
    'lib/apk/db/installed': 'P:libcurl\nV:1\no:curl\nt:1700000000\nF:usr/lib\nR:x\n\n',
    'usr/lib/x': '1',
  });
  expect(found).toEqual({ 'apk:curl': [{ time: 1_700_000_000, release: null }] });
});
