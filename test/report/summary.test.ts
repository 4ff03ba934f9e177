import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { describeMaker } from '../../src/report/made-by.ts';
import type { PlatformReport, Report } from '../../src/report/report.ts';
import { chooseStyle, colorStyle, plainStyle } from '../../src/report/style.ts';
import { renderSummary } from '../../src/report/summary.ts';
import { layOut, truncate, widthOf } from '../../src/report/table.ts';
import { sample } from './sample.ts';

const platform = sample.platforms[0] as PlatformReport;

describe('renderSummary', () => {
  it('shows what was removed and the size of a pull separately', () => {
    expect(renderSummary(sample)).toBe(`slim registry.example/app:v1
  old  sha256:${'01'.repeat(32)}
  new  sha256:${'02'.repeat(32)}
  →    registry.example/app:slim

linux/amd64
  slimming                     414.3 MB  →   209.3 MB  -49.5%  unpacked; removed 60 files, 64 entries in all
             apt-cache                      -113.0 MB          53 entries
             apt-lists                       -82.9 MB          5 entries
             --shadowed                       -9.1 MB          5 entries
             app/bad*                         -1.0 kB          1 entry
                                                               1 path hidden, not freed: a layer that was not selected holds it
             duplicates                       -2.4 MB          2 files replaced by hard links to identical files
  keeping                       12.3 MB                        unpacked; 180 paths by app.trace, granularity package
             trace              12.3 MB                        180 paths
  pull size                    186.3 MB  →    69.2 MB  -62.8%  compressed layers: -98.0 MB by slimming, -19.1 MB by packing (estimate)
  layers                              6  →          3          1 kept, 1 rewritten, 1 kept (no smaller), 1 dropped (empty)
  surface    shells                   2  →          1
             package managers         1  →          0
             secrets                  2                        in the environment: DB_PASSWORD, A\\x1b_TOKEN

transfer: 138.1 MB downloaded, 21.0 MB uploaded, 48.2 MB already there
`);
  });

  it('has a table of layers when verbose', () => {
    expect(renderSummary(sample, { verbose: true })).toContain(`
  layer  made by                                      before       after
  1      ADD file:8a921859… in /                     48.2 MB                      kept
  2–4    RUN chown -R 1000:1000 /app (and 2 below)  138.1 MB  →  21.0 MB  -84.8%  rewritten
  5      RUN rm -rf /var/lib/apt/lists/*                32 B  →        –          dropped (empty)
  6                                                    812 B                      kept (no smaller)
`);
  });

  it('has the paths of the attack surface when verbose', () => {
    expect(renderSummary(sample, { verbose: true })).toContain(`
  surface
  shells            usr/bin/bash                                                  gone
                    usr/bin/dash                                                  stays
  package managers  usr/bin/apt                                                   gone
  setuid or setgid  app/su|id\\x1b[2J                                              stays
  user              root
  ports             80/tcp
  secrets           DB_PASSWORD, A\\x1b_TOKEN: the environment holds their values
`);
  });

  it('omits an unchanged attack surface', () => {
    if (platform.surface === null) throw new Error('the sample has changed');
    const files = platform.surface.files.map((row) => ({ ...row, after: row.before }));
    const same = { ...platform, surface: { ...platform.surface, files, secrets: [] } };
    expect(renderSummary({ ...sample, platforms: [same] })).not.toContain('surface');
  });

  it('says what was left out of listed directories, and what keeps it', () => {
    if (platform.keeping === null) throw new Error('the sample has changed');
    const leftOut = [4, 3, 2, 1].map((n) => ({ path: `usr/share/x${n}`, entries: n, bytes: n * 1_000_000 }));
    const same = { ...platform, keeping: { ...platform.keeping, leftOut } };
    const text = renderSummary({ ...sample, platforms: [same] });
    expect(text).toContain('left out of the listed /usr/share/x4: 4 entries, 4.0 MB (--keep usr/share/x4)');
    expect(text).not.toContain('usr/share/x1');
    expect(text).toContain('and of 1 more listed directories');
  });

  it('has the same text with colours', () => {
    const coloured = renderSummary(sample, { style: colorStyle, verbose: true });
    expect(coloured).not.toBe(renderSummary(sample, { verbose: true }));
    expect(stripVTControlCharacters(coloured)).toBe(renderSummary(sample, { verbose: true }));
  });

  it('shows what a dry run would do', () => {
    const dry: Report = {
      ...sample,
      dryRun: true,
      destination: null,
      platforms: [
        {
          ...platform,
          digest: null,
          layers: [
            {
              action: 'planned',
              before: platform.layers[0]?.before ?? [],
              after: null,
              estimate: { size: 40_100_000, error: 800_000, stays: false },
            },
          ],
          slimming: null,
          keeping: null,
          surface: null,
          compressing: {
            sizeBefore: 48_200_000,
            sizeAfter: 40_100_000,
            sizeAfterError: 800_000,
            savedBySlimming: 0,
            savedByPacking: 8_100_000,
            estimated: false,
          },
        },
      ],
    };
    expect(renderSummary(dry, { verbose: true })).toBe(`slim registry.example/app:v1
  old  sha256:${'01'.repeat(32)}
dry run: nothing was written; the layers would shrink from 48.2 MB to about 40.1 MB (-16.8%, ±800.0 kB)

linux/amd64
  pull size    48.2 MB  →  ~40.1 MB  -16.8%  compressed layers, ±800.0 kB: -8.1 MB by packing
  layers             1                       1 to be changed

  layer  made by                   before        after
  1      ADD file:8a921859… in /  48.2 MB  →  ~40.1 MB  -16.8%  to be changed

transfer: 138.1 MB downloaded, 21.0 MB uploaded, 48.2 MB already there

dry run: the layers would shrink from 48.2 MB to about 40.1 MB (-16.8%, ±800.0 kB)
`);
  });

  it('counts the layers of a dry run as its table does', () => {
    const [platform] = sample.platforms;
    const [layer] = platform?.layers ?? [];
    if (platform === undefined || layer === undefined) throw new Error('the report has no layer');
    const planned = { ...layer, action: 'planned', after: null } as const;
    const stays = { ...planned, estimate: { size: 10, error: 0, stays: true } };
    const layers = [stays, stays, { ...planned, estimate: { size: 10, error: 0, stays: false } }];
    const text = renderSummary({ ...sample, dryRun: true, platforms: [{ ...platform, layers }] });
    expect(text).toMatch(
      /layers .* 1 to be changed, 2 likely kept \(no smaller\)|2 likely kept \(no smaller\), 1 to be changed/,
    );
    expect(text.match(/likely kept/g)).toHaveLength(3);
  });

  it('says that there was nothing to do', () => {
    const nothing: Report = {
      ...sample,
      unchanged: true,
      platforms: [],
      transfer: {
        presentBytes: 0,
        mountedBytes: 0,
        copiedBytes: 0,
        downloadedBytes: 0,
        cachedBytes: 0,
        uploadedBytes: 0,
      },
    };
    expect(renderSummary(nothing)).toBe(`slim registry.example/app:v1
  old  sha256:${'01'.repeat(32)}
  new  the same
  →    registry.example/app:slim
nothing to do: the image stays as it is, byte for byte
`);
  });

  describe.each([
    ['squash', 'squashing'],
    ['prune', 'slimming'],
    ['slim', 'slimming'],
  ])('of %s', (command, work) => {
    it(`calls its work ${work}`, () => {
      const text = renderSummary({ ...sample, command });
      expect(text).toMatch(new RegExp(`^ {2}${work} `, 'm'));
      expect(text).toContain(`-98.0 MB by ${work}`);
      expect(text.match(/slimming|squashing/g)).toEqual([work, work]);
    });
  });

  it.each([
    ['copy', { copiedBytes: 81_000_000, uploadedBytes: 81_000_000 }, 'copied as it is, byte for byte'],
    ['copy', { mountedBytes: 1 }, 'copied as it is, byte for byte'],
    ['copy', { presentBytes: 81_000_000 }, 'nothing to copy: all layers were there already, byte for byte'],
    ['squash', { copiedBytes: 81_000_000 }, 'nothing to change: copied as it is, byte for byte'],
    ['slim', { presentBytes: 1 }, 'nothing to do: the image stays as it is, byte for byte'],
  ])('says of %s what became of an image that stays the same: %j', (command, moved, told) => {
    const none = { presentBytes: 0, mountedBytes: 0, copiedBytes: 0, downloadedBytes: 0, cachedBytes: 0 };
    const transfer = { ...none, uploadedBytes: 0, ...moved };
    const text = renderSummary({ ...sample, command, unchanged: true, platforms: [], transfer });
    expect(text).toContain(`\n${told}\n`);
    expect(text.match(/nothing to/g) ?? []).toHaveLength(told.startsWith('nothing to') ? 1 : 0);
  });

  it.each([60, 70, 80, 100, 120, 160])('fits %i columns without losing a word or figure', (width) => {
    for (const verbose of [false, true]) {
      const text = renderSummary(sample, { width, verbose });
      const isLong = (line: string) => widthOf(line) > width && !/^ {2}(?:old|new) {2}sha256:/.test(line);
      expect(text.split('\n').filter(isLong)).toEqual([]);
      const words = (whole: string) => (whole.match(/[\p{L}\d.%/*_-]{2,}/gu) ?? []).toSorted();
      expect(words(text.replaceAll('made by', ''))).toEqual(
        words(renderSummary(sample, { width: 400, verbose }).replaceAll('made by', '')),
      );
    }
  });

  it('names only the share that is not zero, also of a layer that grew', () => {
    const of = (compressing: Partial<PlatformReport['compressing']>): string =>
      renderSummary({
        ...sample,
        platforms: [
          {
            ...platform,
            slimming: null,
            surface: null,
            compressing: { ...platform.compressing, ...compressing },
          },
        ],
      });
    expect(of({ savedBySlimming: 0, savedByPacking: 117_066_032 })).toContain(
      'compressed layers: -117.1 MB by packing\n',
    );
    expect(of({ savedBySlimming: 117_066_032, savedByPacking: 0 })).toContain(
      'compressed layers: -117.1 MB by slimming\n',
    );
    expect(of({ sizeBefore: 100, sizeAfter: 150, savedBySlimming: 0, savedByPacking: -50 })).toMatch(
      /100 B +→ +150 B +\+50\.0% +compressed layers: 50 B by packing\n/,
    );
  });

  it('sums up all rules except the heaviest', () => {
    if (platform.slimming === null) throw new Error('the sample has changed');
    const byRule = Array.from({ length: 30 }, (_, i) => ({
      rule: `rule-${i}`,
      origin: '--rule',
      entries: 1,
      bytes: 1000 * (i + 1),
    }));
    const text = renderSummary({
      ...sample,
      platforms: [{ ...platform, slimming: { ...platform.slimming, byRule } }],
    });
    expect(text).toMatch(/ rule-29 +-30\.0 kB +1 entry\n/);
    expect(text).toMatch(/ rule-22 .*\n +22 more +-253\.0 kB +22 entries\n/);
    expect(text).not.toContain('rule-21');
  });

  it('lets no name act on the terminal or the log', () => {
    if (platform.slimming === null) throw new Error('the sample has changed');
    const evil = '\u001b[2J\r::error::x##[y\u202e\n::z';
    const text = renderSummary(
      {
        ...sample,
        command: evil,
        source: { ...sample.source, reference: evil },
        destination: { references: [evil], digest: sample.source.digest, mediaType: evil },
        platforms: [
          {
            ...platform,
            platform: evil,
            layers: platform.layers.map((layer) => ({
              ...layer,
              before: layer.before.map((part) => ({ ...part, createdBy: evil })),
            })),
            slimming: { ...platform.slimming, byRule: [{ rule: evil, origin: evil, entries: 1, bytes: 1 }] },
          },
        ],
      },
      { verbose: true, width: 300 },
    );
    expect(text).not.toMatch(/[^\P{Cc}\n]|\p{Cf}|##\w*\[/u);
    expect(text).not.toMatch(/^\s*::/m);
  });
});

describe('describeMaker', () => {
  it.each([
    [null, ''],
    [
      '/bin/sh -c #(nop) ADD file:8a9218592e5d736a05a1821a6dd38b205cdd8197c26a5aa33f6fc22fbfaa1c4d in / ',
      'ADD file:8a921859… in /',
    ],
    ['/bin/sh -c apt-get update     && apt-get install -y x', 'RUN apt-get update && apt-get install -y x'],
    ['|1 A=b /bin/sh -c make', 'RUN make'],
    ['RUN |2 A=b C=d /bin/sh -c make all # buildkit', 'RUN make all'],
    ['COPY /app /app # buildkit', 'COPY /app /app'],
    ['/bin/sh -c #(nop)  CMD ["bash"]', 'CMD ["bash"]'],
    ['RUN /bin/bash -eo pipefail -c make # buildkit', 'RUN make'],
    ['/bin/bash -o pipefail -c make', 'RUN make'],
    ['/bin/ash -c\tapk add x', 'RUN apk add x'],
    ['/bin/sh build.sh -c x', '/bin/sh build.sh -c x'],
    ['umoci insert', 'umoci insert'],
  ])('turns %j into %j', (createdBy, text) => expect(describeMaker(createdBy)).toBe(text));
  it('reads no more than its limit', () => {
    expect(describeMaker(`|1 ${'/bin/sh -cc '.repeat(100_000)}`).length).toBeLessThanOrEqual(1000);
  });
});

describe('tables', () => {
  it('align columns as a terminal shows them', () => {
    expect(
      layOut(
        [
          ['a', '1', 'x'],
          ['日本', '10', ''],
          ['e\u0301', '', 'y'],
        ],
        'lrl',
      ),
    ).toEqual(['a      1  x', '日本  10', 'e\u0301         y']);
    expect(
      layOut(
        [
          ['', 'b'],
          ['cc', ''],
        ],
        'll',
      ),
    ).toEqual(['    b', 'cc']);
    expect(
      layOut(
        [
          [{ text: 'a', paint: (text) => `<${text}>` }, 'b'],
          ['ccc', 'd'],
        ],
        'rl',
      ),
    ).toEqual(['  <a>  b', 'ccc  d']);
  });
  it('shorten texts to the columns of a terminal', () => {
    expect(truncate('abcdef', 6)).toBe('abcdef');
    expect(truncate('abcdef', 4)).toBe('abc…');
    expect(truncate('ab cdef', 4)).toBe('ab…');
    expect(truncate('日本語', 5)).toBe('日本…');
    expect(truncate('日本語', 4)).toBe('日…');
    expect(truncate('abc', 0)).toBe('');
    expect(widthOf('naïve 😀')).toBe(8);
  });
});

describe('chooseStyle', () => {
  it.each([
    [{}, true, true],
    [{}, false, false],
    [{ TERM: 'dumb' }, true, false],
    [{ NO_COLOR: '1' }, true, false],
    [{ NO_COLOR: '' }, true, true],
    [{ FORCE_COLOR: '1' }, false, true],
    [{ FORCE_COLOR: '' }, false, true],
    [{ FORCE_COLOR: '0' }, true, false],
    [{ FORCE_COLOR: 'false' }, true, false],
    [{ FORCE_COLOR: '1', NO_COLOR: '1' }, false, true],
  ])('with %j on a terminal (%j) chooses colour: %j', (environment, terminal, colour) => {
    expect(chooseStyle(environment, terminal)).toBe(colour ? colorStyle : plainStyle);
  });
});
