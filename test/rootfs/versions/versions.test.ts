import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type PackageKind, packageKinds } from '../../../src/rootfs/packages/package.ts';
import { compareVersions } from '../../../src/rootfs/versions/versions.ts';

function sign(kind: PackageKind, a: string, b: string): number | null {
  const order = compareVersions(kind, a, b);
  return order === null ? null : Math.sign(order);
}

/** Versions in ascending order, those in one text with `=` between them being equal. */
const ascending: readonly (readonly [kind: PackageKind, source: string, versions: readonly string[]])[] = [
  [
    'dpkg',
    'deb-version(7) and Debian Policy 5.6.12',
    ['1.0~beta1~svn1245', '1.0~beta1', '1.0=1.0-0=0:1.0', '1.0-1', '1.0+b1', '1.0.1', '1.2', '1.10', '1:0.1'],
  ],
  ['dpkg', 'Debian Policy: "~~", "~~a", "~", the empty part, "a"', ['1~~', '1~~a', '1~', '1', '1a']],
  [
    'dpkg',
    'releases of Debian',
    ['2.31-13+deb11u4', '2.31-13+deb11u11', '2.36-9', '2.36-9+deb12u1', '2.36-9+deb12u10'],
  ],
  ['dpkg', 'letters sort before all others', ['1a', '1+', '1.']],
  ['rpm', 'rpm-version(7)', ['1.0~rc1', '1.0~rc2', '1.0=1.0.=1_0', '1.0^', '1.0^git1', '1.0^git2', '1.0.1']],
  ['rpm', 'segments', ['1.0a=1.0.a', '1.0b', '1.0.1', '1.0.2', '1.0.10=1.0.010', '1.1']],
  ['rpm', 'epoch and release', ['2.0-1.el8', '2.0-1.el9', '2.0-2.el9', '1:1.0-1', '2:0.1-1']],
  [
    'apk',
    'apk-package(5)',
    [
      '1.2_alpha',
      '1.2_alpha2',
      '1.2_beta',
      '1.2_pre1',
      '1.2_rc1',
      '1.2',
      '1.2-r1',
      '1.2_git20240101',
      '1.2_p1',
      '1.2a',
      '1.2.1',
      '1.10',
    ],
  ],
  ['apk', 'revisions', ['3.1.4-r2', '3.1.4-r10', '3.1.5-r0']],
  [
    'node',
    'Semantic Versioning, section 11',
    [
      '1.0.0-alpha',
      '1.0.0-alpha.1',
      '1.0.0-alpha.beta',
      '1.0.0-beta',
      '1.0.0-beta.2',
      '1.0.0-beta.11',
      '1.0.0-rc.1',
      '1.0.0=v1.0.0=1.0.0+build',
      '2.0.0',
      '2.1.0',
      '2.1.1',
      '10.0.0',
    ],
  ],
  [
    'python',
    'PEP 440, "Summary of permitted suffixes and relative ordering"',
    [
      '1.dev0',
      '1.0.dev456',
      '1.0a1',
      '1.0a2.dev456',
      '1.0a12.dev456',
      '1.0a12',
      '1.0b1.dev456',
      '1.0b2',
      '1.0b2.post345.dev456',
      '1.0b2.post345',
      '1.0rc1.dev456',
      '1.0rc1',
      '1.0',
      '1.0+abc.5',
      '1.0+abc.7',
      '1.0+5',
      '1.0.post456.dev34',
      '1.0.post456',
      '1.0.15',
      '1.1.dev1',
      '1!0.1',
    ],
  ],
  [
    'python',
    'PEP 440, other spellings',
    ['1.1a1=1.1.alpha-1=v1.1_a1', '1.1=1.1.0', '1.1.post1=1.1-1=1.1-r1'],
  ],
  ['ruby', 'Gem::Version', ['1.0.a', '1.0.b1', '1.0.b2', '1.0.b10', '1=1.0=1.0.0', '1.0.1', '1.2', '1.10']],
];

test.each(ascending)('orders versions of %s: %s', (kind, _, versions) => {
  const classes = versions.map((text) => text.split('='));
  for (const [i, lower] of classes.entries())
    for (const [j, higher] of classes.entries())
      for (const a of lower)
        for (const b of higher) expect([a, b, sign(kind, a, b)]).toEqual([a, b, Math.sign(i - j)]);
});

describe('any texts', () => {
  const piece = fc.constantFrom(
    '0',
    '1',
    '2',
    '10',
    '01',
    'a',
    'rc',
    'alpha',
    'p',
    '.',
    '-',
    '~',
    '^',
    '_',
    '+',
    ':',
    '!',
    '-r',
    'dev',
  );
  const version = fc.array(piece, { minLength: 1, maxLength: 8 }).map((pieces) => pieces.join(''));
  test.each(packageKinds)('versions of %s are in one order, or not compared', (kind) => {
    fc.assert(
      fc.property(version, version, version, (a, b, c) => {
        const [ab, ba, bc, ac] = [sign(kind, a, b), sign(kind, b, a), sign(kind, b, c), sign(kind, a, c)];
        expect(ab === null ? null : 0 - ab + 0).toBe(ba === null ? null : ba + 0);
        if (ab !== null && bc !== null && ac !== null && ab <= 0 && bc <= 0)
          expect(ac).toBeLessThanOrEqual(0);
      }),
    );
  });

  test('what is not a version of its kind is not compared', () => {
    expect(sign('apk', '1.0', 'main')).toBe(null);
    expect(sign('apk', '1.0', '1.0_x1')).toBe(null);
    expect(sign('node', '1.0.0', 'file:../a')).toBe(null);
    expect(sign('python', '1.0', '1.0-beta-x')).toBe(null);
    expect(sign('ruby', '1.0', 'a.b')).toBe(null);
    expect(sign('dpkg', '1', `1${'0'.repeat(256)}`)).toBe(null);
  });
});
