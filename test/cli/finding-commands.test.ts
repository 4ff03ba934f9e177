import { describe, expect, test } from 'vitest';
import type { Analysis } from '../../src/analyze/analysis.ts';
import { analyzed, imageOfSteps, type Step } from '../support/analyze.ts';
import type { BuiltImage } from '../support/image-builder.ts';
import type { Short } from '../support/model/shorthand.ts';
import { openScene } from '../support/scene.ts';
import { designedImage } from '../support/small-image.ts';

const data = (bytes: number, letter: string): string => letter.repeat(bytes);

/** An image with something of every kind of finding that has a command. */
function wasteful(): BuiltImage {
  const app = (uid: number): Short => ({
    name: 'app/main',
    body: Buffer.from(data(30_000, 'm')),
    uid,
    gid: uid,
  });
  const steps: readonly Step[] = [
    {
      row: 'RUN /bin/sh -c install # buildkit',
      entries: [
        `var/lib/apt/lists/a_Packages=${data(20_000, 'a')}`,
        `var/cache/apk/b.apk=${data(9000, 'b')}`,
        `root/.m2/repository/c.jar=${data(8000, 'c')}`,
        `usr/share/man/man1/d.1=${data(7000, 'd')}`,
        `usr/lib/libe.a=${data(6000, 'e')}`,
        `usr/lib/debug/f.debug=${data(5000, 'f')}`,
        `usr/include/g.h=${data(4000, 'g')}`,
        `srv/one=${data(12_000, '1')}`,
        `srv/two=${data(12_000, '1')}`,
        'root/.netrc=machine a login b password hunter22',
        'root/.pgpass=host:5432:db:me:hunter22',
      ],
    },
    {
      row: 'COPY . /app # buildkit',
      entries: [app(0), `app/log=${data(10_000, 'l')}`, `app/conf=${data(3000, 'h')}`],
    },
    {
      row: 'RUN /bin/sh -c chown # buildkit',
      entries: [app(7), 'app/.wh.log', `app/conf=${data(3000, 'i')}`, 'root/.wh..pgpass'],
    },
  ];
  return imageOfSteps(steps);
}

const images = { small: designedImage(), wasteful: wasteful() };
const scene = openScene(() => images);

/** Returns the commands of the findings, each with the bytes of all findings that it is for. */
function commandsOf({
  findings,
}: Analysis): ReadonlyMap<string, { readonly args: readonly string[]; bytes: number; files: number }> {
  const commands = new Map<string, { readonly args: readonly string[]; bytes: number; files: number }>();
  for (const { command, bytes, files } of findings) {
    if (command === null) continue;
    const known = commands.get(command.join(' '));
    if (known === undefined) commands.set(command.join(' '), { args: command, bytes, files });
    else {
      known.bytes += bytes;
      known.files += files;
    }
  }
  return commands;
}

describe('the command of every finding runs as it is, and frees its bytes', () => {
  test.each(Object.keys(images) as (keyof typeof images)[])('of the image %s', async (name) => {
    const { analysis } = await analyzed(images[name]);
    const commands = commandsOf(analysis);
    expect(commands.size).toBeGreaterThan(name === 'small' ? 1 : 9);
    for (const [text, { args, bytes, files }] of commands) {
      const [command = '', ...options] = args;
      const report = await scene.report(command, scene.at(name), ...options, '--dry-run');
      const slimming = report.platforms[0]?.slimming;
      const freed = (slimming?.bytesBefore ?? 0) - (slimming?.bytesAfter ?? 0);
      expect(freed, text).toBeGreaterThanOrEqual(bytes);
      // Heads and padding of the files, and of the directories and markers that go with them. Rules also take hidden copies.
      const entries = files + (slimming?.removedEntries ?? 0);
      const shadowed = text === 'prune --shadowed' ? 0 : analysis.totals.reclaimableBytes;
      expect(freed, text).toBeLessThanOrEqual(bytes + shadowed + 3 * 1024 * (entries + 2));
    }
  });

  test('and that of what is hidden frees all that is reclaimable', async () => {
    const { analysis } = await analyzed(images.wasteful);
    const hidden = analysis.findings.filter(({ command }) => command?.join(' ') === 'prune --shadowed');
    const small = 3 * 1000;
    const bytes = hidden.reduce((sum, finding) => sum + finding.bytes, 0);
    expect(analysis.totals.reclaimableBytes - bytes).toBeGreaterThanOrEqual(0);
    expect(analysis.totals.reclaimableBytes - bytes).toBeLessThan(small);
  });
});
