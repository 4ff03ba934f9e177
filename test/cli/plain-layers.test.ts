/** What is asked of compression where layers stay plain: it is told, once, with what to do. */
import { expect, test } from 'vitest';
import { callCli } from '../support/cli.ts';
import { openScene } from '../support/scene.ts';
import { smallImage } from '../support/store/local.ts';

const scene = openScene(() => ({ app: smallImage() }));
const words = 'has no effect there; write an oci-archive: for compressed layers';

function lines(command: string, ...options: readonly string[]) {
  const archive = (form: string) => `${form}:${scene.path(`${form}.tar`)}:app:1`;
  return {
    docker: [command, scene.at('app'), archive('docker-archive'), ...options],
    oci: [command, scene.at('app'), archive('oci-archive'), ...options],
  };
}

test.each([
  ['recompress', '--compression', 'zstd'],
  ['recompress', '--compression', 'gzip', '--level', '9'],
  ['recompress', '--tune', 'small'],
  ['recompress'],
  ['squash', '--all', '--compression', 'zstd'],
  ['prune', '--shadowed', '--tune', 'fast'],
  ['slim', '--compression', 'zstd'],
  ['copy', '--compression', 'gzip'],
])('%s %s %s %s into a docker-archive warns once, and not into another', async (command, ...options) => {
  const { docker, oci } = lines(command, ...options);
  for (const line of [docker, [...docker, '--dry-run']])
    expect((await scene.run(...line)).stderr.split(words)).toHaveLength(2);
  expect((await scene.run(...oci)).stderr).not.toContain(words);
});

test('a plan warns, too, and --strict makes it an error before a layer is read', async () => {
  const plan = await scene.write('plan.yaml', 'version: 1\nrecompress: {compression: zstd}\n');
  const { docker } = lines('slim', '--file', plan);
  expect((await scene.run(...docker)).stderr).toContain(words);
  const strict = await callCli([...docker, '--strict']);
  expect(strict.status).toBe(1);
  expect(strict.stderr).toContain('[STRICT]');
});

test.each([
  ['recompress', '--compression', 'none'],
  ['slim'],
  ['slim', '--compression', 'none'],
  ['copy', '--compression', 'none'],
  ['copy'],
  ['prune', '--shadowed'],
])('%s %s %s asks for nothing that is not done', async (command, ...options) => {
  expect((await scene.run(...lines(command, ...options).docker)).stderr).not.toContain(words);
});

test('in place, the archive is the destination', async () => {
  const archive = `docker-archive:${scene.path('own.tar')}`;
  await scene.run('copy', scene.at('app'), `${archive}:app:1`);
  const { stderr } = await scene.run('recompress', archive, '--in-place', '--compression', 'zstd');
  expect(stderr).toContain(words);
});
