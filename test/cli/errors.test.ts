import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { tar } from '../jobs/rig.ts';
import { callCli, type CliResult, runCli } from '../support/cli.ts';
import { buildImage, readImage, writeLayout } from '../support/image-builder.ts';
import { list } from '../support/model/shorthand.ts';

let folder = '';
let source = '';
let fresh = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ocislim-cli-'));
  source = `oci:${folder}/source:app`;
  const layers = [
    tar('etc/', 'etc/passwd=root', 'a=1', 'b=1', 'keep=1'),
    tar('a=2', 'cache/', 'cache/x=123'),
    tar('.wh.b'),
  ];
  await writeLayout(join(folder, 'source'), {
    app: buildImage({ layers }),
    base: buildImage({ layers: layers.slice(0, 1) }),
    other: buildImage({ layers: [tar('something=else')] }),
  });
  await mkdir(join(folder, 'tmp'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Returns a destination that no test has used. */
function destination(): { readonly reference: string; readonly path: string } {
  const path = join(folder, `result-${fresh++}`);
  return { reference: `oci:${path}:new`, path };
}

type Surroundings = { readonly env?: Readonly<Record<string, string>> };

async function cli(args: readonly string[], options: Surroundings = {}): Promise<CliResult> {
  const result = await callCli(args, { TMPDIR: join(folder, 'tmp'), ...options.env });
  expect(await readdir(join(folder, 'tmp')), 'files left behind').toEqual([]);
  return result;
}

/** Asserts what all refusals have in common: one clear message on stderr, nothing on stdout, nothing written. */
async function refused(args: readonly string[], status: number, options: Surroundings = {}): Promise<string> {
  const target = destination();
  const result = await cli(
    args.map((arg) => (arg === 'DST' ? target.reference : arg)),
    options,
  );
  expect(result.status, result.stderr).toBe(status);
  expect(result.stdout).toBe('');
  expect(result.stderr).not.toMatch(/undefined|NaN|\[object|\bnull\b|a bug in ocislim|\n {4}at /);
  expect(result.stderr.split('\n').filter((line) => line.startsWith('ocislim: '))).toHaveLength(1);
  expect(await readdir(folder)).not.toContain(target.path.slice(folder.length + 1));
  return result.stderr;
}

async function succeeds(args: readonly string[], options: Surroundings = {}): Promise<CliResult> {
  const result = await cli(args, options);
  expect(result.status, result.stderr).toBe(0);
  return result;
}

describe('references', () => {
  test.each([
    ['docker-daemon:app:1', /without a daemon.*\[REFERENCE_INVALID\]\n {2}.*docker save/],
    ['containers-storage:app', /podman.*\[REFERENCE_INVALID\]\n {2}.*podman save/],
    ['dir:/tmp/x', /"dir:" is not known here.*\n {2}.*skopeo copy dir:\/tmp\/x oci:/],
    ['https://registry.example/app', /"https:" is not known here/],
    ['registry.example/App:1', /lower case/],
    ['registry.example/app:1:2', /is not a repository name/],
    ['registry.example/app@sha256:123', /not a sha256 or sha512 digest/],
    ['oci:', /the path is missing/],
    ['oci:dir@sha256:123', /not a digest/],
    ['', /it is empty/],
  ])('%j is refused with advice', async (reference, message) => {
    expect(await refused(['squash', reference, 'DST', '--all'], 2)).toMatch(message);
    expect(await refused(['squash', source, reference === '' ? 'oci:' : reference, '--all'], 2)).toContain(
      '[REFERENCE_INVALID]',
    );
  });

  test('a missing layout, tag and archive', async () => {
    expect(await refused(['squash', `oci:${folder}/nothing:1`, 'DST', '--all'], 1)).toMatch(
      /source oci:.*nothing:1.*\[NOT_FOUND\]/,
    );
    expect(await refused(['squash', `oci:${folder}/source:nope`, 'DST', '--all'], 1)).toMatch(
      /no image named "nope"; it holds:\n {2}- oci:\S+source:app\n/,
    );
    expect(await refused(['squash', `oci-archive:${folder}/nothing.tar`, 'DST', '--all'], 1)).toMatch(
      /nothing\.tar/,
    );
    expect(await refused(['squash', `docker-archive:${folder}/nothing.tar`, 'DST', '--all'], 1)).toMatch(
      /nothing\.tar/,
    );
  });

  test('a layout of several images without a tag', async () => {
    expect(await refused(['squash', `oci:${folder}/source`, 'DST', '--all'], 2)).toMatch(
      /several images:\n {2}- oci:\S+source:app\n/,
    );
  });
});

describe('destinations', () => {
  test('none', async () => {
    expect(await refused(['squash', source, '--all'], 2)).toMatch(
      /no destination was given.*\n {2}.*--in-place.*--dry-run/,
    );
  });

  test('the source', async () => {
    expect(await refused(['squash', source, source, '--all'], 2)).toMatch(/is the source.*\n {2}--in-place/);
    expect(
      await refused(['squash', 'registry.example/app', 'registry.example/app:latest', '--all'], 2),
    ).toMatch(/is the source/);
    expect(await refused(['squash', 'docker.io/library/app', '-t', 'app:latest', '--all'], 2)).toMatch(
      /is the source/,
    );
    expect(
      await refused(
        ['squash', source, `oci:${folder}/../${folder.split('/').at(-1)}/source:app`, '--all'],
        2,
      ),
    ).toMatch(/is the source/);
  });

  test('--in-place without a name to write to, or where other images would go', async () => {
    expect(await refused(['squash', `oci:${folder}/source`, '--all', '--in-place'], 2)).toMatch(
      /it holds several images:\n {2}- oci:\S+source:app\n/,
    );
    const archive = join(folder, 'two.tar');
    await succeeds(['copy', source, '-t', `oci-archive:${archive}:one`, '-t', `oci-archive:${archive}:two`]);
    const before = await readFile(archive);
    for (const [kind, old, fresh] of [
      ['oci-archive', 'one', 'new'],
      ['docker-archive', 'app:one', 'app:new'],
    ] as const) {
      expect(
        await refused(['squash', `${kind}:${archive}:${old}`, `${kind}:${archive}:${fresh}`, '--all'], 2),
      ).toMatch(/is the source.*\n {2}Write to another file; --in-place/);
    }
    expect((await readFile(archive)).equals(before)).toBe(true);
    expect(await refused(['squash', 'docker-archive:-', '--all', '--in-place'], 2)).toMatch(
      /cannot write over standard input.*\n {2}Write to standard output: docker-archive:-/,
    );
  });

  test('--in-place writes over the tag, and only that', async () => {
    const layout = join(folder, 'in-place');
    await writeLayout(layout, {
      a: buildImage({ layers: [tar('x=1'), tar('x=2')] }),
      b: buildImage({ layers: [tar('y=1')] }),
    });
    const kept = await readImage(layout, { tag: 'b' });
    await succeeds(['squash', `oci:${layout}:a`, '--all', '--in-place']);
    const image = await readImage(layout, { tag: 'a' });
    expect(image.layers).toHaveLength(1);
    expect(list(...image.layers)).toEqual(['x=2']);
    expect((await readImage(layout, { tag: 'b' })).descriptor).toEqual(kept.descriptor);
  });

  test('--in-place with another, and with a digest', async () => {
    expect(await refused(['squash', source, 'DST', '--all', '--in-place'], 2)).toMatch(
      /--in-place .*takes no destination/,
    );
    expect(
      await refused(['squash', `registry.example/app@sha256:${'0'.repeat(64)}`, '--all', '--in-place'], 2),
    ).toMatch(/--in-place needs a tag/);
  });

  test('one that cannot be written', async () => {
    await writeFile(join(folder, 'a-file'), 'x');
    const stderr = await refused(['squash', source, `oci:${folder}/a-file/below:1`, '--all'], 1);
    expect(stderr).toMatch(/destination oci:.*a-file/);
  });

  test('two places at once', async () => {
    expect(
      await refused(['squash', source, '-t', `oci:${folder}/one:1`, '-t', `oci:${folder}/two:1`, '--all'], 2),
    ).toMatch(/in another place than/);
  });
});

describe('selections', () => {
  test.each([
    [['--last', '4'], /linux\/amd64.*\[SELECTION_INVALID\]/],
    [['--layers', '2..9'], /linux\/amd64/],
    [['--from-layer', '7'], /linux\/amd64/],
    [['--from-layer', `sha256:${'1'.repeat(64)}`], /no layer with the digest or DiffID/],
    [['--layers', '3..2'], /not a range of layers: "3\.\.2".*\n {2}Write A\.\.B/],
    [['--layers', '0..2'], /not a range of layers/],
    [['--layers', 'all'], /not a range of layers/],
    [['--last', '0'], /--last takes a whole number above 0, not 0/],
    [['--last', 'three'], /--last takes a number/],
    [['--last', '1.5'], /--last takes a whole number above 0, not 1\.5/],
    [[], /which layers.*\n {2}Give one of/],
    [['--last', '2', '--all'], /do not go together/],
    [['--last', '2', '--last', '3'], /--last is given twice/],
  ] as const)('squash %j', async (options, message) => {
    expect(await refused(['squash', source, 'DST', ...options], 2)).toMatch(message);
  });

  test('prune of layers that are not there', async () => {
    expect(await refused(['prune', source, 'DST', '--shadowed', '--layers', '4..'], 2)).toMatch(
      /\[SELECTION_INVALID\]/,
    );
  });

  test('a base that the image is not built on, and one with nothing above it', async () => {
    expect(await refused(['squash', source, 'DST', '--base', `oci:${folder}/source:other`], 1)).toMatch(
      /not built on .*source:other.*\[BASE_MISMATCH\]/,
    );
    expect(
      await refused(['squash', `oci:${folder}/source:base`, 'DST', '--base', `oci:${folder}/source:base`], 2),
    ).toMatch(/no layer above/);
  });
});

describe('rules', () => {
  test('a bad line names file and line', async () => {
    const file = join(folder, 'rules.txt');
    await writeFile(file, '# comment\n\nusr/share/doc/**\nusr/[a-\n');
    expect(await refused(['prune', source, 'DST', '--rules', file], 2)).toMatch(
      /rules\.txt:4.*\[RULES_INVALID\]/,
    );
    expect(await refused(['prune', source, 'DST', '--shadowed', '--keep-file', file], 2)).toMatch(
      /rules\.txt:4/,
    );
    expect(await refused(['prune', source, 'DST', '--rule', 'usr/[a-'], 2)).toMatch(
      /--rule.*\[RULES_INVALID\]/,
    );
    expect(await refused(['prune', source, 'DST', '--rule', '../etc'], 2)).toMatch(/--rule/);
  });

  test('a file that is not there, or no text', async () => {
    expect(await refused(['prune', source, 'DST', '--rules', join(folder, 'none')], 2)).toMatch(
      /rule file .*none": it does not exist/,
    );
    await writeFile(join(folder, 'binary'), Uint8Array.of(0xff, 0xfe, 0x00));
    expect(await refused(['prune', source, 'DST', '--rules', join(folder, 'binary')], 2)).toMatch(
      /not UTF-8/,
    );
  });

  test('nothing to remove, and presets that there are not', async () => {
    expect(await refused(['prune', source, 'DST'], 2)).toMatch(/what to remove.*\n {2}Give --rule/);
    expect(await refused(['prune', source, 'DST', '--preset', 'dosc'], 2)).toMatch(/dosc/);
  });
});

describe('plans', () => {
  test.each([
    ['version: 1\nprune:\n  shadowed: yes please\n', /plan\.yaml:3: prune\.shadowed/],
    ['version: 1\nprune:\n  shadowed: true\n  sahdowed: true\n', /plan\.yaml:4: .*sahdowed/],
    ['version: 2\nsquash: { all: true }\n', /plan\.yaml:1: version/],
    ['version: 1\nsquash:\n  last: 0\n', /plan\.yaml:3: squash\.last/],
    ['version: 1\nsquash:\n  last: 2\n  all: true\n', /plan\.yaml:\d: .*do not go together/],
    [
      'version: 1\nrecompress:\n  compression: gzip\n  level: 13\n',
      /plan\.yaml:4: .*levels run from 1 to 12/,
    ],
    ['version: 1\nrecompress:\n  compression: brotli\n', /plan\.yaml:3: recompress\.compression/],
    ['version: 1\nrecompress:\n  compression: zstd\n  minSavings: lots\n', /plan\.yaml:4: /],
    ['version: 1\nrecompress: {}\n', /plan\.yaml:2: recompress needs compression, tune or budget/],
    ['version: 1\nrecompress: []\n', /plan\.yaml:2: recompress/],
    ['version: 1\nrecompress:\n  compresion: zstd\n', /plan\.yaml:3: .*compresion/],
    [
      'version: 1\nrecompress:\n  - { layers: "1", compression: zstd }\n  - { layers: "2", compression: zip }\n',
      /plan\.yaml:4: recompress\.1\.compression/,
    ],
    ['version: 1\nrecompress:\n  tune: pull:fast\n', /plan\.yaml:3: .*"fast" is not a bandwidth/],
    ['version: 1\nrecompress:\n  budget: 60\n', /plan\.yaml:3: recompress\.budget/],
    [
      'version: 1\nrecompress:\n  compression: zstd\n  level: 3\n  tune: small\n',
      /plan\.yaml:5: --level and --tune do not go together/,
    ],
    ['version: 1\nprune:\n  presets:\n    - docs\n    - dosc\n', /plan\.yaml:[345]: .*dosc/],
    ['version: 1\nprune:\n  rules:\n    - ok\n    - "[a-"\n', /plan\.yaml:5/],
    ['version: 1\nprune:\n  layers: x\n', /plan\.yaml:[23]: not a range/],
    ['version: 1\n', /plan\.yaml:1: the plan has no stage/],
    ['version: 1\n  squash: [\n', /plan\.yaml:\d+: /],
    ['', /plan\.yaml:1: the plan is empty/],
    ['prune: {}\nsquash: *lost\n', /plan\.yaml:2: .*[Uu]nresolved alias/],
    [
      `a: &a [${'x,'.repeat(20)}]\nb: &b [${'*a,'.repeat(20)}]\nc: [${'*b,'.repeat(20)}]\n`,
      /plan\.yaml:1: .*[Ee]xcessive alias count/,
    ],
    ['squash:\n  layers: 1..\n  ? [a]\n  : b\n', /plan\.yaml:3: .*keys must be strings/],
    ['[]', /plan\.yaml:1: /],
  ])('with a mistake are refused, with its line: %j', async (content, message) => {
    const file = join(folder, 'plan.yaml');
    await writeFile(file, content);
    expect(await refused(['slim', source, 'DST', '-f', file], 2)).toMatch(message);
  });

  test('with more lists in each other than the parser can bear', async () => {
    const file = join(folder, 'plan.yaml');
    await writeFile(file, `${'- '.repeat(40_000)}x\n`);
    expect(await refused(['slim', source, 'DST', '-f', file], 2)).toMatch(/plan\.yaml:1: .*too deep/);
  });

  test('beside options that it replaces', async () => {
    const file = join(folder, 'plan.yaml');
    await writeFile(file, 'version: 1\nsquash: { all: true }\n');
    expect(await refused(['slim', source, 'DST', '-f', file, '--last', '2'], 2)).toMatch(
      /--file and --last do not go together/,
    );
  });
});

describe('options', () => {
  test.each([
    [['squsah', 'a', 'b'], /Did you mean squash\?/],
    [['frobnicate'], /frobnicate|[Uu]nknown command/],
    [['squash', 'SRC', 'DST', '--lsat', '3'], /lsat/],
    [['squash', 'SRC', 'DST', 'third', '--all'], /third/],
    [['squash'], /missing argument: SRC .*\n {2}Usage: ocislim squash SRC \[DST\]/],
    [['verify', 'SRC'], /missing argument: B /],
    [
      ['recompress', 'SRC', 'DST', '--compression', 'gzip', '--level', '13'],
      /gzip with libdeflate has no level 13: levels run from 1 to 12/,
    ],
    [
      ['recompress', 'SRC', 'DST', '--compression', 'gzip', '--level', '10', '--gzip-engine', 'zlib'],
      /levels run from 1 to 9/,
    ],
    [['recompress', 'SRC', 'DST', '--compression', 'zstd', '--level', '23'], /levels run from 1 to 22/],
    [['recompress', 'SRC', 'DST', '--compression', 'zstd', '--level', '0'], /no level 0/],
    [['recompress', 'SRC', 'DST', '--compression', 'zstd', '--level', 'max'], /level/],
    [['recompress', 'SRC', 'DST', '--compression', 'none', '--level', '1'], /no level/],
    [['recompress', 'SRC', 'DST', '--level', '3'], /--level needs --compression/],
    [['recompress', 'SRC', 'DST', '--compression', 'lz4'], /compression/],
    [['recompress', 'SRC', 'DST', '--compression', 'zstd', '--min-savings', 'much'], /--min-savings/],
    [
      ['recompress', 'SRC', 'DST', '--compression', 'zstd', '--level', '3', '--tune', 'small'],
      /--level and --tune do not go together: --tune chooses the levels/,
    ],
    [
      ['squash', 'SRC', 'DST', '--all', '--compression', 'zstd', '--level', '3', '--budget', '9s'],
      /--level and --budget do not go together/,
    ],
    [
      ['recompress', 'SRC', 'DST', '--compression', 'none', '--tune', 'fast'],
      /--compression none and --tune/,
    ],
    [
      ['slim', 'SRC', 'DST', '--tune', 'tiny'],
      /the goal "tiny" is not known \[USAGE\]\n {2}Use fast, balanced, small or pull/,
    ],
    [['recompress', 'SRC', 'DST', '--tune', 'pull'], /the goal "pull" is not known/],
    [
      ['recompress', 'SRC', 'DST', '--tune', 'pull:100'],
      /--tune: "100" is not a bandwidth \[USAGE\]\n {2}Write bits/,
    ],
    [['recompress', 'SRC', 'DST', '--tune', 'pull:0Mbit'], /a bandwidth must be above 0/],
    [['prune', 'SRC', 'DST', '--shadowed', '--budget', '60'], /--budget: "60" is not a length of time/],
    [
      ['recompress', 'SRC', 'DST', '--compression', 'zstd', '--require-savings', '5MB'],
      /--require-savings takes a percentage/,
    ],
    [['squash', 'SRC', 'DST', '--all', '--platform', 'linux'], /not a platform: "linux"/],
    [['squash', 'SRC', 'DST', '--all', '--jobs', '0'], /--jobs takes a whole number above 0/],
    [['squash', 'SRC', 'DST', '--all', '--jobs', 'many'], /--jobs takes a number/],
    [['squash', 'SRC', 'DST', '--all', '--max-scratch', 'big'], /--max-scratch/],
    [['squash', 'SRC', 'DST', '--all', '--retry-times', 'often'], /--retry-times/],
    [['squash', 'SRC', 'DST', '--all', '--timeout', '-1'], /--timeout/],
    [['squash', 'SRC', 'DST', '--all', '--report', 'x.txt'], /\.json or \.md/],
    [['squash', 'SRC', 'DST', '--all', '--label', 'novalue'], /KEY=VALUE/],
    [['squash', 'SRC', 'DST', '--all', '--creds', 'nobody'], /--creds|USER:PASSWORD/],
  ] as const)('that are wrong are refused: %j', async (args, message) => {
    expect(
      await refused(
        args.map((arg) => (arg === 'SRC' ? source : arg)),
        2,
      ),
    ).toMatch(message);
  });

  test('SOURCE_DATE_EPOCH that is not a number', async () => {
    expect(
      await refused(['squash', source, 'DST', '--all'], 2, { env: { SOURCE_DATE_EPOCH: 'now' } }),
    ).toMatch(/SOURCE_DATE_EPOCH/);
  });

  test('the environment stands for options of the command, and others of its names do no harm', async () => {
    const target = destination();
    await succeeds(['copy', source, target.reference], {
      env: { OCISLIM_COMPRESSION: 'zstd', OCISLIM_LAST: '2', OCISLIM_SOMETHING: 'x' },
    });
    const packed = destination();
    await succeeds(['recompress', source, packed.reference], {
      env: { OCISLIM_COMPRESSION: 'zstd', OCISLIM_LEVEL: '5', OCISLIM_JOBS: '1' },
    });
    expect((await readImage(packed.path)).manifest.layers[0]?.mediaType).toMatch(/zstd$/);
    const all = ['squash', source, 'DST', '--all'];
    expect(await refused(all, 2, { env: { OCISLIM_JOBS: 'many' } })).toContain('OCISLIM_JOBS');
    expect(await refused(all, 2, { env: { OCISLIM_FORMAT: 'yaml' } })).toMatch(
      /: OCISLIM_FORMAT takes text, json/,
    );
    expect(await refused([...all, '--format=xml'], 2, { env: { OCISLIM_FORMAT: 'json' } })).toMatch(
      /: --format takes/,
    );
  });
});

describe('repeatable options', () => {
  test('every rule, file, glob and tag counts', async () => {
    const target = destination();
    const rules = join(folder, 'more-rules.txt');
    await writeFile(rules, 'cache\n');
    await succeeds([
      'prune',
      source,
      '-t',
      target.reference,
      '-t',
      `${target.reference}2`,
      '--rules',
      rules,
      '--rule',
      'etc/*',
      '--rule',
      'keep',
      '--rule',
      'a',
      '--keep',
      'keep',
      '--keep',
      'etc/none',
    ]);
    const image = await readImage(target.path, { tag: 'new' });
    expect(list(...image.layers)).toEqual(['etc/', 'keep=1']);
    expect((await readImage(target.path, { tag: 'new2' })).descriptor.digest).toBe(image.descriptor.digest);
  });

  test('labels and reports too', async () => {
    const target = destination();
    const reports = [join(folder, 'r1.json'), join(folder, 'r2.md')] as const;
    await succeeds([
      'squash',
      source,
      target.reference,
      '--all',
      '--label',
      'a=1',
      '--label',
      'b=2=3',
      '--report',
      reports[0],
      '--report',
      reports[1],
    ]);
    expect((await readImage(target.path)).config.config).toMatchObject({ Labels: { a: '1', b: '2=3' } });
    expect(JSON.parse(await readFile(reports[0], 'utf8'))).toBeTypeOf('object');
    expect(await readFile(reports[1], 'utf8')).toContain('#');
  });
});

describe('what goes where', () => {
  test('stdout is one line: the new image with its digest', async () => {
    const target = destination();
    const { stdout, stderr } = await succeeds(['squash', source, target.reference, '--last', '2']);
    const { descriptor } = await readImage(target.path);
    expect(stdout).toBe(`oci:${target.path}:new@${descriptor.digest}\n`);
    expect(stderr).not.toBe('');
    const quiet = await succeeds(['squash', source, destination().reference, '--last', '2', '-q']);
    expect(quiet.stdout.split('\n')).toHaveLength(2);
    expect(quiet.stderr).toBe('');
  });

  test('--format json puts the report on stdout and nothing else', async () => {
    const { stdout } = await succeeds([
      'squash',
      source,
      destination().reference,
      '--last',
      '2',
      '--format',
      'json',
      '-v',
    ]);
    expect(JSON.parse(stdout)).toMatchObject({ command: 'squash' });
    const dry = await succeeds(['squash', source, '--last', '2', '--format', 'json', '--dry-run']);
    expect(JSON.parse(dry.stdout)).toMatchObject({ dryRun: true });
  });

  test('a dry run tells the savings first and last, and judges --require-savings by them', async () => {
    const run = (...more: string[]) => ['recompress', source, '--compression', 'none', '--dry-run', ...more];
    const { stderr } = await succeeds(run());
    expect(stderr).toMatch(/^dry run: nothing was written; the layers would grow from .* to [^~]*\)$/m);
    expect(stderr.trimEnd().split('\n').at(-1)).toMatch(/^dry run: the layers would grow from/);
    await refused(run('--require-savings', '10%'), 3);
    const { stdout } = await succeeds(run('--format', 'json'));
    expect(JSON.parse(stdout)).toMatchObject({
      platforms: [{ compressing: { sizeAfter: expect.any(Number) as number, sizeAfterError: 0 } }],
    });
  });

  test('a dry run writes nothing and prints its plan on stderr', async () => {
    const target = destination();
    const { stdout, stderr } = await succeeds([
      'prune',
      source,
      target.reference,
      '--rule',
      'cache/**',
      '--dry-run',
    ]);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/cache/);
    expect(await readdir(folder)).not.toContain(target.path.slice(folder.length + 1));
  });

  test('help and version go to stdout', async () => {
    const [general, own, version] = await Promise.all(
      [['--help'], ['squash', '-h'], ['--version']].map((args) =>
        runCli(args, { env: { OCISLIM_CREDS: 'me:secret' } }),
      ),
    );
    expect(general).toMatchObject({ status: 0, stderr: '', stdout: expect.stringContaining('squash') });
    expect(own).toMatchObject({ status: 0, stderr: '', stdout: expect.stringContaining('--last') });
    expect(own?.stdout).not.toContain('secret');
    expect(version).toMatchObject({
      status: 0,
      stderr: '',
      stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
    });
  });

  test('--digestfile, --iidfile and --metadata-file', async () => {
    const target = destination();
    const file = (name: string): string => join(folder, name);
    await succeeds([
      'squash',
      source,
      target.reference,
      '--all',
      '--digestfile',
      file('d'),
      '--iidfile',
      file('i'),
      '--metadata-file',
      file('m'),
    ]);
    const { descriptor, manifest } = await readImage(target.path);
    expect((await readFile(file('d'), 'utf8')).trim()).toBe(descriptor.digest);
    expect(await readFile(file('i'), 'utf8')).toBe(manifest.config.digest);
    expect(JSON.parse(await readFile(file('m'), 'utf8'))).toMatchObject({
      'containerimage.digest': descriptor.digest,
    });
  });
});

describe('files of results', () => {
  test.each(['--report', '--digestfile', '--iidfile', '--metadata-file'])(
    '%s in a folder that is not there: known before anything is published',
    async (option) => {
      const stderr = await refused(
        ['squash', source, 'DST', '--all', option, join(folder, 'no-folder', 'x.json')],
        1,
      );
      expect(stderr).toMatch(/cannot write .*no-folder.*x\.json.*\[IO\]/);
    },
  );
});

describe('exit statuses', () => {
  test('0 when there is nothing to do, with the same digest', async () => {
    const target = destination();
    const { stdout } = await succeeds(['squash', source, target.reference, '--last', '1']);
    expect(stdout).toContain((await readImage(join(folder, 'source'), { tag: 'app' })).descriptor.digest);
  });

  test('3 when a gate fails', async () => {
    expect(
      await refused(['recompress', source, 'DST', '--compression', 'none', '--require-savings', '10%'], 3),
    ).toMatch(/should shrink by 10\.0 %; nothing was published \[GATE\]/);
  });

  test('1 for a warning with --strict', async () => {
    expect(await refused(['prune', source, 'DST', '--rule', 'no/such/thing', '--strict'], 1)).toMatch(
      /no\/such\/thing.*made an error by --strict/,
    );
    await succeeds(['prune', source, destination().reference, '--rule', 'no/such/thing']);
  });

  test('1 for a layer that lies', async () => {
    const built = buildImage({ layers: [tar('a=1'), tar('b=1')] });
    const blobs = new Map(built.blobs);
    const lied = built.layers[1]?.digest ?? '';
    blobs.set(lied, new Uint8Array(built.layers[1]?.size ?? 0));
    await writeLayout(join(folder, 'lies'), { app: { ...built, blobs } });
    const stderr = await refused(['squash', `oci:${folder}/lies:app`, 'DST', '--all'], 1);
    expect(stderr).toMatch(/source oci:.*lies:app.*layer 2/);
  });
});
