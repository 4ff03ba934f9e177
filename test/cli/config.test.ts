import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseCommand } from '../../src/settings/command-words.ts';
import { callCli } from '../support/cli.ts';
import { buildImage, buildIndex } from '../support/image-builder.ts';
import { bytesOf } from '../support/model/byte-string.ts';
import { type Short, tar } from '../support/model/shorthand.ts';
import { openScene } from '../support/scene.ts';

const program = (name: string): Short => ({ name, body: bytesOf(`program ${name}`), mode: 0o755 });
const scene = openScene(() => {
  const layers = [
    tar('etc/passwd=root:x:0:0::/:/bin/a\n'),
    tar(program('bin/a'), program('bin/b'), 'app/data=1'),
  ];
  const config = {
    config: {
      Entrypoint: ['/bin/a'],
      Cmd: ['x'],
      Env: ['PATH=/bin', 'TOKEN=s3cr3t-value'],
      OnBuild: ['RUN y'],
    },
    'com.example.own': { kept: [1, null] },
  };
  const [amd64, arm64] = ['amd64', 'arm64'].map((architecture) =>
    buildImage({ layers, config, platform: { os: 'linux', architecture } }),
  ) as [ReturnType<typeof buildImage>, ReturnType<typeof buildImage>];
  return { app: amd64, all: buildIndex({ images: [amd64, arm64] }) };
});
const at = (tag: string) => scene.at(tag);
const configOf = async (tag: string, platform?: string) => (await scene.read(tag, 'layout', platform)).config;

describe('config', () => {
  test('edits what options name, keeps what it does not know, and says what changed', async () => {
    const report = await scene.report(
      'config',
      at('app'),
      at('edited'),
      ...parseCommand(`--entrypoint '["/bin/b"]' --env MODE=fast --unset-env TOKEN --expose 80 --label a=b`),
    );
    const { config, ...rest } = await configOf('edited');
    expect(config).toMatchObject({
      Entrypoint: ['/bin/b'],
      Env: ['PATH=/bin', 'MODE=fast'],
      ExposedPorts: { '80/tcp': {} },
      OnBuild: ['RUN y'],
    });
    expect(config).not.toHaveProperty('Cmd');
    expect(rest).toMatchObject({ 'com.example.own': { kept: [1, null] } });
    expect(report.platforms[0]?.configuring?.changes).toEqual(
      expect.arrayContaining([
        { member: 'config.Entrypoint', before: '["/bin/a"]', after: '["/bin/b"]' },
        { member: 'config.Cmd', before: '["x"]', after: null },
        { member: 'config.Env.MODE', before: null, after: '"fast"' },
        { member: 'config.Env.TOKEN', before: '"(hidden)"', after: null },
        { member: 'config.Labels', before: null, after: '{"a":"b"}' },
      ]),
    );
  });

  test('is shown by the summary and by Markdown, without values that look like secrets', async () => {
    const file = scene.path('config.md');
    const { stderr } = await scene.run(
      'config',
      at('app'),
      at('shown'),
      ...parseCommand('--unset-env TOKEN --user root'),
      '--report',
      file,
    );
    expect(stderr).toMatch(/config +changed: Env\.TOKEN, User\n/);
    const text = await readFile(file, 'utf8');
    expect(text).toContain('| `config.User` |  | `"root"` |');
    expect(text).not.toContain('s3cr3t');
  });

  test('edits every platform of an index, or the selected ones', async () => {
    await scene.succeed('config', at('all'), at('both'), '--user', 'app');
    await scene.succeed('config', at('all'), at('one'), '--user', 'app', '--platform', 'linux/arm64');
    const user = async (tag: string, platform: string) => (await configOf(tag, platform)).config?.['User'];
    expect(await user('both', 'linux/amd64')).toBe('app');
    expect(await user('both', 'linux/arm64')).toBe('app');
    expect(await user('one', 'linux/arm64')).toBe('app');
  });

  test('that changes nothing gives the same digest, and needs something to change', async () => {
    const { descriptor } = await scene.read('app');
    const same = await scene.succeed(
      'config',
      at('app'),
      at('same'),
      '--env',
      'PATH=/bin',
      '--unset-label',
      'no',
    );
    expect(same).toBe(`${at('same')}@${descriptor.digest}`);
    const { status, stderr } = await callCli(['config', at('app'), at('none')]);
    expect({ status, stderr }).toEqual({
      status: 2,
      stderr: expect.stringContaining('config needs to know what to change') as string,
    });
  });

  test('takes SOURCE_DATE_EPOCH for the times of its rows', async () => {
    const { status } = await callCli(['config', at('app'), at('timed'), '--user', 'app'], {
      SOURCE_DATE_EPOCH: '1700000000',
    });
    expect(status).toBe(0);
    expect((await configOf('timed')).history?.at(-1)).toEqual({
      created: '2023-11-14T22:13:20Z',
      created_by: 'USER app',
      comment: 'ocislim config',
      empty_layer: true,
    });
  });
});

describe('pruning', () => {
  test('by rules guards the new entrypoint, and no longer the old one', async () => {
    const refused = await callCli(['prune', at('app'), at('no'), '--rule', 'bin/a']);
    expect(refused).toMatchObject({ status: 1, stderr: expect.stringContaining('[UNSAFE]') as string });
    await scene.succeed('prune', at('app'), at('b'), '--rule', 'bin/a', '--entrypoint', '["/bin/b"]');
    const other = ['prune', at('app'), at('no'), '--rule', 'bin/b', '--entrypoint', '["/bin/b"]'];
    expect(await callCli(other)).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('"bin/b" would be gone (the entrypoint)') as string,
    });
  });

  test('by a trace keeps what the new config names, and checks that the trace shows it', async () => {
    const trace = async (name: string) =>
      scene.write(`${name}.trace`, `1 execve("/bin/${name}", ["${name}"], 0x0) = 0\n`);
    const edit = ['--entrypoint', '["/bin/b"]', '--granularity', 'file'];
    await scene.succeed('prune', at('app'), at('traced'), '--trace', await trace('b'), ...edit);
    expect((await scene.succeed('ls', at('traced'), '/bin')).split(/\s+/)).toContain('b');
    expect((await scene.succeed('ls', at('traced'), '/bin')).split(/\s+/)).not.toContain('a');
    const stale = await callCli(['prune', at('app'), at('no'), '--trace', await trace('a'), ...edit]);
    expect(stale).toMatchObject({ status: 1, stderr: expect.stringContaining('[UNSAFE]') as string });
  });
});

describe('a plan', () => {
  test('edits the config with the same words, and options win over it', async () => {
    const plan = await scene.write(
      'plan.yaml',
      `version: 1
config:
  env: { MODE: plan, LEVEL: '7' }
  unsetEnv: [TOKEN]
  entrypoint: [/bin/b, "a b"]
  cmd: run it
  user: 1000
  expose: [80, 53/udp]
  healthcheck: --interval=30s CMD check
  labels: { a: plan }
  annotations: { n: plan, m: plan }
`,
    );
    await scene.succeed(
      'slim',
      at('app'),
      at('planned'),
      '-f',
      plan,
      '--env',
      'MODE=option',
      '--annotation',
      'n=option',
    );
    expect((await configOf('planned')).config).toMatchObject({
      Env: ['PATH=/bin', 'MODE=option', 'LEVEL=7'],
      Entrypoint: ['/bin/b', 'a b'],
      Cmd: ['/bin/sh', '-c', 'run it'],
      User: '1000',
      ExposedPorts: { '80/tcp': {}, '53/udp': {} },
      Healthcheck: { Test: ['CMD-SHELL', 'check'], Interval: 30e9 },
      Labels: { a: 'plan' },
    });
    expect((await scene.read('planned')).manifest.annotations).toEqual({ n: 'option', m: 'plan' });
  });

  test.each([
    ['user: a b', /plan\.yaml:3: user "a b"/],
    ['expose: [80, 70000]', /plan\.yaml:3: expose "70000"/],
    ['env: { PORT: 80 }', /plan\.yaml:3: /],
    ['stopSignal: SIGNONE', /plan\.yaml:3: stopSignal/],
  ])('says where %j is wrong', async (line, message) => {
    const plan = await scene.write('plan.yaml', `version: 1\nconfig:\n  ${line}\n`);
    const { status, stderr } = await callCli(['slim', at('app'), at('no'), '-f', plan]);
    expect(status).toBe(2);
    expect(stderr).toMatch(message);
  });
});

describe('a slip in an edit', () => {
  test('a removal of what an image does not have is a warning for each image, and an error with --strict', async () => {
    const line = [
      'config',
      at('all'),
      at('slips'),
      '--unset-env',
      'TOKEM',
      '--unexpose',
      '80',
      '--unset-label',
      'l',
    ];
    const { status, stderr } = await callCli([...line, '--unset-volume', '/v', '--env', 'A=1']);
    expect(status, stderr).toBe(0);
    for (const platform of ['linux/amd64', 'linux/arm64'])
      for (const name of ['variable TOKEM', 'port 80/tcp', 'label l', 'volume /v'])
        expect(stderr).toContain(`warning: ${platform} has no ${name} to remove (SETTING_IGNORED)`);
    expect((await callCli([...line, '--strict'])).status).toBe(1);
  });

  test('what is there, or is set by the same command, is removed without a warning', async () => {
    const words = ['--unset-env', 'TOKEN', '--unset-env', 'B', '--env', 'B=1'];
    const { stderr } = await callCli(['config', at('app'), at('clean'), ...words]);
    expect(stderr).not.toContain('to remove');
  });

  test.each([
    [['--volume', '/'], 'is not the path of a volume'],
    [['--volume', '/a/..'], 'is not the path of a volume'],
    [['--workdir', 'app'], 'Write --workdir /app.'],
    [['--cmd', '["a", 1]'], 'its JSON holds something that is not a text'],
    [['--healthcheck', '--interval=30s CMD a'], "'--healthcheck=--interval=30s CMD a'"],
    [['-f', 'plan.yaml'], 'A plan goes to "ocislim slim SRC DST -f plan.yaml"'],
  ])('%j is refused, with the right word', async (words, message) => {
    const { status, stderr } = await callCli(['config', at('app'), at('x'), ...words]);
    expect(status).toBe(2);
    expect(stderr).toContain(message);
  });

  test('a working directory is written as builders write it', async () => {
    await callCli(['config', at('app'), at('dir'), '--workdir', '/a/.././b//c/']);
    expect((await configOf('dir')).config).toMatchObject({ WorkingDir: '/b/c' });
  });

  test.each([
    ['env: [a=b]', 'config.env: expected names with values (NAME: VALUE), received a list'],
    ['env: {N: 5}', 'config.env.N: expected a text, received a number [PLAN_INVALID]\n  Put it in quotes.'],
    ['env: {"=": d}', 'env: "=" is not a name'],
  ])('the plan with %j is refused, with the right word', async (part, message) => {
    const plan = join(scene.folder, 'plan.yaml');
    await writeFile(plan, `version: 1\nconfig: {${part}}\n`);
    const { status, stderr } = await callCli(['slim', at('app'), at('x'), '-f', plan]);
    expect(status).not.toBe(0);
    expect(stderr).toContain(message);
  });
});
