/** What an error about a limit advises suffices where the size is known, and says where it is not. */
import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { highestRatio } from '../../src/codec/encoding.ts';
import { exceeded, type LimitName, limitTable } from '../../src/limits.ts';
import { limitsOf, parseLimits } from '../../src/settings/limits.ts';
import { callCli } from '../support/cli.ts';
import { buildImage } from '../support/image-builder.ts';
import { writeTar } from '../support/model/tar-bytes.ts';
import { openScene } from '../support/scene.ts';
import { smallImage } from '../support/store/local.ts';

const scene = openScene(() => ({ app: smallImage() }));
const names = Object.keys(limitTable) as LimitName[];

function advisedBy(stderr: string): string {
  const [, found = ''] = /--limit (\S+) \(docs\/limits\.md\)/.exec(stderr) ?? [];
  return found;
}

describe.each(names)('the advice for %s', (name) => {
  test.each([1, 3, 1000, 1023, 16_385, 2 ** 21 + 1, 67_108_865, 3 * 2 ** 30 + 7])(
    'suffices for %i where that is known, and is no less where it is not',
    (value) => {
      const limits = { [name]: value / 2 } as Record<typeof name, number>;
      const known = exceeded(name, limits, 'x', { says: 'y', needed: value }).advice ?? '';
      expect(limitsOf(parseLimits([advisedBy(known)]))[name]).toBeGreaterThanOrEqual(value);
      const isEndless = advisedBy(known) === 'time=none';
      if (!isEndless)
        expect(limitsOf(parseLimits([advisedBy(known)]))[name]).toBeLessThanOrEqual(value * 1.07);
      expect(known).not.toContain('known only');
      const unknown = exceeded(name, limits, 'x', { says: 'y', atLeast: value }).advice ?? '';
      expect(limitsOf(parseLimits([advisedBy(unknown)]))[name]).toBeGreaterThan(value);
      expect(unknown).toContain('How much it takes is known only when it is read.');
    },
  );
});

describe('typed in, the advice gets further:', () => {
  const rules = (count: number) => 'a/b\n'.repeat(count);
  test.each<readonly [limit: string, option: string, text: string]>([
    ['rules=3', '--rules', rules(1000)],
    ['rules=3', '--keep-file', rules(1000)],
    ['rule-bytes=10', '--rules', rules(5000)],
    ['rule-bytes=10', '--keep-file', rules(5000)],
    ['plan-bytes=10', '--file', `# ${'x'.repeat(100_000)}\nversion: 1\nprune: {rules: [a]}\n`],
  ])('beyond %s of %s', async (limit, option, text) => {
    const file = await scene.write('given', text);
    const command = option === '--file' ? 'slim' : 'prune';
    const rest = option === '--keep-file' ? ['--rule', 'x'] : [];
    const line = [command, scene.at('app'), '--dry-run', '-q', option, file, ...rest, '--limit', limit];
    const { status, stderr } = await callCli(line);
    expect(status, stderr).not.toBe(0);
    expect(stderr).toContain('[LIMIT]');
    const again = await callCli([...line, '--limit', advisedBy(stderr)]);
    expect(again.stderr).not.toContain('[LIMIT]');
  });

  test('beyond what several files hold together', async () => {
    const files = [await scene.write('one', rules(10)), await scene.write('two', rules(5000))];
    const given = files.flatMap((file) => ['--rules', file]);
    for (const limit of ['rules=12', 'rule-bytes=50']) {
      const line = ['prune', scene.at('app'), '--dry-run', '-q', ...given, '--limit', limit];
      const { stderr } = await callCli(line);
      expect(stderr).toContain('[LIMIT]');
      expect((await callCli([...line, '--limit', advisedBy(stderr)])).stderr).not.toContain('[LIMIT]');
    }
  });

  test.each(['gzip', 'zstd'] as const)('beyond the ratio of a layer in %s', async (compress) => {
    const zeros = { name: 'zeros', body: new Uint8Array(3_000_000) };
    await scene.writeLayout({ zeros: buildImage({ layers: [writeTar([zeros])], compress }) }, 'zeros');
    const line = [
      'prune',
      scene.at('zeros', 'zeros'),
      '--shadowed',
      '--limit',
      'ratio-floor=1000',
      '--dry-run',
    ];
    const { stderr } = await callCli([...line, '--limit', 'ratio=2']);
    expect(advisedBy(stderr)).toBe(`ratio=${highestRatio(compress)}`);
    await scene.run(...line, '--limit', advisedBy(stderr));
  });

  test('beyond the members of an archive, also where only some of them are counted', async () => {
    const archive = `docker-archive:${scene.path('members.tar')}:app:1`;
    await scene.run('copy', scene.at('app'), archive);
    const line = ['squash', archive, '--all', '--dry-run', '--limit'];
    for (const [limit, isKnown] of [
      ['archive-members=3', true],
      ['archive-members=1', false],
    ] as const) {
      const { stderr } = await callCli([...line, limit]);
      expect(stderr).toContain('[LIMIT]');
      expect(stderr.includes('known only when it is read')).toBe(!isKnown);
      await scene.run(...line, advisedBy(stderr));
    }
  });

  test('beyond the bytes of a trace that is one document', async () => {
    const document = JSON.stringify(Array.from({ length: 20_000 }, (_, i) => `/usr/lib/${i}`));
    const trace = await scene.write('trace.json', document);
    const line = ['trace', 'show', trace, '--limit'];
    const { stderr } = await callCli([...line, 'trace-bytes=100']);
    expect(stderr).toContain('[LIMIT]');
    expect((await callCli([...line, advisedBy(stderr)])).stderr).not.toContain('[LIMIT]');
  });

  test('of a pipe, whose size is not known, it says so', async () => {
    const pipe = scene.path('pipe');
    await new Promise((resolve) => spawn('mkfifo', [pipe]).on('close', resolve));
    const writing = writeFile(pipe, rules(1000)).catch(() => {});
    const line = ['prune', scene.at('app'), '--dry-run', '--rules', pipe, '--limit', 'rule-bytes=10'];
    expect((await callCli(line)).stderr).toContain('known only when it is read');
    await writing;
  });
});
