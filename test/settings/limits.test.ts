import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { limitsOf, parseLimits } from '../../src/settings/limits.ts';
import { defaultLimits, type LimitName, limitTable, showLimit } from '../../src/limits.ts';
import { tar } from '../jobs/rig.ts';
import { callCli } from '../support/cli.ts';
import { buildImage, writeLayout } from '../support/image-builder.ts';

describe('--limit', () => {
  test('says nothing: the defaults', () => {
    expect(limitsOf(parseLimits([]))).toEqual(defaultLimits);
  });

  test('takes sizes, counts, times and none, several in one or one after the other, the last one counting', () => {
    const limit = ['layer-bytes=2GiB, layer-entries=5', 'time=1m30s', 'ratio=none', 'layer-entries=6'];
    expect(limitsOf(parseLimits(limit))).toEqual({
      ...defaultLimits,
      'layer-bytes': 2 ** 31,
      'layer-entries': 6,
      time: 90,
      ratio: Number.POSITIVE_INFINITY,
    });
  });

  test.each([
    ['layer-bytes', /takes NAME=VALUE/],
    ['layers=1', /the limit "layers" is not known/],
    ['__proto__=1', /the limit "__proto__" is not known/],
    ['layer-bytes=many', /--limit layer-bytes: "many" is not a size/],
    ['layer-entries=1.5', /--limit layer-entries takes a whole number or none/],
    ['layer-entries=-1', /--limit layer-entries takes a whole number or none/],
    ['time=5', /--limit time: "5" is not a length of time/],
  ])('%s is refused', (item, words) => {
    expect(() => parseLimits([item])).toThrow(words);
  });

  test('every default is written as the option reads it', () => {
    for (const [name, { value }] of Object.entries(limitTable)) {
      const limit = name as LimitName;
      if (value > 0)
        expect(limitsOf(parseLimits([`${name}=${showLimit(limit, value)}`]))[limit], name).toBe(value);
    }
  });
});

describe('the command line', () => {
  const work = mkdtempSync(join(tmpdir(), 'limit-option-'));
  afterAll(() => rmSync(work, { recursive: true }));

  test('names the limit, its value, what was seen, the layer, and how to raise it; the variable works too', async () => {
    await writeLayout(join(work, 'a'), { '1': buildImage({ layers: [tar('a=1'), tar('b=1', 'c=1')] }) });
    const args = ['squash', '--all', `oci:${work}/a:1`, `oci:${work}/b:1`];
    const given = await callCli([...args, '--limit', 'layer-entries=1']);
    expect(given.status).toBe(1);
    expect(given.stderr).toContain(
      'layer 2: it has too many entries: 2 have been read so far, and the limit layer-entries is 1 [LIMIT]',
    );
    expect(given.stderr).toContain('raise the limit, such as --limit layer-entries=4 (docs/limits.md)');
    const surrounding = await callCli(args, { OCISLIM_LIMIT: 'time=1h,layer-entries=1' });
    expect(surrounding.stderr).toContain('the limit layer-entries is 1 [LIMIT]');
    expect((await callCli([...args, '--limit', 'layer-entries=2'])).status).toBe(0);
  });

  test('every limit has its row on the page', () => {
    const page = readFileSync(new URL('../../docs/limits.md', import.meta.url), 'utf8');
    for (const name of Object.keys(limitTable)) expect(page).toContain(`| \`${name}\` |`);
  });
});
