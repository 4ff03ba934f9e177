import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { defaultLimits } from '../../src/limits.ts';
import { readPlan } from '../../src/settings/plan-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'ocislim-plan-lines-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Returns the message about a plan, without the name of its file. */
async function mistakeIn(text: string): Promise<string> {
  const file = join(folder, 'plan.yaml');
  writeFileSync(file, text);
  const error = await readPlan(file, { limits: defaultLimits, signal: new AbortController().signal }).then(
    () => null,
    (thrown: unknown) => thrown as Error,
  );
  return error?.message.replace(file, '') ?? 'no mistake';
}

/** Plans with one mistake each. The line that it is on ends in `# here`. */
const plans: readonly (readonly [name: string, lines: readonly string[], message: RegExp])[] = [
  ['a key that there is not', ['prune:', '  shadowed: true', '  sahdowed: true # here'], /sahdowed/],
  [
    'such a key with parts below',
    ['prune:', '  shadowed: true', '  paths: # here', '    - a', '    - b'],
    /paths/,
  ],
  ['such a stage', ['squash:', '  all: true', 'compress: # here', '  level: 1'], /compress/],
  ['a list where a word belongs', ['prune:', '  shadowed: # here', '    - true'], /shadowed/],
  ['a word where a list belongs', ['prune:', '  # the docs', '  presets: docs # here'], /presets/],
  ['a wrong item of a list', ['prune:', '  rules:', '    - a', '    - { b: c } # here'], /rules/],
  [
    'a preset that there is not',
    ['prune:', '  presets:', '    - docs', '    - dosc # here', '    - logs'],
    /dosc/,
  ],
  ['a preset in a short list', ['prune:', '  shadowed: true', '  presets: [docs, dosc] # here'], /dosc/],
  ['a rule', ['prune:', '  rules:', '    - a', '    - "[a-" # here', '    - b'], /\[a-/],
  [
    'a glob of what stays',
    ['prune:', '  shadowed: true', '  keep:', '    - a', '    - "[a-" # here'],
    /\[a-/,
  ],
  [
    'a trace that there is not',
    ['prune:', '  shadowed: true', '  traces:', '    - /nowhere/b # here'],
    /nowhere/,
  ],
  ['a command', ['prune:', '  traces: []', '  keepCommands:', '    - ls', "    - 'a \"b' # here"], /quote/],
  [
    'a key that goes with traces',
    ['prune:', '  shadowed: true', '  granularity: file # here'],
    /--granularity/,
  ],
  ['another such key', ['prune:', '  keepCommands: [sh] # here', '  shadowed: true'], /--keep-command/],
  [
    'layers of a prune',
    ['prune:', '  shadowed: true', '  # all of them', '  layers: x # here'],
    /not a range/,
  ],
  ['layers of a squash', ['squash:', '', '  layers: 3..2 # here'], /not a range/],
  ['a layer to begin with', ['squash:', '  fromLayer: "x" # here'], /x/],
  ['two selections', ['squash:', '  last: 2', '  all: true # here'], /do not go together/],
  ['two selections the other way', ['squash:', '  all: true', '  last: 2 # here'], /do not go together/],
  [
    'a range and a base',
    ['prune:', '  shadowed: true', '  base: a', '  layers: 1.. # here'],
    /do not go together/,
  ],
  ['a level', ['recompress:', '  compression: gzip', '  # too high', '  level: 13 # here'], /level 13/],
  [
    'a level beside a goal',
    ['recompress:', '  compression: zstd', '  level: 3', '  tune: small # here'],
    /--tune/,
  ],
  ['a goal', ['recompress:', '  budget: 60s', '  tune: tiny # here'], /tiny/],
  ['a bandwidth', ['recompress:', '  budget: 60s', '  tune: pull:fast # here'], /bandwidth/],
  ['a budget', ['recompress:', '  tune: small', '  budget: "60" # here'], /length of time/],
  ['a budget before a goal', ['recompress:', '  budget: soon # here', '  tune: small'], /length of time/],
  ['savings', ['recompress:', '  compression: zstd', '  level: 3', '  minSavings: lots # here'], /lots/],
  ['a format', ['recompress:', '  level: 3', '  compression: zip # here'], /compression/],
  [
    'a level of the second of several stages',
    [
      'recompress:',
      '  - layers: "1"',
      '    compression: gzip',
      '  - layers: "2"',
      '    compression: gzip',
      '    level: 13 # here',
    ],
    /level 13/,
  ],
  ['a stage without anything to do', ['squash: { all: true }', 'recompress: {} # here'], /recompress needs/],
  ['a key that is there twice', ['squash:', '  all: true', 'squash: # here', '  last: 2'], /unique/i],
];

describe('a mistake in a plan has the line of what it is about', () => {
  test.each(plans)('for %s', async (_, lines, message) => {
    const all = ['version: 1', ...lines];
    const told = await mistakeIn(`${all.join('\n')}\n`);
    expect(told).toMatch(message);
    const line = all.findIndex((each) => each.endsWith('# here')) + 1;
    if (line > 0) expect(told).toMatch(new RegExp(`^:${line}: `));
  });

  test.each(plans)(
    'for %s, also with comments, blank lines and other line ends',
    async (_, lines, message) => {
      const all = ['# a plan', '', 'version: 1', '', ...lines.flatMap((line) => ['', line])];
      const line = all.findIndex((each) => each.endsWith('# here')) + 1;
      const told = await mistakeIn(`\ufeff${all.join('\r\n')}\r\n`);
      expect(told).toMatch(message);
      if (line > 0) expect(told).toMatch(new RegExp(`^:${line}: `));
    },
  );
});
