import { readFile, writeFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { callCli, pipeCli } from '../support/cli.ts';
import { expectHarmless, nasty } from '../support/hostile-text.ts';
import { buildImage } from '../support/image-builder.ts';
import { tar } from '../support/model/shorthand.ts';
import { openScene } from '../support/scene.ts';

const binary = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
const scene = openScene(() => ({
  app: buildImage({
    layers: [
      tar('a=one', { name: 'b', body: binary }),
      tar('a=two', 'odd\xff\n=odd', { name: 'n', body: Buffer.from(nasty) }),
    ],
  }),
}));

test('exact bytes are printed', async () => {
  expect((await pipeCli(['cat', scene.at('app'), 'b'], new Uint8Array())).stdout).toEqual(binary);
  expect(await scene.succeed('cat', scene.at('app'), 'a')).toBe('two');
  expect(await scene.succeed('cat', scene.at('app'), 'a', '--layer', '1')).toBe('one');
});

test('a name is taken as ls prints it', async () => {
  const names = (await scene.succeed('ls', scene.at('app'))).split('\n');
  const odd = names.find((name) => name.startsWith('odd')) ?? '';
  expect(odd).toBe('odd\\xff\\n');
  expect(await scene.succeed('cat', scene.at('app'), odd)).toBe('odd');
});

test('a terminal gets them escaped, line by line', async () => {
  const { isTTY } = process.stdout;
  process.stdout.isTTY = true;
  try {
    const { stdout } = await callCli(['cat', scene.at('app'), 'n']);
    expect(stdout).toContain('mark');
    expectHarmless(stdout, 'cat');
  } finally {
    process.stdout.isTTY = isTTY;
  }
});

test('--output gets the file', async () => {
  const file = scene.path('b');
  expect(await scene.succeed('cat', scene.at('app'), 'b', '-o', file)).toBe('');
  expect(await readFile(file)).toEqual(binary);
});

describe('a layer that is damaged since its headers were cached', () => {
  const layer = tar('a=1', `b=${'x'.repeat(5000)}`);
  const image = buildImage({ layers: [layer], compress: 'none' });
  const cache = () => ['--cache-dir', scene.path('cache'), '--cache-size', '100kB'];
  const damage = async () => {
    await scene.writeLayout({ app: image }, 'damaged');
    await scene.run('ls', scene.at('app', 'damaged'), ...cache());
    const file = scene.path('damaged', 'blobs', (image.layers[0]?.digest ?? '').replace(':', '/'));
    await writeFile(
      file,
      layer.map((byte, i) => (i === 2000 ? byte ^ 1 : byte)),
    );
  };

  test('fails, and the error says that the printed bytes are not verified', async () => {
    await damage();
    const { status, stdout, stderr } = await callCli(['cat', scene.at('app', 'damaged'), 'a', ...cache()]);
    expect([status, stdout]).toEqual([1, '1']);
    expect(stderr).toMatch(/the bytes on standard output are not verified: .*\[DIGEST_MISMATCH\]/);
  });

  test('leaves no file under the name of --output', async () => {
    await damage();
    const file = scene.path('out');
    const { status } = await callCli(['cat', scene.at('app', 'damaged'), 'a', '-o', file, ...cache()]);
    expect(status).toBe(1);
    await expect(readFile(file)).rejects.toThrow('ENOENT');
  });

  test('is not noticed with --no-verify, which says so', async () => {
    await damage();
    const { status, stdout, stderr } = await callCli([
      'cat',
      scene.at('app', 'damaged'),
      'a',
      '--no-verify',
      ...cache(),
    ]);
    expect([status, stdout]).toEqual([0, '1']);
    expect(stderr).toContain('not verified: the layer was read no further than the file (--no-verify)');
  });
});
