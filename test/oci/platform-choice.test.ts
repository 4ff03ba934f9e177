import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatPlatform, parsePlatform, type Platform } from '../../src/oci/platform.ts';
import { bestMatches, isCompatible, isExact } from '../../src/oci/platform-choice.ts';

const own = (platform: Platform) => platform;

function best(wanted: string, ...there: readonly string[]): readonly string[] {
  return bestMatches(parsePlatform(wanted), there.map(parsePlatform), own).map(formatPlatform);
}

describe('of the platforms of an index', () => {
  test.each<readonly [wanted: string, there: readonly string[], best: readonly string[]]>([
    // An exact match wins, wherever it stands.
    ['linux/amd64', ['linux/amd64/v3', 'linux/amd64'], ['linux/amd64']],
    ['linux/amd64/v3', ['linux/amd64', 'linux/amd64/v3'], ['linux/amd64/v3']],
    ['linux/arm', ['linux/arm/v5', 'linux/arm', 'linux/arm/v7'], ['linux/arm']],
    // No variant means the usual one, then the nearest lower one, then the nearest higher one.
    ['linux/arm', ['linux/arm/v5', 'linux/arm/v6', 'linux/arm/v7', 'linux/arm/v8'], ['linux/arm/v7']],
    ['linux/arm', ['linux/arm/v5', 'linux/arm/v6'], ['linux/arm/v6']],
    ['linux/arm64', ['linux/arm64/v9', 'linux/arm64/v8'], ['linux/arm64/v8']],
    ['linux/amd64', ['linux/amd64/v3', 'linux/amd64/v2'], ['linux/amd64/v2']],
    ['linux/amd64', ['linux/amd64/v1'], ['linux/amd64/v1']],
    // A lower variant runs on a higher one, and not the other way.
    ['linux/arm/v7', ['linux/arm/v5', 'linux/arm/v6'], ['linux/arm/v6']],
    ['linux/arm/v7', ['linux/arm'], ['linux/arm']],
    ['linux/arm/v6', ['linux/arm', 'linux/arm/v7'], []],
    ['linux/amd64/v3', ['linux/amd64', 'linux/amd64/v2', 'linux/amd64/v4'], ['linux/amd64/v2']],
    ['linux/amd64/v3', ['linux/amd64'], ['linux/amd64']],
    ['linux/arm64/v8', ['linux/arm64'], ['linux/arm64']],
    ['linux/arm64/v8', ['linux/arm64/v8.0'], ['linux/arm64/v8.0']],
    ['linux/arm64/v8', ['linux/arm64/v8.2', 'linux/arm64'], ['linux/arm64']],
    // No other architecture is compatible.
    ['linux/amd64', ['linux/386', 'linux/arm64', 'windows/amd64'], []],
    ['linux/arm64', ['linux/arm/v7'], []],
    // Variants that are words.
    ['linux/mips', ['linux/mips/softfloat'], ['linux/mips/softfloat']],
    ['linux/mips/softfloat', ['linux/mips', 'linux/mips/hardfloat'], []],
    // Versions of Windows: exact, then the same build, of which the latest revision is best.
    [
      'windows/amd64:10.0.17763.1',
      ['windows/amd64:10.0.17763.5', 'windows/amd64:10.0.17763.1'],
      ['windows/amd64:10.0.17763.1'],
    ],
    [
      'windows/amd64:10.0.17763',
      ['windows/amd64:10.0.17763.5', 'windows/amd64:10.0.17763.10', 'windows/amd64:10.0.20348.1'],
      ['windows/amd64:10.0.17763.10'],
    ],
    ['windows/amd64:10.0.17763.1', ['windows/amd64:10.0.17763.5'], ['windows/amd64:10.0.17763.5']],
    ['windows/amd64:10.0.17763.1', ['windows/amd64:10.0.177630.1', 'windows/amd64'], []],
    // A tie: the caller takes the first and says so.
    [
      'windows/amd64',
      ['windows/amd64:10.0.17763.1', 'windows/amd64:10.0.20348.1'],
      ['windows/amd64:10.0.17763.1', 'windows/amd64:10.0.20348.1'],
    ],
  ])('%s is best served, of %j, by %j', (wanted, there, expected) => {
    expect(best(wanted, ...there)).toEqual(expected);
  });

  test('names that tools other than Go have mean the same in an index', () => {
    const actual = { os: 'Linux', architecture: 'x86_64' };
    expect(bestMatches(parsePlatform('linux/amd64'), [actual], own)).toEqual([actual]);
  });

  test('each one is its own best match, and exact', () => {
    const platform = fc
      .record({
        os: fc.constantFrom('linux', 'windows'),
        architecture: fc.constantFrom('amd64', 'arm', 'arm64', 'mips'),
        variant: fc.option(fc.constantFrom('v5', 'v6', 'v7', 'v8', 'softfloat'), { nil: undefined }),
        osVersion: fc.option(fc.constantFrom('10.0.1.1', '10.0.1.2', '10.0.2'), { nil: undefined }),
      })
      .map(({ variant, osVersion, ...rest }) => ({
        ...rest,
        ...(variant === undefined ? {} : { variant }),
        ...(osVersion === undefined ? {} : { osVersion }),
      }));
    fc.assert(
      fc.property(fc.uniqueArray(platform, { selector: formatPlatform, minLength: 1 }), (there) => {
        for (const each of there) {
          expect(bestMatches(each, there, own)).toEqual([each]);
          expect(isExact(each, each) && isCompatible(each, each)).toBe(true);
        }
      }),
    );
  });
});
