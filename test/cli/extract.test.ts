import { spawnSync } from 'node:child_process';
import { lstatSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { extract } from '../../src/commands/index.ts';
import { callCli, runCli } from '../support/cli.ts';
import { buildImage } from '../support/image-builder.ts';
import { tar } from '../support/model/shorthand.ts';
import { openScene } from '../support/scene.ts';

const scene = openScene(() => ({
  app: buildImage({
    layers: [
      tar({ name: 'd', type: 'dir', mode: 0o700 }, 'd/a=1', '|d/p', 'd/l->d/a', {
        name: 'd/su',
        mode: 0o4777,
      }),
      tar('d/a=22'),
    ],
  }),
  xattrs: buildImage({ layers: [tar('d/', { name: 'd/f', xattrs: { 'user.a': 'b' } })] }),
  locked: buildImage({
    layers: [
      tar(
        { name: 'r', type: 'dir', mode: 0o555 },
        { name: 'r/in', type: 'dir', mode: 0o555 },
        { name: 'r/in/deep', type: 'dir', mode: 0o555 },
        'r/in/f=1',
        'r/in/deep/f=1',
        { name: 'e', type: 'dir', mode: 0o555 },
      ),
    ],
  }),
}));

describe('the command', () => {
  test('prints where the copy is, and tells what it did', async () => {
    const into = scene.path('one');
    const { stdout, stderr } = await scene.run('extract', scene.at('app'), 'd', into);
    expect(stdout).toBe(`${into}/d\n`);
    expect(stderr).toContain('3 files, 1 folder, 3 B from layer 1, 2\n');
    expect(stderr).toContain('devices and named pipes left out (--devices makes them): d/p\n');
    expect(readdirSync(`${into}/d`)).toEqual(['a', 'l', 'su']);
    const quiet = await scene.run('extract', scene.at('app'), 'd', scene.path('two'), '-q');
    expect(quiet.stderr).toBe('');
  });

  test('takes the mask of the process from modes, and setuid only where it is asked to', async () => {
    const into = scene.path('masked');
    const run = async (...args: readonly string[]) => {
      const result = await runCli(['extract', scene.at('app'), ...args, '-q'], { umask: '027' });
      expect(result.status, result.stderr).toBe(0);
    };
    await run('/', into);
    await run('d/su', into, '--setuid');
    const mode = (name: string) => (lstatSync(`${into}/${name}`).mode & 0o7777).toString(8);
    expect(['', 'd', 'd/su', 'd/l', 'su'].map(mode)).toEqual(['750', '700', '750', '640', '4750']);
  });

  test('adds to folders what lies in folders that forbid to write', async () => {
    const into = scene.path('locked-out');
    mkdirSync(`${into}/r/in`, { recursive: true });
    const run = () =>
      runCli(['extract', scene.at('locked'), 'r', into, '--force', '-q'], { heedsModes: true });
    expect(await run()).toEqual({ status: 0, stdout: `${into}/r\n`, stderr: '' });
    const mode = (name: string) => (lstatSync(`${into}/${name}`).mode & 0o7777).toString(8);
    expect(['r', 'r/in', 'r/in/deep', 'r/in/f'].map(mode)).toEqual(['755', '755', '555', '644']);
    const empty = ['extract', scene.at('locked'), 'e', into, '--force', '-q'];
    for (const _ of ['new', 'there'])
      expect(await runCli(empty, { heedsModes: true })).toMatchObject({ status: 0, stderr: '' });
    const again = await run();
    expect([again.status, again.stderr]).toEqual([
      1,
      expect.stringContaining(`cannot write into "${into}/r/in/deep": permission denied`) as string,
    ]);
  });

  test('sets extended attributes in a folder that is named from here and is not there yet', async () => {
    const args = ['extract', scene.at('xattrs'), 'd', 'relative', '--xattrs', '-q'];
    const result = await runCli(args, { cwd: scene.folder });
    expect(result).toEqual({ status: 0, stdout: 'relative/d\n', stderr: '' });
    const { stdout } = spawnSync('getfattr', ['-dm', '-', 'f'], { cwd: scene.path('relative/d') });
    expect(stdout.toString()).toContain('user.a="b"');
  });

  test('says that nothing was verified where that is not wanted', async () => {
    const { stderr } = await scene.run('extract', scene.at('app'), 'd/a', scene.path('three'), '--no-verify');
    expect(stderr).toContain('not verified');
  });

  test('gives programs what it did as plain data', async () => {
    const into = scene.path('four');
    const outcome = await extract(scene.at('app'), '/', into, { layer: 1, strip: true });
    expect(JSON.parse(JSON.stringify(outcome))).toEqual(outcome);
    expect(outcome).toMatchObject({ destination: into, files: 2, links: 1, layers: [1], leftOut: ['d/p'] });
    expect(readFileSync(`${into}/d/l`, 'utf8')).toBe('1');
  });

  test.each([
    [
      ['extract', 'IMAGE', 'd', 'DIR/five', '--platform', 'linux/amd64,linux/arm64'],
      2,
      'give one --platform',
    ],
    [['extract', 'IMAGE', 'none', 'DIR/five'], 1, 'has no "none" [NOT_FOUND]'],
    [['extract', 'IMAGE', 'd', ''], 2, 'the name of the folder is empty'],
  ])('refuses what it cannot do: %j', async (args, status, told) => {
    const words = args.map((word) => word.replace('IMAGE', scene.at('app')).replace('DIR', scene.folder));
    const result = await callCli(words);
    expect([result.status, result.stderr]).toEqual([status, expect.stringContaining(told) as string]);
    expect(readdirSync(scene.folder)).not.toContain('five');
  });
});
