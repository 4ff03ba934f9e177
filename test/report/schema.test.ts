import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { renderSchema, schemas } from '../../scripts/write-schemas.ts';
import { renderJson } from '../../src/report/json.ts';
import type { Report } from '../../src/report/report.ts';
import { reportSchema } from '../../src/report/schema.ts';
import { sample } from './sample.ts';

const parse = (report: Report): unknown => JSON.parse([...renderJson(report)].join(''));

describe('published schemas', () => {
  it.each(Object.entries(schemas))('%s is the file that scripts/write-schemas.ts writes', (file, make) => {
    expect(readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8')).toBe(renderSchema(make));
  });
});

describe('the report', () => {
  it('conforms to its schema', () => {
    expect(reportSchema.parse(parse(sample))).toEqual(sample);
  });
  it('of a dry run conforms to it, too', () => {
    const [platform] = sample.platforms;
    const dry: Report = {
      ...sample,
      dryRun: true,
      destination: null,
      platforms: [
        {
          ...(platform as Report['platforms'][number]),
          digest: null,
          slimming: null,
          surface: null,
          compressing: {
            sizeBefore: 5,
            sizeAfter: null,
            savedBySlimming: null,
            savedByPacking: null,
            estimated: true,
          },
          layers: [{ action: 'planned', before: platform?.layers[0]?.before ?? [], after: null }],
        },
      ],
    };
    expect(reportSchema.parse(parse(dry))).toEqual(dry);
  });
  it.each([
    ['a version of its own', { reportVersion: 2 }],
    ['a key that is not documented', { extra: 1 }],
    ['a malformed digest', { source: { ...sample.source, digest: 'sha256:12' } }],
    ['negative bytes', { transfer: { ...sample.transfer, uploadedBytes: -1 } }],
  ])('must not have %s', (_, change) => {
    expect(reportSchema.safeParse({ ...sample, ...change }).success).toBe(false);
  });
  it('documents every key, and allows keys of later versions', () => {
    const text = renderSchema(schemas['schemas/report.schema.json'] as () => object);
    expect(text).not.toContain('additionalProperties');
    expect(text).toContain('"freed: its bytes are gone. hidden:');
    expect(text).toContain('rewritten: new contents; ');
  });
});
