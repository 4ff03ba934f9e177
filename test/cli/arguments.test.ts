import { describe, expect, test } from 'vitest';
import { splitArguments } from '../../src/cli/arguments.ts';
import { choice, count, flag, list, listOptions, text } from '../../src/settings/option.ts';

const group = 'Work';
const options = listOptions({
  dryRun: flag({ alias: 'n', describe: '', group }),
  tlsVerify: flag({ default: true, describe: '', group }),
  last: count(1, { alias: 'l', value: 'N', describe: '', group }),
  level: count(1, { alias: 'compression-level', value: 'N', describe: '', group }),
  rule: list((texts) => texts, { alias: 'r', value: 'GLOB', describe: '', group }),
  cacheDir: text({ value: 'DIR', describe: '', group }),
  progress: choice(['tty', 'none'], { describe: '', group }),
  provenance: list((texts) => texts, { value: 'FILE', bare: 'attach', describe: '', group }),
});

const split = (line: string) => splitArguments(line === '' ? [] : line.split(' '), options);

describe('a command line', () => {
  test.each([
    ['', {}, []],
    ['a b', {}, ['a', 'b']],
    ['a --last 3 b', { last: 3 }, ['a', 'b']],
    ['--last=3', { last: 3 }, []],
    ['-l3', { last: 3 }, []],
    ['-l=3', { last: 3 }, []],
    ['-nl 3', { 'dry-run': true, last: 3 }, []],
    ['--compression-level 5', { level: 5 }, []],
    ['--last -1', { last: -1 }, []],
    ['--last x', { last: Number.NaN }, []],
    ['--last=', { last: Number.NaN }, []],
    ['--last 1 --last 2', { last: ['1', '2'] }, []],
    ['--rule a -r b --rule=c=d', { rule: ['a', 'b', 'c=d'] }, []],
    ['--rule=-a', { rule: ['-a'] }, []],
    ['--provenance a', { provenance: ['attach'] }, ['a']],
    ['--provenance=a b --provenance', { provenance: ['a', 'attach'] }, ['b']],
    ['--provenance=', { provenance: [''] }, []],
    ['--dry-run -n', { 'dry-run': true }, []],
    ['--dry-run=false', { 'dry-run': false }, []],
    ['--dry-run false a', { 'dry-run': false }, ['a']],
    ['--dry-run a', { 'dry-run': true }, ['a']],
    ['--no-tls-verify', { 'tls-verify': false }, []],
    ['--tls-verify=0', { 'tls-verify': false }, []],
    ['--tls-verify true', { 'tls-verify': true }, []],
    ['--no-progress', { progress: 'none' }, []],
    ['--cache-dir - x -', { 'cache-dir': '-' }, ['x', '-']],
    ['--cache-dir=', { 'cache-dir': '' }, []],
  ])('%j is split into options and arguments', (line, values, positionals) => {
    const found = split(line);
    expect(found.values).toEqual(values);
    expect(found.positionals.map(({ value }) => value)).toEqual(positionals);
    expect(found.unknown).toEqual([]);
  });

  test('ends at --: the words behind it are not looked at', () => {
    expect(split('a -- --last -x b')).toMatchObject({ values: {}, rest: ['--last', '-x', 'b'] });
  });

  test('tells of unknown options, and does not take the next word for their value', () => {
    const { unknown, positionals } = split('--zstd a -x --__proto__ --constructor');
    expect(unknown.map(({ written }) => written)).toEqual(['--zstd', '-x', '--__proto__', '--constructor']);
    expect(positionals.map(({ value }) => value)).toEqual(['a']);
  });

  test.each([
    ['--last', /^--last needs a value: N$/],
    ['a -l', /^-l needs a value: N$/],
    ['--rule --dry-run', /^--rule needs a value: GLOB$/],
    ['--rule -n', /^--rule needs a value: GLOB$/],
    ['--progress', /^--progress needs a value: tty, none$/],
    ['--dry-run=maybe', /^--dry-run is on or off/],
    ['--no-last', /^unknown option: --no-last$/],
  ])('%j is refused', (line, message) => {
    expect(() => split(line)).toThrow(message);
  });

  test('a value that begins with a dash can be given, and the error says how', () => {
    expect(() => split('--rule -a*')).toThrow(
      expect.objectContaining({
        advice: 'A value that begins with a dash goes behind "=": --rule=-a*',
      }) as Error,
    );
    expect(split('--rule=-a*').values).toEqual({ rule: ['-a*'] });
  });
});
