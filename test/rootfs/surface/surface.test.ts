import { describe, expect, it } from 'vitest';
import { buildReport } from '../../../src/report/build.ts';
import { renderJson } from '../../../src/report/json.ts';
import { renderMarkdown } from '../../../src/report/markdown.ts';
import type { Report, SurfaceReport } from '../../../src/report/report.ts';
import { reportSchema } from '../../../src/report/schema.ts';
import { renderSummary } from '../../../src/report/summary.ts';
import { expandPresets } from '../../../src/slim/presets.ts';
import { prune, type PruneOptions } from '../../../src/slim/prune.ts';
import { parseRule } from '../../../src/rules/rules.ts';
import { squash } from '../../../src/slim/squash.ts';
import type { Transform } from '../../../src/image/image.ts';
import { buildImage, type ImageRecipe } from '../../support/image-builder.ts';
import { rewrite, tar } from '../../jobs/rig.ts';

const all = { kind: 'all' } as const;

function presets(...names: string[]): PruneOptions {
  const { remove, clearSetuid } = expandPresets(names);
  return { rules: remove, clearSetuid: clearSetuid.map(({ text }) => text), force: true };
}

const debian = [
  tar(
    'bin~>usr/bin',
    { name: 'usr/bin/dash', mode: 0o755 },
    'usr/bin/sh~>dash',
    { name: 'usr/bin/apt-get', mode: 0o755 },
    { name: 'usr/bin/su', mode: 0o4755 },
    { name: 'usr/bin/passwd', mode: 0o4755 },
    'usr/bin/passwd-too->usr/bin/passwd',
    { name: 'usr/lib/apt/methods/http', mode: 0o755 },
    'var/lib/dpkg/status',
  ),
  tar({ name: 'srv/open/', type: 'dir', mode: 0o777 }, 'usr/bin/gpg->usr/bin/su'),
  tar({ name: 'usr/bin/dash', mode: 0o755 }),
];

async function reportOf(
  recipe: Partial<ImageRecipe>,
  ...transforms: Transform[]
): Promise<{ report: Report; surface: SurfaceReport | null }> {
  const { outcome } = await rewrite(buildImage({ layers: debian, ...recipe }), transforms);
  const report = buildReport(outcome, {
    tool: { name: 'ocislim', version: '1' },
    command: 'prune',
    sourceReference: 'a',
    destinationReferences: ['b'],
    warnings: [],
    squashOrigin: '--all',
  });
  reportSchema.parse(JSON.parse([...renderJson(report)].join('')));
  return { report, surface: report.platforms[0]?.surface ?? null };
}

const shown = (surface: SurfaceReport | null): string[] =>
  (surface?.files ?? []).flatMap(({ kind, before, after }) => {
    const list = (files: typeof before) =>
      files.map(({ path, names = [] }) => [path, ...names].join(' ')).join(', ');
    return before.length + after.length === 0 ? [] : [`${kind}: ${list(before)} → ${list(after)}`];
  });

describe('the attack surface of a result', () => {
  it('is that of its layers, with cleared bits, also after a squash', async () => {
    const pruning = prune(all, presets('shells', 'package-managers', 'setuid'));
    const { surface } = await reportOf({}, pruning);
    expect(shown(surface)).toEqual([
      'shells: usr/bin/dash usr/bin/sh → ',
      'package-managers: usr/bin/apt-get → ',
      'setuid: usr/bin/gpg usr/bin/su, usr/bin/passwd usr/bin/passwd-too → ',
      'world-writable-directories: srv/open → srv/open',
    ]);
    expect((await reportOf({}, pruning, squash(all))).surface).toEqual(surface);
  });
  it('counts files of an unselected layer, and files that a link still names', async () => {
    const { surface } = await reportOf(
      {},
      prune({ kind: 'range', from: 3, to: 3 }, presets('shells', 'setuid')),
    );
    // The upper layer's dash goes, and a whiteout hides the lower one.
    expect(shown(surface)).toContain('shells: usr/bin/dash usr/bin/sh → ');
    expect(shown(surface)).toContain(
      'setuid: usr/bin/gpg usr/bin/su, usr/bin/passwd usr/bin/passwd-too → usr/bin/gpg usr/bin/su, usr/bin/passwd usr/bin/passwd-too',
    );
    const rule = parseRule('usr/bin/su', '--rule');
    const removed = await reportOf({}, prune(all, { rules: [rule] }));
    expect(shown(removed.surface)).toContain(
      'setuid: usr/bin/gpg usr/bin/su, usr/bin/passwd usr/bin/passwd-too → usr/bin/gpg, usr/bin/passwd usr/bin/passwd-too',
    );
  });
  it('is not surveyed if nothing is pruned', async () => {
    expect((await reportOf({}, squash(all))).surface).toBeNull();
  });
  it('has what the config says, without the value of any secret', async () => {
    const config = {
      User: '0:0',
      ExposedPorts: { '8080/tcp': {}, '53/udp': {} },
      Env: ['PATH=/usr/bin', 'DB_PASSWORD=hunter2', 'DB_PASSWORD_FILE=/x'],
    };
    const { report, surface } = await reportOf({ config: { config } }, prune(all, { shadowed: true }));
    expect(surface).toMatchObject({
      ports: ['53/udp', '8080/tcp'],
      user: '0:0',
      isRoot: true,
      secrets: ['DB_PASSWORD'],
    });
    const texts = [
      [...renderJson(report)].join(''),
      renderMarkdown(report),
      renderSummary(report, { verbose: true }),
    ];
    for (const text of texts) {
      expect(text).toContain('DB');
      expect(text).not.toContain('hunter2');
    }
  });
  it.each([
    [undefined, true],
    ['root', true],
    ['root:app', true],
    ['0', true],
    ['1000', false],
    ['app:0', false],
  ])('user %j is root: %j', async (user, isRoot) => {
    const config = user === undefined ? {} : { User: user };
    const { surface } = await reportOf({ config: { config } }, prune(all, { shadowed: true }));
    expect(surface?.isRoot).toBe(isRoot);
  });
});
