import { rm } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { list } from '../../src/commands/index.ts';
import { callCli, pipeCli } from '../support/cli.ts';
import { expectHarmless, nastyName } from '../support/hostile-text.ts';
import { buildImage } from '../support/image-builder.ts';
import { utf8 } from '../support/model/byte-string.ts';
import { tar } from '../support/model/shorthand.ts';
import { openScene } from '../support/scene.ts';

const time = String(Date.parse('2024-05-06T07:08:09Z') / 1000);
const file = (name: string, more: object = {}) => ({
  name,
  body: Buffer.from('12345'),
  mtime: time,
  ...more,
});
const hostile = utf8(nastyName);
const scene = openScene(() => ({
  app: buildImage({
    layers: [
      tar(
        { name: 'd/', type: 'dir', mode: 0o1777, mtime: time },
        file('d/plain', { mode: 0o644, uid: 1000, gid: 50 }),
        file('d/root', { mode: 0o6755 }),
        { name: 'd/to', type: 'symlink', linkname: '../x y', mode: 0o777, mtime: time },
        file('gone'),
      ),
      tar(
        '.wh.gone',
        file('d/plain', { mode: 0o4644, body: Buffer.from('1'.repeat(12)) }),
        'd/hard->d/plain',
      ),
    ],
  }),
  hostile: buildImage({
    layers: [tar(file(hostile), file(`${hostile}\xff`), { name: 'l', type: 'symlink', linkname: hostile })],
  }),
}));
const printed = async (...args: readonly string[]) =>
  (await scene.run('ls', scene.at('app'), ...args)).stdout.trimEnd().split('\n');

describe('text', () => {
  test('has a name for each file', async () => {
    expect(await printed('d')).toEqual(['hard', 'plain', 'root', 'to']);
    expect(await printed('-R')).toEqual(['d', 'd/hard', 'd/plain', 'd/root', 'd/to']);
    expect(await printed('-d', 'd')).toEqual(['d']);
    expect(await printed('-d')).toEqual(['.']);
  });

  test('of --long is like that of ls -l, with the layer', async () => {
    expect(await printed('-l', '-R')).toEqual([
      'MODE        OWNER  SIZE  MODIFIED             LAYER  NAME',
      'drwxrwxrwt  0:0       0  2024-05-06 07:08:09      1  d',
      '-rwSr--r--  0:0      12  2024-05-06 07:08:09      2  d/hard',
      '-rwSr--r--  0:0      12  2024-05-06 07:08:09      2  d/plain',
      '-rwsr-sr-x  0:0       5  2024-05-06 07:08:09      1  d/root',
      'lrwxrwxrwx  0:0       0  2024-05-06 07:08:09      1  d/to -> ../x y',
    ]);
  });

  test('of one layer says what it deletes', async () => {
    expect(await printed('--layer', '2')).toEqual(['gone (deletes what is below)']);
    expect(await printed('--layer', '2', '-R')).toEqual([
      'gone (deletes what is below)',
      'd/plain',
      'd/hard',
    ]);
  });

  test('of all layers says what became of each entry', async () => {
    expect(await printed('--all-layers')).toEqual([
      'LAYER  STATE                  NAME',
      '    1  visible                d',
      '    1  deleted by layer 2     gone',
      '    2  deletes what is below  gone',
    ]);
    const long = await printed('-alR');
    expect(long.at(-1)).toMatch(/^-rw.* 2 {2}visible {16}d\/hard is a hard link to d\/plain$/);
  });
});

describe('for programs', () => {
  test('JSON has all that the command for programs returns', async () => {
    const text = (await printed('-R', '--format', 'json')).join('\n');
    const { image, path, files } = JSON.parse(text) as Record<string, unknown>;
    const listing = await list(scene.at('app'), '/', { recursive: true });
    const told = listing.files.map(({ mode, target, ...rest }) => ({
      ...rest,
      mode: mode.toString(8).padStart(4, '0'),
      ...(target === null ? {} : { target }),
    }));
    expect({ image, path, files }).toEqual({ image: scene.at('app'), path: '', files: told });
    expect(JSON.parse(JSON.stringify(listing))).toEqual(listing);
  });

  test('--null gives exact bytes', async () => {
    const { stdout } = await pipeCli(['ls', scene.at('hostile'), '--null'], new Uint8Array());
    expect(stdout.toString('latin1').split('\0').toSorted()).toEqual(
      ['', 'l', hostile, `${hostile}\xff`].toSorted(),
    );
    const { status, stderr } = await callCli(['ls', scene.at('hostile'), '-0', '-l']);
    expect([status, stderr]).toEqual([2, expect.stringContaining('--null prints names alone') as string]);
  });

  test.each([[[]], [['-l']], [['-a']], [['--format', 'json']]])(
    'hostile names are escaped: %j',
    async (options) => {
      const { stdout } = await scene.run('ls', scene.at('hostile'), ...options);
      expect(stdout).toContain('mark');
      expectHarmless(stdout, options.join(' '));
    },
  );

  test('names that are not UTF-8 are whole in JSON', async () => {
    const text = await scene.succeed('ls', scene.at('hostile'), '--format', 'json');
    const { files } = JSON.parse(text) as { files: { path: string; pathBase64?: string }[] };
    const bytes = files.map(({ path, pathBase64 }) =>
      Buffer.from(pathBase64 ?? path, pathBase64 === undefined ? 'utf8' : 'base64'),
    );
    expect(bytes.map((name) => name.toString('latin1')).toSorted()).toEqual(
      ['l', hostile, `${hostile}\xff`].toSorted(),
    );
  });
});

test('with a cache, the second command reads no layer', async () => {
  const image = buildImage({ layers: [tar('a=1', 'b/c=2'), tar('.wh.a')] });
  const cache = ['-lR', '--cache-dir', scene.path('cache')];
  await scene.writeLayout({ app: image }, 'whole');
  const first = await scene.run('ls', scene.at('app', 'whole'), ...cache);
  await Promise.all(
    image.layers.map(({ digest }) => rm(scene.path('whole', 'blobs', digest.replace(':', '/')))),
  );
  const second = await scene.run('ls', scene.at('app', 'whole'), ...cache);
  expect(second.stdout).toBe(first.stdout);
});

test('one layer and all layers are two wishes', async () => {
  const { status, stderr } = await callCli(['ls', scene.at('app'), '--layer', '1', '-a']);
  expect([status, stderr]).toEqual([2, expect.stringContaining('give one of them') as string]);
});
