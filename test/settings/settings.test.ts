import { inspect } from 'node:util';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { formatNames } from '../../src/codec/encoding.ts';
import { CommandLine, defaultSettings } from '../../src/settings/command-line.ts';
import {
  pruneStages,
  recompressStages,
  relayerStages,
  slimStages,
  squashStages,
} from '../../src/settings/command-stages.ts';
import { listOptions, nameOf, type Options } from '../../src/settings/option.ts';
import { Secrets } from '../../src/settings/secrets.ts';
import {
  appendOptions,
  buildOptions,
  configOptions,
  copyOptions,
  exportOptions,
  pruneOptions,
  rebaseOptions,
  recompressOptions,
  relayerOptions,
  restoreOptions,
  slimOptions,
  squashOptions,
  verifyOptions,
} from '../../src/settings/tables/commands.ts';
import { registryOptions, traceOptions } from '../../src/settings/tables/trace.ts';

const tables: Readonly<Record<string, Options>> = {
  slim: slimOptions,
  squash: squashOptions,
  prune: pruneOptions,
  recompress: recompressOptions,
  relayer: relayerOptions,
  append: appendOptions,
  build: buildOptions,
  config: configOptions,
  copy: copyOptions,
  rebase: rebaseOptions,
  restore: restoreOptions,
  verify: verifyOptions,
  export: exportOptions,
  trace: traceOptions,
  registry: registryOptions,
};

const work = mkdtempSync(join(tmpdir(), 'settings-'));
afterAll(() => rmSync(work, { recursive: true }));
const file = (name: string, text: string): string => {
  const path = join(work, name);
  writeFileSync(path, text);
  return path;
};
const trace = file(
  'app.strace',
  '1 openat(AT_FDCWD, "/etc/app", O_RDONLY) = 3\n1 execve("/bin/app", ["app"], 0x0) = 0\n',
);
const removed = { path: 'a', type: 'file', rule: 'a rule', layer: 1 };

/** Texts that each option with a syntax of its own accepts. Other options get any words. */
const texts: Readonly<Record<string, readonly string[]>> = {
  layer: ['dist:/app,chown=1:2,chmod=u=rwX,go=rX,mtime=keep', 'file:a.tar:/x/'],
  chown: ['1000:1000', 'keep'],
  chmod: ['755', 'u=rwX,go=rX'],
  mtime: ['keep', '2026-11-30T12:00:00Z'],
  exclude: ['**/*.md', '!a'],
  layers: ['1..2', '2..', '3'],
  'from-layer': ['2', `sha256:${'a'.repeat(64)}`],
  platform: ['linux/amd64', 'linux/arm64/v8,linux/arm/v7'],
  annotation: ['a=b', '__proto__=x'],
  name: ['app:1', 'registry.example/app'],
  label: ['k=', 'k=v=w'],
  env: ['PATH=/bin', 'A='],
  'unset-env': ['PATH'],
  'unset-label': ['k'],
  entrypoint: ['["/bin/app", "größe"]', 'exec app', '', '[]'],
  cmd: ['["--port"]', 'a && b'],
  user: ['app', '1000:1000', ''],
  workdir: ['/app', 'C:\\app', ''],
  expose: ['80', '53/udp', '8000-8002/tcp'],
  unexpose: ['80/tcp'],
  volume: ['/data'],
  'unset-volume': ['/data'],
  'stop-signal': ['SIGTERM', 'quit', 'SIGRTMIN+3', '9', ''],
  healthcheck: ['NONE', '', '--interval=30s --retries=2 CMD curl -f localhost', 'CMD ["/check"]'],
  shell: ['["/bin/bash", "-c"]', ''],
  mirror: ['docker.io=mirror.example:5000/cache'],
  provenance: ['attach', 'p.jsonl'],
  'builder-id': ['https://ci.example/7', 'urn:x'],
  limit: ['time=none,layer-bytes=2GiB', 'ratio=5'],
  'max-scratch': ['0', '1.5 GB'],
  'cache-size': ['1MiB'],
  'max-layer': ['512MiB', '1000'],
  ignore: ['noise'],
  group: ['app=opt/app/**', 'app=srv/**', 'x=a=b'],
  'min-savings': ['5%', '1000'],
  'add-variant': ['zstd', 'zstd:19'],
  'require-savings': ['2.5%'],
  tune: ['small', 'pull:100Mbit'],
  budget: ['1m30s'],
  'keep-command': ['curl -f "a b"'],
  rules: [file('rules', '**/*.pyc\n!keep.pyc\n')],
  'keep-file': [file('keep', 'bin/**\n')],
  rule: ['**/*.md', '!a'],
  keep: ['etc/**'],
  except: ['a/**'],
  path: ['bin/sh'],
  trace: [trace],
  'trace-root': ['/'],
  'continue-after': ['enter', '3'],
  'http-probe': ['/health', ':8080/b'],
  'run-env': ['A=b'],
  'run-env-file': [file('env', 'A=b\n')],
  'run-hosts': ['db=127.0.0.1'],
  'run-memory': ['512MiB'],
  'run-mount': ['/tmp:/data:ro'],
  'run-publish': ['8080:80'],
  'run-seccomp': [
    file(
      'seccomp.json',
      '{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{"names":["read"],"action":"SCMP_ACT_ALLOW","args":null,"includes":{"caps":["CAP_CHOWN"]},"excludes":{}}]}',
    ),
  ],
  'run-tmpfs': ['/scratch'],
  openapi: ['/openapi.json', file('api.yaml', 'openapi: 3.1.0\npaths: { /a: { get: {} } }\n')],
  'http-probe-file': [file('probes.yaml', '- path: /a\n  status: 204\n')],
  findings: [
    file('trivy.json', '{"SchemaVersion":2,"Results":[{"Vulnerabilities":[{"VulnerabilityID":"X"}]}]}'),
  ],
  'removed-by': [
    file(
      'report.json',
      JSON.stringify({ reportVersion: 1, platforms: [{ slimming: { removed: [removed] } }] }),
    ),
  ],
  file: [
    file(
      'plan.yaml',
      'version: 1\nsquash: { last: 2 }\nrecompress: [{ compression: zstd, minSavings: 5% }]\n',
    ),
  ],
};

/** Values of some of a table's options, as a command line gives them. */
type Values = ConstructorParameters<typeof CommandLine>[0];

function someValues(options: Options): fc.Arbitrary<Values> {
  const known = listOptions(options).map(({ name, type, choices }) => {
    const word = fc.constantFrom(...(choices ?? texts[name] ?? ['a', 'b c', 'größe']));
    switch (type) {
      case 'boolean':
        return [name, fc.boolean()] as const;
      case 'number':
        return [name, fc.integer({ min: 1, max: 9 })] as const;
      case 'list':
        return [name, fc.array(word, { minLength: 1, maxLength: 3 })] as const;
      case 'string':
        return [name, word] as const;
    }
  });
  return fc.record(Object.fromEntries(known), { requiredKeys: [] });
}

const here = { env: {}, signal: new AbortController().signal };

describe.each(Object.entries(tables))('the settings of %s', (_, options) => {
  test('survive JSON, whatever is given', async () => {
    await fc.assert(
      fc.asyncProperty(someValues(options), async (values) => {
        const { settings } = await new CommandLine(values).parse(options, here);
        expect(JSON.parse(JSON.stringify(settings))).toEqual(settings);
      }),
      { numRuns: 60 },
    );
  });

  test('hold no secret and no undefined value', async () => {
    const values = Object.fromEntries(listOptions(options).map(({ name }) => [name, undefined]));
    const given = {
      ...values,
      creds: 'user:hidden',
      'src-creds': 'user:hidden',
      'dest-creds': 'user:hidden',
    };
    const { settings } = await new CommandLine(given).parse(options, here);
    expect(JSON.stringify(settings)).not.toContain('hidden');
    expect(Object.values(settings)).not.toContain(undefined);
    expect(settings).toEqual(await defaultSettings(options));
  });

  test('are described in an imperative line of at most 80 characters', () => {
    for (const { name, describe: text } of listOptions(options)) {
      expect(text.length, `--${name}: ${text}`).toBeLessThanOrEqual(80);
      expect(text, `--${name}`).toMatch(/^[a-z]/);
      expect(text, `--${name}`).not.toMatch(/\.$|\?/);
    }
  });
});

describe('secrets', () => {
  const secrets = new Secrets({ creds: 'user:hidden', clientP12Passphrase: 'hidden' });

  test('come from options and from the environment, beside the settings', async () => {
    const env = { OCISLIM_CLIENT_P12_PASSPHRASE: 'phrase' };
    const line = new CommandLine({ 'src-creds': 'user:word' });
    const parsed = await line.parse(copyOptions, { ...here, env });
    expect(parsed.secrets.reveal('srcCreds')).toBe('user:word');
    expect(parsed.secrets.reveal('clientP12Passphrase')).toBe('phrase');
    expect(parsed.secrets.reveal('creds')).toBeNull();
  });

  test('cannot be serialised, and show nothing', () => {
    expect(() => JSON.stringify({ secrets })).toThrow(/cannot be serialised/);
    expect(inspect(secrets, { showHidden: true, depth: 5 })).not.toContain('hidden');
    expect(inspect(structuredClone({ secrets }))).not.toContain('hidden');
  });
});

describe('a setting', () => {
  test('of an environment variable of its own is read like an option', async () => {
    const epoch = async (text: string) => {
      const { settings } = await new CommandLine({}).parse(copyOptions, {
        ...here,
        env: { SOURCE_DATE_EPOCH: text },
      });
      return settings.sourceDateEpoch;
    };
    expect(await epoch('86400')).toBe(86_400);
    expect(await epoch('')).toBeNull();
    await expect(epoch('noon')).rejects.toThrow(/SOURCE_DATE_EPOCH is not a number of seconds/);
  });

  test('has the name of its option', () => {
    expect(nameOf('clientP12PassphraseFile')).toBe('client-p12-passphrase-file');
    expect(listOptions(slimOptions).map(({ name }) => name)).toContain('file');
  });
});

/** The stages of a plan, and those of the options of a command that mean the same. */
async function planned(text: string) {
  const { settings } = await new CommandLine({ file: file('same.yaml', `version: 1\n${text}`) }).parse(
    slimOptions,
    here,
  );
  return settings.plan;
}
const given = async <Table extends Options>(options: Table, values: Values) =>
  (await new CommandLine(values).parse(options, here)).settings;

describe('a plan gives the same stages as options', () => {
  test.each([
    ['last: 2', { last: 2 }],
    ['fromLayer: 2', { 'from-layer': '2' }],
    ['layers: 1..2', { layers: '1..2' }],
    ['base: app:1', { base: 'app:1' }],
    ['all: true', { all: true }],
    ['maxLayers: 100', { 'max-layers': 100 }],
    ['maxLayers: 100, base: app:1', { 'max-layers': 100, base: 'app:1' }],
  ])('of squash by %s', async (text, values) => {
    expect(await planned(`squash: { ${text} }`)).toEqual(squashStages(await given(squashOptions, values)));
  });

  test.each([
    ['compression: zstd, level: 19', { compression: 'zstd', level: 19 }],
    [
      'compression: gzip, level: 9, gzipEngine: zlib',
      { compression: 'gzip', level: 9, 'gzip-engine': 'zlib' },
    ],
    ['compression: none, layers: 2..', { compression: 'none', layers: '2..' }],
    ['tune: pull:100Mbit, minSavings: 5%', { tune: 'pull:100Mbit', 'min-savings': '5%' }],
    ['budget: 60s, compression: zstd', { budget: '60s', compression: 'zstd' }],
  ])('of recompress by %s', async (text, values) => {
    expect(await planned(`recompress: { ${text} }`)).toEqual(
      recompressStages(await given(recompressOptions, values)),
    );
  });

  test.each([
    ['maxLayers: 20, by: path', { 'max-layers': 20, by: 'path' }],
    ['noise: adopt', { noise: 'adopt' }],
    ['history: 5', { history: '5' }],
    ['history: [app:1, 5, app:0]', { history: ['app:1', '5', 'app:0'] }],
    ['maxLayer: 512MiB, base: app:1', { 'max-layer': '512MiB', base: 'app:1' }],
    [
      'groups: { app: [opt/app/**, srv/**] }, previous: [app:1, app:0]',
      { group: ['app=opt/app/**', 'app=srv/**'], previous: ['app:1', 'app:0'] },
    ],
  ])('of relayer by %s', async (text, values) => {
    expect(await planned(`relayer: { ${text} }`)).toEqual(relayerStages(await given(relayerOptions, values)));
  });

  test('of prune, with traces', async () => {
    const plan = await planned(
      `prune: { presets: [docs], rules: ["**/*.md"], keep: [a], traces: [${trace}], granularity: file, keepCommands: ["curl -f x"] }\nemptyLayers: drop\n`,
    );
    const stages = await pruneStages(
      await given(pruneOptions, {
        preset: 'docs',
        rule: '**/*.md',
        keep: 'a',
        trace,
        granularity: 'file',
        'keep-command': 'curl -f x',
        'empty-layers': 'drop',
      }),
    );
    const withoutOrigins = (value: unknown) => JSON.stringify(value).replaceAll(/"origin":"[^"]*"/g, '');
    expect(withoutOrigins(plan)).toBe(withoutOrigins(stages));
    expect(plan?.prune?.traces).toHaveLength(1);
  });
});

describe('slim', () => {
  test('takes no other stage beside a plan', async () => {
    const plan = { file: texts['file']?.[0] };
    await expect(slimStages(await given(slimOptions, { ...plan, rule: 'a' }))).rejects.toThrow(
      /--file and --rule do not go together/,
    );
    await expect(slimStages(await given(slimOptions, { ...plan, quiet: true }))).resolves.toMatchObject({
      squash: { kind: 'last', count: 2 },
    });
  });

  test('relayers as the command does, packed in the usual way', async () => {
    const values = { base: 'app:1', 'max-layers': 20, previous: 'app:0' };
    const stages = await slimStages(await given(slimOptions, { ...values, relayer: true }));
    expect(stages.relayer).toEqual(relayerStages(await given(relayerOptions, values)).relayer);
    expect(stages).toMatchObject({ squash: null, pack: [] });
  });

  test.each([
    [{ 'max-layers': 20 }, /--max-layers goes with --relayer/],
    [{ previous: 'app:0' }, /--previous goes with --relayer/],
    [{ noise: 'adopt' }, /--noise goes with --relayer/],
    [{ history: '5' }, /--history goes with --relayer/],
    [{ relayer: true, history: '0' }, /--history takes a number of images from 1 on/],
    [{ relayer: true, history: ['2', '3'] }, /--history takes one number, not 2 and 3/],
    [{ relayer: true, all: true }, /--relayer and --all do not go together/],
    [{ relayer: true, tune: 'small' }, /--relayer and --tune do not go together/],
    [{ relayer: true, order: 'similar' }, /--relayer and --order similar do not go together/],
    [{ relayer: true, 'dedupe-hardlink': true }, /--relayer and --dedupe-hardlink do not go together/],
  ])('refuses %j', async (values, message) => {
    await expect((async () => slimStages(await given(slimOptions, values)))()).rejects.toThrow(message);
  });

  test.each(formatNames)('recompresses to %s where --compression asks for it', async (compression) => {
    const { pack } = await slimStages(await given(slimOptions, { compression }));
    expect(pack).toMatchObject([{ packing: { kind: 'encode', encoding: { kind: compression } } }]);
  });
});
