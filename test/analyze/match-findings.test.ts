import { expect, test } from 'vitest';
import { matchFindingSteps } from '../../src/analyze/scanned/match-findings.ts';
import type { ScannedFinding } from '../../src/analyze/scanned/scanned.ts';
import { componentsOf } from '../../src/rootfs/packages/component-index.ts';
import { atOnce } from '../../src/steps.ts';
import { type Files, rawImageOf } from '../rootfs/packages/rig.ts';

const stanza =
  'Package: libz1\nStatus: install ok installed\nArchitecture: amd64\nMulti-Arch: same\nVersion: 1:2-3\n';
const files: Files = {
  'var/lib/dpkg/status': stanza,
  'var/lib/dpkg/info/libz1:amd64.list': '/.\n/lib\n/lib/libz.so\n/lib/other.so\n',
  lib: { link: 'usr/lib' },
  'usr/lib/libz.so': '1',
  'usr/lib/other.so': '2',
  'app/node_modules/@types/node/package.json': '{"name":"@types/node","version":"20.1.0"}',
  'usr/bin/tool': '3',
};

const nothing: ScannedFinding = {
  id: 'X',
  severity: 'high',
  name: null,
  version: null,
  kind: null,
  purl: null,
  paths: [],
};

/** Returns what becomes of a finding where these paths go. */
async function fateOf(finding: Partial<ScannedFinding>, ...gone: readonly string[]): Promise<string> {
  const image = await rawImageOf(files);
  const left = await rawImageOf(
    Object.fromEntries(Object.entries(files).filter(([path]) => !gone.includes(path))),
  );
  const { components } = componentsOf(image);
  const scanned = { components, before: image.fs, after: left.fs };
  const [matched] = atOnce(matchFindingSteps([{ ...nothing, ...finding }], scanned));
  return matched?.fate ?? '';
}

const libraries = ['usr/lib/libz.so', 'usr/lib/other.so'] as const;

test.each<Partial<ScannedFinding>>([
  { purl: 'pkg:deb/debian/libz1@2-3?arch=amd64&epoch=1' },
  { purl: 'pkg:deb/debian/libz1@1%3A2-3' },
  { purl: 'pkg:deb/other/LIBZ1@1:2-3' },
  { name: 'libz1', version: '1:2-3' },
  { name: 'libz1', version: '2-3', kind: 'dpkg' },
  { name: 'libz1' },
  { name: 'libz1', version: '2-3', purl: 'pkg:unknown/x@1' },
])('a package is found by %j, and the link of its directory does not count', async (finding) => {
  expect(await fateOf(finding)).toBe('stays');
  expect(await fateOf(finding, 'usr/lib/libz.so')).toBe('partly');
  expect(await fateOf(finding, ...libraries)).toBe('gone');
});

test.each<Partial<ScannedFinding>>([
  { purl: 'pkg:npm/%40types/node@20.1.0' },
  { name: '@types/node', version: 'v20.1.0', kind: 'node' },
])('a package of a language by %j', async (finding) => {
  expect(await fateOf(finding)).toBe('stays');
  expect(await fateOf(finding, 'app/node_modules/@types/node/package.json')).toBe('gone');
});

test.each<Partial<ScannedFinding>>([
  { name: 'libz1', version: '2-4' },
  { name: 'libz1', kind: 'rpm' },
  { name: 'libz2' },
  { purl: 'pkg:npm/libz1@2-3' },
  { purl: '%', name: '' },
  { purl: 'pkg:deb/%zz@1' },
  { paths: ['var/lib/dpkg/status'] },
  { paths: ['../../etc/shadow', 'lib', 'nowhere'] },
  {},
])('nothing matches %j', async (finding) => {
  expect(await fateOf(finding, ...libraries, 'var/lib/dpkg/status')).toMatch(/^(?:unmatched|stays)$/);
  expect(await fateOf(finding)).not.toBe('gone');
});

test('a file that no package has counts by its path', async () => {
  const finding = { name: 'tool', version: '1', paths: ['/usr/bin/tool'] };
  expect(await fateOf(finding)).toBe('stays');
  expect(await fateOf(finding, 'usr/bin/tool')).toBe('gone');
});
