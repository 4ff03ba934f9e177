import { describe, expect, test } from 'vitest';
import type { Report } from '../../src/report/report.ts';
import { renderVariables } from '../../src/report/variables.ts';
import { sample } from './sample.ts';

const linesOf = (report: Report) => renderVariables(report).split('\n').slice(0, -1);
const digest = sample.destination?.digest ?? '';

/** The sample with another first name of its destination. */
const named = (reference: string): Report => ({
  ...sample,
  destination: { references: [reference], digest, mediaType: 'x' },
});

describe('the variables of a report', () => {
  test('are the new image, and the bytes of its layers over all platforms', () => {
    const sizes = sample.platforms.map(({ compressing }) => compressing);
    const total = (key: 'sizeBefore' | 'sizeAfter') =>
      sizes.reduce((sum, each) => sum + Number(each[key]), 0);
    expect(sizes.length).toBeGreaterThan(0);
    expect(linesOf(sample)).toEqual([
      `image=registry.example/app:slim@${digest}`,
      `digest=${digest}`,
      'unchanged=false',
      `before=${total('sizeBefore')}`,
      `after=${total('sizeAfter')}`,
    ]);
  });

  test.each([
    ['registry.example/app@', `registry.example/app@${digest}`],
    [`registry.example/app:1@sha256:${'0'.repeat(64)}`, `registry.example/app:1@${digest}`],
    ['oci:out:1', `oci:out:1@${digest}`],
  ])('name the image of %s by its new digest', (reference, image) => {
    expect(linesOf(named(reference))).toContain(`image=${image}`);
  });

  test('are empty where a dry run does not know them', () => {
    const platforms = sample.platforms.map((each) => ({
      ...each,
      compressing: { ...each.compressing, sizeAfter: null },
    }));
    const lines = linesOf({ ...sample, destination: null, platforms });
    expect(lines.filter((line) => line.endsWith('='))).toEqual(['image=', 'digest=', 'after=']);
    expect(lines).toHaveLength(5);
  });

  test('stay one line each, whatever a name holds', () => {
    const lines = linesOf(named('oci:a\ndigest=sha256:0\r\u2028x=y:1'));
    expect(lines.filter((line) => line.startsWith('digest='))).toEqual([`digest=${digest}`]);
    expect(lines).toHaveLength(5);
  });
});
