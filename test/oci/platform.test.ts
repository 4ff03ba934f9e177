import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { OcislimError } from '../../src/errors.ts';
import { formatPlatform, matchesPlatform, parsePlatform, readPlatform } from '../../src/oci/platform.ts';

const word = fc.stringMatching(/^[a-z0-9_]{1,8}$/);
const platform = fc
  .record({ os: word, architecture: word, variant: fc.option(word, { nil: undefined }) })
  .map(({ variant, ...rest }) => (variant === undefined ? rest : { ...rest, variant }));

describe('a platform on the command line', () => {
  test('is os and architecture, with an optional variant', () => {
    expect(parsePlatform('linux/amd64')).toEqual({ os: 'linux', architecture: 'amd64' });
    expect(parsePlatform('linux/arm/v7')).toEqual({ os: 'linux', architecture: 'arm', variant: 'v7' });
    fc.assert(
      fc.property(platform, (it) => {
        expect(parsePlatform(formatPlatform(it))).toEqual(it);
      }),
    );
  });

  test.each([
    ['linux/x86_64', 'linux/amd64'],
    ['Linux/AMD64', 'linux/amd64'],
    ['linux/aarch64', 'linux/arm64'],
    ['linux/i386', 'linux/386'],
    ['linux/armhf', 'linux/arm/v7'],
    ['linux/arm/7', 'linux/arm/v7'],
    ['linux/arm64/8', 'linux/arm64/v8'],
    ['linux/ppc64el', 'linux/ppc64le'],
    ['macos/arm64', 'darwin/arm64'],
    ['arm', 'linux/arm'],
    ['arm64', 'linux/arm64'],
    ['x86_64', 'linux/amd64'],
    [' linux/amd64 ', 'linux/amd64'],
    ['windows/amd64:10.0.17763.1', 'windows/amd64:10.0.17763.1'],
    ['windows(10.0.17763.1)/amd64', 'windows/amd64:10.0.17763.1'],
    ['windows(10.0.17763+win32k)/amd64', 'windows/amd64:10.0.17763'],
  ])('may be written as %s', (text, name) => {
    expect(formatPlatform(parsePlatform(text))).toBe(name);
  });

  test.each(['', 'linux', 'linux/', '/amd64', 'linux/arm/', 'linux/arm/v7/x'])('is refused: %j', (text) => {
    expect(() => parsePlatform(text)).toThrow(OcislimError);
    expect(() => parsePlatform(text)).toThrow(`not a platform: ${JSON.stringify(text)}`);
  });

  test('is shown with the version of Windows', () => {
    const windows = { os: 'windows', architecture: 'amd64', osVersion: '10.0.20348' };
    expect(formatPlatform(windows)).toBe('windows/amd64:10.0.20348');
    expect(parsePlatform(formatPlatform(windows))).toEqual(windows);
  });
});

describe('a platform in a document', () => {
  test('has no variant or version where they are empty', () => {
    const json = { os: 'linux', architecture: 'arm64', variant: '', 'os.version': '', 'os.features': ['x'] };
    expect(readPlatform(json)).toEqual({ os: 'linux', architecture: 'arm64' });
    expect(readPlatform({ ...json, variant: 'v8', 'os.version': '1' })).toEqual({
      os: 'linux',
      architecture: 'arm64',
      variant: 'v8',
      osVersion: '1',
    });
  });

  test('is null without os or architecture', () => {
    for (const value of [
      null,
      undefined,
      'linux/amd64',
      {},
      { os: 'linux' },
      { os: 1, architecture: 'amd64' },
    ])
      expect(readPlatform(value)).toBeNull();
  });
});

describe('a wanted platform', () => {
  const matches = (wanted: string, actual: string) =>
    matchesPlatform(parsePlatform(wanted), parsePlatform(actual));

  test('matches anything in the parts that it leaves out', () => {
    expect(matches('linux/arm', 'linux/arm/v7')).toBe(true);
    expect(matches('linux/arm/v7', 'linux/arm/v7')).toBe(true);
    expect(matches('linux/arm/v7', 'linux/arm/v6')).toBe(false);
    expect(matches('linux/arm/v7', 'linux/arm')).toBe(false);
    expect(matches('linux/amd64', 'linux/arm64')).toBe(false);
    expect(matches('windows/amd64', 'linux/amd64')).toBe(false);
  });

  test('takes arm64 and arm64/v8 for the same', () => {
    expect(matches('linux/arm64/v8', 'linux/arm64')).toBe(true);
    expect(matches('linux/arm64', 'linux/arm64/v8')).toBe(true);
    expect(matches('linux/arm64/v9', 'linux/arm64')).toBe(false);
    expect(matchesPlatform({ os: 'linux', architecture: 'x86_64' }, parsePlatform('linux/amd64'))).toBe(true);
  });

  test('matches only its own version of the system, if it states one', () => {
    const actual = { os: 'windows', architecture: 'amd64', osVersion: '10.0.1' };
    expect(matchesPlatform({ ...actual, osVersion: '10.0.2' }, actual)).toBe(false);
    expect(matchesPlatform({ os: 'windows', architecture: 'amd64' }, actual)).toBe(true);
  });

  test('matches itself', () => {
    fc.assert(
      fc.property(platform, (it) => {
        expect(matchesPlatform(it, it)).toBe(true);
      }),
    );
  });
});
