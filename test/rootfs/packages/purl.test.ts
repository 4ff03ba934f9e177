import * as fc from 'fast-check';
import { PackageURL } from 'packageurl-js';
import { describe, expect, it } from 'vitest';
import { utf8Bytes } from '../../../src/bytes/bytes.ts';
import type { Distribution } from '../../../src/rootfs/packages/distribution.ts';
import {
  type ComponentKind,
  componentKinds,
  noDetails,
  type PackageDetails,
} from '../../../src/rootfs/packages/package.ts';
import { purlOf } from '../../../src/rootfs/packages/purl.ts';

const distro = (id: string, version: string | null): Distribution => ({
  id,
  version,
  title: null,
  cpe: null,
  homepage: null,
});
const debian = distro('debian', '12');

const named = (
  kind: ComponentKind,
  name: string,
  version: string | null,
  details: Partial<Omit<PackageDetails, 'registryName'>> & { readonly registryName?: string } = {},
) => {
  const { registryName, ...rest } = details;
  return {
    kind,
    name: utf8Bytes(name),
    version,
    details: {
      ...noDetails,
      ...rest,
      registryName: registryName === undefined ? null : utf8Bytes(registryName),
    },
  };
};

describe('the package URL', () => {
  it.each([
    [
      'of Debian',
      named('dpkg', 'libSSL3:amd64', '1:3.0.11-1~deb12u2+b1', {
        registryName: 'libSSL3',
        architecture: 'amd64',
        source: { name: 'openssl', version: '3.0 a' },
      }),
      debian,
      'pkg:deb/debian/libssl3@1:3.0.11-1~deb12u2%2Bb1?arch=amd64&distro=debian-12&upstream=openssl%403.0%20a',
    ],
    [
      'of Alpine',
      named('apk', 'Curl', '8.9-r0', { architecture: 'x86_64' }),
      distro('alpine', '3.20.1'),
      'pkg:apk/alpine/curl@8.9-r0?arch=x86_64&distro=alpine-3.20.1',
    ],
    [
      'of Red Hat, with an epoch, and its name as it is written',
      named('rpm', 'Glibc.i686', '2:1.2-3.el9', { registryName: 'Glibc', architecture: 'i686' }),
      distro('rhel', '9.4'),
      'pkg:rpm/redhat/Glibc@1.2-3.el9?arch=i686&distro=rhel-9.4&epoch=2',
    ],
    [
      'of SUSE',
      named('rpm', 'zypper', '1-2'),
      distro('opensuse-tumbleweed', null),
      'pkg:rpm/opensuse/zypper@1-2?distro=opensuse-tumbleweed',
    ],
    ['of PyPI', named('python', 'Ruamel_.yaml', '1!2.0'), null, 'pkg:pypi/ruamel-yaml@1%212.0'],
    ['of npm, with a scope', named('node', '@Types/Node', '1.0.0'), null, 'pkg:npm/%40types/node@1.0.0'],
    [
      'of npm, below the name of an alias',
      named('node', 'alias', '1', { registryName: 'real' }),
      null,
      'pkg:npm/real@1',
    ],
    ['without a version', named('node', 'a', null), null, 'pkg:npm/a'],
    [
      'of RubyGems',
      named('ruby', 'Nokogiri', '1.16', { qualifiers: { platform: 'x86_64-linux' } }),
      null,
      'pkg:gem/Nokogiri@1.16?platform=x86_64-linux',
    ],
    ['of Composer', named('composer', 'Symfony/Console', 'v7'), null, 'pkg:composer/symfony/console@v7'],
    [
      'of conda',
      named('conda', 'absl-py', '0.4', {
        qualifiers: { type: 'conda', build: 'py_0', channel: 'https://c.example/main' },
      }),
      null,
      'pkg:conda/absl-py@0.4?build=py_0&channel=https:%2F%2Fc.example%2Fmain&type=conda',
    ],
    ['of Maven', named('java', 'org.X:Y', '1'), null, 'pkg:maven/org.X/Y@1'],
    [
      'of Go',
      named('go', 'github.com/Masterminds/semver', 'v3.1.0+incompatible'),
      null,
      'pkg:golang/github.com/masterminds/semver@v3.1.0%2Bincompatible',
    ],
    ['of an archive of Java without coordinates', named('java', 'tool', '1'), null, null],
    ['of Debian without a distribution', named('dpkg', 'bash', '5'), null, null],
    ['without a name', named('node', '', '1'), null, null],
  ])('%s: as its specification says', (_, component, distribution, purl) => {
    expect(purlOf(component, distribution)).toBe(purl);
  });

  const character = fc.constantFrom(
    ...Array.from('aBz09-_.%@/?#:+~!\'()*&=<"\u{e9}\u{202e}\u{1f4a9}\0\u{1b}'),
  );
  const word = fc.string({ unit: character, minLength: 1, maxLength: 12 });
  // The other reader decodes qualifiers twice.
  const value = word.map((text) => text.replaceAll('%', '$'));
  const details = fc.record({
    architecture: fc.option(value),
    qualifiers: fc.dictionary(fc.constantFrom('build', 'platform', 'type'), value),
  });

  it('needs a group for an archive of Java', () => {
    for (const name of [':a', '/:a', '//:a', 'a'])
      expect(purlOf(named('java', name, '1'), debian)).toBeNull();
  });

  it('law: is ASCII without blanks or controls, and another reader finds the same parts in it', () => {
    fc.assert(
      fc.property(fc.constantFrom(...componentKinds), word, word, details, (kind, name, version, rest) => {
        const text = purlOf(named(kind, name, version, rest), debian);
        if (text === null) return;
        expect(text).toMatch(/^pkg:[a-z]+\/[!-~]+$/);
        const read = PackageURL.fromString(text);
        const { namespace, name: last } = read;
        if (kind === 'node' || kind === 'composer' || kind === 'go')
          expect([...(namespace ?? '').split('/'), last].filter((each) => each !== '').join('/')).toBe(
            name
              .toLowerCase()
              .split('/')
              .filter((each) => each !== '')
              .join('/'),
          );
        if (kind === 'ruby' || kind === 'conda') {
          expect(last).toBe(name);
          expect({ ...read.qualifiers }).toEqual(rest.qualifiers);
        }
        if (kind === 'dpkg') expect(read.qualifiers?.['arch'] ?? null).toBe(rest.architecture);
        if (kind !== 'rpm') expect(read.version).toBe(version);
      }),
    );
  });
});
