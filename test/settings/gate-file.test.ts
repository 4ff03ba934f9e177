import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { defaultLimits } from '../../src/limits.ts';
import { findGateFile, readGateFile } from '../../src/settings/gate-file.ts';
import { parseDiveBytes } from '../../src/settings/gate-values.ts';
import { sinNames } from '../../src/analyze/gates/dockerfile.ts';

const reading = { limits: defaultLimits, signal: new AbortController().signal };
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ocislim-gates-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function read(name: string, text: string) {
  await writeFile(join(folder, name), text);
  return readGateFile(join(folder, name), reading);
}

/** Returns the message of the refusal, without the folder. */
async function refusal(name: string, text: string): Promise<string> {
  const error = await read(name, text).then(
    () => new Error('it was read'),
    (thrown: Error) => thrown,
  );
  expect(error).toMatchObject({ code: 'GATES_INVALID' });
  return error.message.replace(`${folder}/`, '');
}

describe('.ocislim.yaml', () => {
  test('has limits that options have, too, for errors and for warnings', async () => {
    const { policy } = await read(
      '.ocislim.yaml',
      [
        'version: 1',
        'check:',
        '  transferSize: 100MB',
        '  layerSize: 512KiB',
        '  reclaimable: 5%',
        '  duplicates: 1000',
        '  setuid: []',
        '  surface: { shells: 0 }',
        '  forbiddenPackages: ["openssl<3"]',
        '  secrets: true',
        'warn:',
        '  dockerfile: true',
        '  layers: 20',
      ].join('\n'),
    );
    expect(policy.check).toMatchObject({
      transferSize: 100_000_000,
      layerSize: 524_288,
      reclaimable: { kind: 'ratio', ratio: 0.05 },
      duplicates: { kind: 'bytes', bytes: 1000 },
      setuid: [],
      surface: { shells: 0 },
      forbiddenPackages: [{ name: 'openssl', versions: { comparison: '<', version: '3' } }],
      secrets: true,
    });
    expect(policy.warn).toEqual({ dockerfile: [...sinNames], layers: 20 });
    expect(JSON.parse(JSON.stringify(policy))).toEqual(policy);
  });

  test.each([
    [
      'an unknown key',
      'version: 1\ncheck:\n  layers: 3\n  laiers: 3\n',
      /^x\.yaml:4: check\.laiers: there is no/,
    ],
    [
      'a size that is none',
      'version: 1\ncheck:\n  secrets: true\n  transferSize: big\n',
      /^x\.yaml:4: transferSize: "big"/,
    ],
    [
      'a share above the whole',
      'version: 1\nwarn:\n  reclaimable: 500%\n',
      /^x\.yaml:3: reclaimable: "500%"/,
    ],
    [
      'a ratio above 1',
      'version: 1\ncheck:\n  lowestEfficiency: 90\n',
      /^x\.yaml:3: check\.lowestEfficiency/,
    ],
    ['a glob', 'version: 1\ncheck:\n  forbiddenPaths:\n    - ok\n    - "[a"\n', /^x\.yaml:5: /],
    [
      'a package',
      'version: 1\ncheck:\n  forbiddenPackages: ["<3"]\n',
      /^x\.yaml:3: forbiddenPackages: "<3" names no/,
    ],
    ['an image', 'version: 1\ncheck:\n  baseImages: ["A B"]\n', /^x\.yaml:3: cannot use "A B"/],
    [
      'a mistake of Dockerfiles',
      'version: 1\ncheck:\n  dockerfile: [sudo, sodu]\n',
      /^x\.yaml:3: check\.dockerfile/,
    ],
    ['another version', 'version: 2\ncheck:\n  layers: 1\n', /^x\.yaml:1: version/],
    ['no gates', 'version: 1\n', /^x\.yaml:1: there are no gates/],
    ['nothing', '# nothing\n', /^x\.yaml:1: the file of gates is empty/],
    ['a key twice', 'version: 1\ncheck:\n  layers: 1\n  layers: 2\n', /^x\.yaml:4: keys must be unique/],
    ['no YAML', 'version: 1\ncheck: [\n', /^x\.yaml:\d: /],
  ])('names the line of %s', async (_, text, told) => {
    expect(await refusal('x.yaml', text)).toMatch(told);
  });
});

describe('a file of dive', () => {
  test.each([
    ['without rules has the defaults', '', { lowestEfficiency: 0.9, highestUserWastedPercent: 0.1 }],
    [
      'has its rules, and defaults for the others',
      'rules:\n  lowestEfficiency: 0.95\n  highestWastedBytes: 20MB\n',
      { lowestEfficiency: 0.95, highestWastedBytes: 20_000_000, highestUserWastedPercent: 0.1 },
    ],
    [
      'may switch rules off by several words, and null leaves the default',
      'rules:\n  lowestEfficiency: OFF\n  highestWastedBytes:\n  highestUserWastedPercent: "disabled "\n',
      {},
    ],
    [
      'may have quotes',
      "rules:\n  lowestEfficiency: '0.5'\n  highestUserWastedPercent: false\n",
      { lowestEfficiency: 0.5 },
    ],
    [
      'may have keys that dive does not know',
      'other: 1\nrules:\n  more: x\n  lowest-efficiency: 0.1\n',
      { lowestEfficiency: 0.9, highestUserWastedPercent: 0.1 },
    ],
  ])('%s: its limits', async (_, text, check) => {
    expect((await read('.dive-ci', text)).policy).toEqual({ check, warn: {} });
  });

  test('says that dive does not read the new names in .dive-ci, and reads them elsewhere', async () => {
    const text = 'rules:\n  lowest-efficiency: 0.5\n  highest-wasted-bytes: 1KB\n';
    expect((await read('.dive-ci', text)).ignored).toEqual([
      expect.stringContaining('.dive-ci: dive does not read lowest-efficiency here: write lowestEfficiency'),
      expect.stringContaining('highest-wasted-bytes'),
    ]);
    const { policy, ignored } = await read('dive.yaml', text);
    expect(policy.check).toEqual({
      lowestEfficiency: 0.5,
      highestWastedBytes: 1000,
      highestUserWastedPercent: 0.1,
    });
    expect(ignored).toEqual([]);
  });

  test.each([
    ['rules:\n  lowestEfficiency: 90%\n', /^\.dive-ci:2: lowestEfficiency: dive does not take "90%"/],
    ['rules:\n  a: 1\n  highestWastedBytes: lots\n', /^\.dive-ci:3: highestWastedBytes/],
    ['rules:\n  highestUserWastedPercent: 1.5\n', /^\.dive-ci:2: highestUserWastedPercent/],
  ])('that dive refuses is refused with its line: %j', async (text, told) => {
    expect(await refusal('.dive-ci', text)).toMatch(told);
  });

  test.each([
    ['20MB', 20_000_000],
    ['1,000 KiB', 1_024_000],
    ['1.5G', 1_500_000_000],
    ['12', 12],
    ['3 ki', 3072],
    ['1.9', 1],
    ['MB', null],
    ['-1', null],
    ['1XB', null],
    ['constructor', null],
  ])('has bytes as humanize reads them: %s is %s', (text, bytes) => {
    expect(parseDiveBytes(text)).toBe(bytes);
  });
});

test('in a folder ours counts before that of dive, and folders are not files', async () => {
  const own = await mkdtemp(join(folder, 'own-'));
  expect(await findGateFile(own, reading)).toBeNull();
  await writeFile(join(own, '.dive-ci'), 'rules:\n  lowestEfficiency: 0.5\n');
  expect((await findGateFile(own, reading))?.policy.check).toMatchObject({ lowestEfficiency: 0.5 });
  await writeFile(join(own, '.ocislim.yml'), 'version: 1\ncheck:\n  layers: 1\n');
  expect((await findGateFile(own, reading))?.policy.check).toEqual({ layers: 1 });
});
