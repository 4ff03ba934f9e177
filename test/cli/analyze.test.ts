import { readFileSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { analyze } from '../../src/commands/index.ts';
import { analysisSchema } from '../../src/report/analyze/schema.ts';
import { callCli, cliScript } from '../support/cli.ts';
import { expectHarmless, expectNoMarkup, nastyName } from '../support/hostile-text.ts';
import { buildImage } from '../support/image-builder.ts';
import { bytesOf, utf8 } from '../support/model/byte-string.ts';
import { type EntrySpec, writeTar } from '../support/model/tar-bytes.ts';
import { Scene } from '../support/scene.ts';

const file = (name: string, size = 3000, more: Partial<EntrySpec> = {}): EntrySpec => ({
  name,
  body: new Uint8Array(size).fill(size % 251),
  ...more,
});
const empty: EntrySpec = { name: '', body: bytesOf('') };

const plain = buildImage({
  layers: [
    writeTar([
      file('etc/config', 100),
      file('app/data', 5000),
      file('app/lib/=cmd()', 40),
      { ...empty, name: 'app/hard', type: 'link', linkname: 'app/data' },
      { ...empty, name: 'app/soft', type: 'symlink', linkname: 'data' },
    ]),
    writeTar([{ ...empty, name: 'etc/.wh.config' }, file('app/data', 6000), file('srv/a,"b', 7)]),
  ],
  config: {
    history: [{ created_by: 'COPY . /' }, { created_by: 'RUN /bin/sh -c make # buildkit' }],
  },
});
const hostileName = utf8(nastyName);
const hostile = buildImage({
  layers: [
    writeTar([file(hostileName), file(`=${hostileName}/${hostileName}`), file(`${hostileName}\xff`)]),
    writeTar([{ ...empty, name: `.wh.${hostileName}` }]),
  ],
  config: { history: [{ created_by: `RUN ${nastyName}` }, { created_by: nastyName }] },
});

const scene = new Scene();
beforeAll(() => scene.open({ plain, hostile }));
afterAll(() => scene.close());

const formats = ['text', 'json', 'markdown', 'csv', 'ncdu', 'paths', 'dive-json'] as const;

describe('analyze', () => {
  test('prints the layers with their instructions, and what containers do not see', async () => {
    const text = await scene.succeed('analyze', scene.at('plain'));
    expect(text).toMatch(/^reclaimable +100 B /m);
    expect(text).toMatch(/RUN make$/m);
  });

  test('as JSON conforms to the published schema', async () => {
    const document = analysisSchema.parse(
      JSON.parse(await scene.succeed('analyze', scene.at('plain'), '--format', 'json')),
    );
    expect(document.layers.map(({ instruction }) => instruction)).toEqual(['COPY . /', 'RUN make']);
    // A hard link still shows the first contents of app/data.
    expect(document.totals.reclaimableBytes).toBe(100);
    expect(document.totals.visibleBytes).toBe(5000 + 6000 + 40 + 7);
  });

  test('is there for programs, as plain data', async () => {
    const analysis = await analyze(scene.at('plain'), { quick: true });
    expect(JSON.parse(JSON.stringify(analysis.totals))).toEqual(analysis.totals);
    expect(analysis.layers.map(({ shadowedBytes }) => shadowedBytes)).toEqual([100, 0]);
  });

  test('lists the paths of the final root filesystem, or of all layers with their states', async () => {
    const root = await scene.succeed('analyze', scene.at('plain'), '--format', 'paths');
    expect(root.split('\n')).toEqual([
      '/app',
      '/app/data',
      '/app/hard',
      '/app/lib',
      '/app/lib/=cmd()',
      '/app/soft',
      '/etc',
      '/srv',
      '/srv/a,"b',
    ]);
    const all = await scene.succeed('analyze', scene.at('plain'), '--format', 'paths', '--all-layers');
    expect(all.split('\n')).toEqual([
      '1\tshadowed: deleted by layer 2\t/etc/config',
      '1\tshadowed: overwritten by layer 2\t/app/data',
      '1\tvisible\t/app/lib/=cmd()',
      '1\tvisible\t/app/hard',
      '1\tvisible\t/app/soft',
      '2\twhiteout\t/etc/config',
      '2\tvisible\t/app/data',
      '2\tvisible\t/srv/a,"b',
    ]);
  });

  test('counts a file with several names once in CSV, and quotes paths', async () => {
    const csv = await scene.succeed('analyze', scene.at('plain'), '--format', 'csv');
    expect(csv.split('\n')).toEqual([
      'path,type,bytes,mode,uid,gid,layer,state,hidden_by,reclaimable',
      '"/app",directory,0,0755,0,0,,visible,,no',
      '"/app/data",file,6000,0644,0,0,2,visible,,no',
      '"/app/hard",link,5000,0644,0,0,1,visible,,no',
      '"/app/lib",directory,0,0755,0,0,,visible,,no',
      '"/app/lib/=cmd()",file,40,0644,0,0,1,visible,,no',
      expect.stringMatching(/^"\/app\/soft",symlink,0,/),
      '"/etc",directory,0,0755,0,0,,visible,,no',
      '"/srv",directory,0,0755,0,0,,visible,,no',
      '"/srv/a,""b",file,7,0644,0,0,2,visible,,no',
    ]);
    const all = await scene.succeed('analyze', scene.at('plain'), '--format', 'csv', '--all-layers');
    expect(all).toContain('"/etc/config",file,100,0644,0,0,1,shadowed: deleted,2,yes\n');
    expect(all).toContain('"/app/data",file,5000,0644,0,0,1,shadowed: overwritten,2,no\n');
  });

  test('nests directories for ncdu, all layers by layer and state', async () => {
    const all = JSON.parse(
      await scene.succeed('analyze', scene.at('plain'), '--format', 'ncdu', '--all-layers'),
    ) as unknown[];
    const tree = (node: unknown): unknown =>
      Array.isArray(node)
        ? [(node[0] as { name: string }).name, ...node.slice(1).map(tree)]
        : (node as { name: string }).name;
    expect(tree(all[3])).toEqual([
      scene.at('plain'),
      [
        'layer 1: COPY . \u2215',
        ['visible', ['app', 'hard', ['lib', '=cmd()'], 'soft']],
        ['shadowed: overwritten by layer 2', ['app', 'data']],
        ['shadowed: deleted by layer 2', ['etc', 'config']],
      ],
      ['layer 2: RUN make', ['visible', ['app', 'data'], ['srv', 'a,"b']], ['whiteout', ['etc', 'config']]],
    ]);
  });

  test.each(formats)('of an image with hostile names prints nothing that acts: %s', async (format) => {
    for (const more of [[], ['--all-layers'], ['--quick']]) {
      const { stdout, stderr } = await scene.run('analyze', scene.at('hostile'), '--format', format, ...more);
      const where = [format, ...more].join(' ');
      expect(stdout, where).toContain('mark');
      if (format === 'markdown') expectNoMarkup(stdout, where);
      else expectHarmless(stdout, where);
      expectHarmless(stderr, where);
    }
  });

  test('writes exact bytes of paths with NUL after each', async () => {
    const out = scene.path('paths');
    await scene.run('analyze', scene.at('hostile'), '--format', 'paths', '--null', '-o', out);
    const listed = readFileSync(out, 'latin1').split('\0');
    expect(listed).toContain(`/${hostileName}\xff`);
    expect(listed.at(-1)).toBe('');
  });

  test('writes reports by the ends of their names, beside what it prints', async () => {
    const names = ['a.json', 'a.md', 'a.csv'].map((name) => scene.path(name));
    const options = names.flatMap((name) => ['--report', name]);
    await scene.run('analyze', scene.at('plain'), ...options, '-o', scene.path('a.txt'));
    const [json = '', markdown = '', csv = ''] = names.map((name) => readFileSync(name, 'utf8'));
    expect(analysisSchema.safeParse(JSON.parse(json)).success).toBe(true);
    expect(markdown).toMatch(/^# oci:/);
    expect(csv).toMatch(/^path,type,/);
    expect(readFileSync(scene.path('a.txt'), 'utf8')).toContain('\nlayers\n');
  });

  test.each([
    ['a report of unknown form', ['--report', 'a.pdf'], 'the name must end in .json'],
    ['two results in one file', ['--report', 'x.json', '-o', 'x.json'], 'another file'],
    ['two platforms', ['--platform', 'linux/amd64,linux/arm64'], 'give one --platform'],
    ['a format of another tool', ['--format', 'html'], '--report FILE.html'],
  ])('refuses %s', async (_, options, told) => {
    const { status, stdout, stderr } = await callCli([
      'analyze',
      scene.at('plain'),
      ...options.map((word) => (word.startsWith('x.') ? scene.path(word) : word)),
    ]);
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toContain(told);
  });

  test('ends quietly where the reader of its output goes away', async () => {
    const child = spawn(process.execPath, [cliScript, 'analyze', scene.at('plain'), '--format', 'paths'], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child.stdout.destroy();
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => void (stderr += text));
    const status = await new Promise((resolve) => child.on('close', resolve));
    expect(status).toBe(141);
    expect(stderr).not.toMatch(/ocislim:|Error/);
  });
});
