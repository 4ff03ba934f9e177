import { describe, expect, it } from 'vitest';
import { renderMarkdown } from '../../src/report/markdown.ts';
import type { PlatformReport, RemovedEntry, Report } from '../../src/report/report.ts';
import { renderSummary } from '../../src/report/summary.ts';
import { sample } from './sample.ts';

const platform = sample.platforms[0] as PlatformReport;
const withRemoved = (removed: readonly RemovedEntry[]): Report => {
  if (platform.slimming === null) throw new Error('the sample has changed');
  return { ...sample, platforms: [{ ...platform, slimming: { ...platform.slimming, removed } }] };
};
const entry = (path: string, bytes: number): RemovedEntry => ({
  path,
  layer: 1,
  type: 'file',
  size: 0,
  bytes,
  rule: 'x',
  origin: '--rule',
  how: 'freed',
});

describe('renderMarkdown', () => {
  const text = renderMarkdown(sample);

  it('shows what was removed, the size of a pull, and the layers', () => {
    expect(text).toMatch(/^# ocislim slim: registry\.example\/app:v1\n/);
    expect(text).toContain(
      '| slimming (unpacked) | 414.3 MB | 209.3 MB | -49.5% |\n| pull size (compressed layers) | 186.3 MB | 69.2 MB | -62.8% |',
    );
    expect(text).toContain(
      '| 2–4 | `RUN chown -R 1000:1000 /app (and 2 below)` | 138.1 MB | 21.0 MB | -84.8% | rewritten |',
    );
    expect(text).toContain('| `var/lib/apt/lists/**` | preset apt-lists | 4 | 82.9 MB |');
    expect(text).toContain('- `app/suid` had mode 4755, has 0755\n');
    expect(text).toContain('- `RULE_UNUSED`: the rule "\\*.x" matched nothing\n');
    expect(text).toMatch(/Made by ocislim 0\.1\.0 with zstd 1\.5\.7 at level 19\.\n$/);
  });
  it('shows the attack surface before and after, and no value of a secret', () => {
    expect(text).toContain(`### Attack surface

|  | before | after |
| --- | --: | --: |
| shells | 2 | 1 |
| package managers | 1 | 0 |
| setuid or setgid | 1 | 1 |
`);
    expect(text).toContain('| shells | `usr/bin/bash` | gone |\n| shells | `usr/bin/dash` |  |\n');
    expect(text).toContain('- user: root\n- ports: 80/tcp\n- secrets: DB\\_PASSWORD, A\\\\x1b\\_TOKEN: the');
    const quiet = renderMarkdown({ ...sample, platforms: [{ ...platform, surface: null }] });
    expect(quiet).not.toContain('Attack surface');
  });
  it('shows names that are not UTF-8, and escapes the others', () => {
    expect(text).toContain('| `app/bad\\xff` | 3 | 1.0 kB | `app/bad*` | hidden, not freed |');
    const name = renderMarkdown(withRemoved([entry('a\\b', 1)]));
    expect(name).toContain('| `a\\\\b` | 1 |');
  });
  it('has as many cells in each row of a table as in its head', () => {
    const evil = renderMarkdown(
      withRemoved([entry('a|b\\|c`d', 1), entry('x\\', 2), entry(' y ', 3), entry('`', 4)]),
    );
    let cells = 0;
    for (const line of evil.split('\n')) {
      if (!line.startsWith('|')) cells = 0;
      else {
        const count = line.replaceAll(/\\[^]/g, '').split('|').length;
        if (cells > 0) expect(count, line).toBe(cells);
        cells = count;
      }
    }
    expect(evil).toContain('<code>a&#124;b&#92;&#92;&#124;c&#96;d</code>');
    expect(evil).toContain('`  y  `');
  });
  it('lets no text act as markup', () => {
    const message = '<img src=x> **b** [l](http://x) @team `c` #1 www.x.org &lt; a_b_c\n- d ![i](j)';
    const evil = renderMarkdown({ ...sample, warnings: [{ code: 'X', message }] });
    const line = evil.split('\n').find((candidate) => candidate.startsWith('- `X`')) ?? '';
    expect(line).toBe(
      '- `X`: &lt;img src=x\\> \\*\\*b\\*\\* \\[l\\]\\(http&#58;//x\\) &#64;team \\`c\\` \\#1 www&#46;x.org &amp;lt; a\\_b\\_c\\\\n- d \\!\\[i\\]\\(j\\)',
    );
    expect(evil).not.toContain('\u202e');
  });
  it('distinguishes a name with a byte that is not UTF-8 from one that spells its escape', () => {
    const bytes = { path: 'app/\\xe9', pathBase64: 'YXBwL+k=' };
    const spelled = { path: 'app/\\xe9' };
    const files = [{ kind: 'shells', before: [bytes, spelled], after: [] }] as const;
    if (platform.surface === null) throw new Error('the sample has changed');
    const surface = { ...platform.surface, files };
    const report = { ...sample, platforms: [{ ...platform, surface }] };
    for (const text of [renderMarkdown(report), renderSummary(report, { width: 110, verbose: true })]) {
      expect(text).toMatch(/app\/\\xe9\W/);
      expect(text).toMatch(/app\/\\\\xe9\W/);
    }
    expect(renderMarkdown(sample)).toContain('is now a hard link to `app/\\xe9`');
  });
  it('lists only the largest of many paths', () => {
    const many = renderMarkdown(withRemoved(Array.from({ length: 1500 }, (_, i) => entry(`file-${i}`, i))));
    expect(many).toContain('<summary>The 100 largest of 1,500 removed paths</summary>');
    expect(many).toContain('| `file-1499` |');
    expect(many).toContain('| `file-1400` |');
    expect(many).not.toContain('`file-1399`');
  });
  it('says that nothing was written, or that there was nothing to do', () => {
    expect(renderMarkdown({ ...sample, dryRun: true, destination: null })).toContain(
      '**Dry run: nothing was written; the layers would shrink from ',
    );
    expect(renderMarkdown({ ...sample, unchanged: true })).toContain(
      'Nothing to do: the image stays as it is, byte for byte.',
    );
  });
});
