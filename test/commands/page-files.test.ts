import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { copy, type Outcome, prune, recompress, squash } from '../../src/commands/index.ts';
import type { ProgressEvent } from '../../src/events.ts';
import { buildImage, writeLayout } from '../support/image-builder.ts';
import { tar } from '../support/model/shorthand.ts';
import { designedImage } from '../support/small-image.ts';

const work = mkdtempSync(join(tmpdir(), 'page-files-'));
const source = `oci:${work}/image:1`;
const to = (name: string) => `oci:${work}/out:${name}`;
const report = ['page.html'];

beforeAll(() =>
  writeLayout(join(work, 'image'), {
    '1': designedImage(),
    // The second layer is damaged behind its first entry, which a copy does not notice.
    damaged: buildImage({
      layers: [tar('a=one'), tar('b=two').subarray(0, 1024 + 300)],
      compress: 'none',
    }),
  }),
);
afterAll(() => rmSync(work, { recursive: true }));

/** Returns the only platform's files. */
function filesOf({ files }: Outcome): NonNullable<Outcome['files'][number]> {
  expect(files).toHaveLength(1);
  return files[0] as NonNullable<Outcome['files'][number]>;
}

describe('the files for a page', () => {
  test.each([
    ['copy', (name: string) => copy(source, to(name), { report })],
    ['recompress', (name: string) => recompress(source, to(name), { report, compression: 'none' })],
    ['squash', (name: string) => squash(source, to(name), { report, last: 2 })],
  ] as const)('are those of all layers, although %s need not know them', async (name, run) => {
    const { before, after, text } = filesOf(await run(name));
    const everything = filesOf(await prune(source, to(`${name}-all`), { report, shadowed: true }));
    expect(before).toEqual(everything.before);
    expect(before.files).toBeGreaterThan(5);
    expect(after.files).toBeGreaterThan(0);
    expect(text.length).toBeGreaterThan(50);
  });

  test('are plain data', async () => {
    const outcome = await prune(source, to('plain'), { report, shadowed: true });
    expect(JSON.parse(JSON.stringify(outcome))).toEqual(outcome);
  });

  test('are not collected for reports that do not show them', async () => {
    expect((await copy(source, to('none'), { report: ['report.json'] })).files).toEqual([]);
  });

  test('lack those of a layer that cannot be read, with a warning, and the image is copied all the same', async () => {
    const warnings: ProgressEvent[] = [];
    const listener = (event: ProgressEvent) => void (event.type === 'warning' && warnings.push(event));
    const outcome = await copy(`oci:${work}/image:damaged`, to('damaged'), { report }, { listener });
    expect(outcome.failure).toBeNull();
    expect(filesOf(outcome).before.files).toBe(1);
    expect(warnings).toEqual([
      {
        type: 'warning',
        code: 'LAYER_SKIPPED',
        message: expect.stringMatching(/^the report has no files of layer 2: /),
      },
    ]);
  });
});
