import { mkdirSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parseCommand } from '../../src/settings/command-words.ts';
import { buildImage } from '../support/image-builder.ts';
import { bytesOf } from '../support/model/byte-string.ts';
import { type Short, tar } from '../support/model/shorthand.ts';
import { openScene } from '../support/scene.ts';

const program = (name: string): Short => ({ name, body: bytesOf('x'), mode: 0o755 });
const scene = openScene(() => {
  const layers = [
    tar('usr/', 'usr/bin/', program('usr/bin/tool'), 'bin~>usr/bin', 'etc/', 'etc/conf=1'),
    tar('usr/bin/alias~>tool', 'usr/bin/lost~>nowhere', program('usr/bin/other')),
  ];
  const made = (config: object) => buildImage({ layers, config: { config } });
  return { app: made({ Entrypoint: ['/bin/tool'] }), broken: made({ Entrypoint: ['/gone'] }) };
});

/** Runs a command, and returns its warnings of programs. */
async function warned(command: string, options: string, tag = 'app'): Promise<readonly string[]> {
  const words = parseCommand(options);
  const { stderr } = await scene.run(command, scene.at(tag), scene.at('to'), '-q', ...words);
  return stderr.split('\n').filter((line) => line.includes('PROGRAM_MISSING'));
}

const one = (what: string, name: string) => [
  expect.stringContaining(
    `the ${what}, "${name}", is not a program in the result (PROGRAM_MISSING)`,
  ) as string,
];

describe('a program that is set and is not in the result', () => {
  test.each([
    [`--entrypoint '["/no/such"]'`, 'entrypoint', '/no/such'],
    [`--entrypoint '["nosuch"]'`, 'entrypoint', 'nosuch'],
    [`--entrypoint '["/bin/lost"]'`, 'entrypoint', '/bin/lost'],
    [`--entrypoint '["/etc/conf"]'`, 'entrypoint', '/etc/conf'],
    [`--entrypoint '["/etc"]'`, 'entrypoint', '/etc'],
    [`--entrypoint 'tool --serve'`, 'entrypoint', '/bin/sh'],
    [`--entrypoint '' --cmd '["/no/such"]'`, 'command', '/no/such'],
    [`--healthcheck 'CMD ["/no/such"]'`, 'health check', '/no/such'],
    [`--entrypoint '["tool"]' --env PATH=/sbin`, 'entrypoint', 'tool'],
    [`--entrypoint '["bin/tool"]' --workdir /etc`, 'entrypoint', 'bin/tool'],
  ])('is a warning: %s', async (options, what, name) => {
    expect(await warned('slim', options)).toEqual(one(what, name));
  });

  test.each([
    `--entrypoint '["/bin/alias"]'`,
    `--entrypoint '["tool"]'`,
    `--entrypoint '["./tool"]' --workdir /usr/bin`,
    `--cmd '["/no/such"]'`,
    '--label a=b',
  ])('gives no warning where it is there, or an argument: %s', async (options) => {
    expect(await warned('slim', options)).toEqual([]);
  });

  test('gives no warning where the source named and lacked it, too', async () => {
    expect(await warned('slim', '--label a=b', 'broken')).toEqual([]);
    expect(await warned('slim', `--entrypoint '["/gone"]' --label a=c`, 'broken')).toEqual([]);
    expect(await warned('slim', `--entrypoint '["/off"]'`, 'broken')).toEqual(one('entrypoint', '/off'));
  });

  test.each([
    ['prune', '--rule etc/conf'],
    ['squash', '--all'],
    ['recompress', '--compression gzip'],
  ])('is found by %s where that knows all files', async (command, options) => {
    const found = await warned(command, `${options} --entrypoint '["/no/such"]'`);
    expect(found).toEqual(command === 'recompress' ? [] : one('entrypoint', '/no/such'));
  });

  test('of a plan is a warning, too', async () => {
    const file = await scene.write(
      'plan.yaml',
      'version: 1\nprune: { shadowed: true }\nconfig: { entrypoint: [/no/such] }\n',
    );
    expect(await warned('slim', `-f ${file}`)).toEqual(one('entrypoint', '/no/such'));
  });

  test('may come with a new layer', async () => {
    mkdirSync(scene.path('new', 'bin'), { recursive: true });
    writeFileSync(scene.path('new', 'bin', 'fresh'), 'x', { mode: 0o755 });
    writeFileSync(scene.path('single'), 'x', { mode: 0o755 });
    const built = async (from: readonly string[], ...words: readonly string[]) => {
      const { stderr } = await scene.run('build', ...from, scene.at('built'), ...words);
      return stderr.split('\n').filter((line) => line.includes('PROGRAM_MISSING'));
    };
    const at = (name: string) => ['--entrypoint', `["${name}"]`];
    const directory = ['--layer', `${scene.path('new')}:/`];
    for (const from of [[], [scene.at('app')]]) {
      expect(await built(from, ...directory, ...at('/bin/fresh'))).toEqual([]);
      expect(await built(from, ...directory, ...at('fresh'))).toEqual([]);
      expect(await built(from, ...directory, ...at('/bin/old'))).toEqual(one('entrypoint', '/bin/old'));
      const file = ['--layer', `${scene.path('single')}:/bin/`];
      expect(await built(from, ...file, ...at('/bin/single'))).toEqual([]);
      expect(await built(from, ...file, ...at('single'))).toEqual([]);
    }
    expect(await built([scene.at('app')], ...directory, ...at('/usr/bin/fresh'))).toEqual([]);
  });
});
