import { describe, expect, test } from 'vitest';
import { breach } from '../../../src/analyze/gates/gate.ts';
import { pageOfCheck } from '../../../src/report/page/of-check.ts';
import type { Judgement } from '../../../src/report/verdict/judgement.ts';
import { expectHarmless, nasty } from '../../support/hostile-text.ts';
import { hostile, sample } from '../analyze/sample.ts';
import { textsIn } from './texts.ts';

const judgement: Judgement = {
  image: 'registry.example/app:1',
  digest: `sha256:${'a'.repeat(64)}`,
  platform: 'linux/amd64',
  origin: '.ocislim.yaml',
  verdict: {
    passed: false,
    gates: [
      {
        id: 'transfer-size',
        level: 'error',
        title: 'The layers transfer at most so many bytes',
        breaches: [breach('the layers transfer 3.0 MB', { fix: 'keep fewer files', command: ['slim'] })],
      },
      { id: 'non-root', level: 'warning', title: 'The user is not root', breaches: [breach('it is root')] },
      { id: 'layers', level: 'error', title: 'There are few layers', breaches: [] },
    ],
  },
  tool: { name: 'ocislim', version: '0.1.0' },
};

describe('the page of a check', () => {
  const page = pageOfCheck(judgement, sample, null);

  test('begins with the verdict', () => {
    expect([page.command, page.remark]).toEqual([
      'ocislim check',
      'registry.example/app:1 failed 1 of 3 gates, 1 warning (gates of .ocislim.yaml).',
    ]);
  });

  test('has each gate with what is wrong, the fix and the command, and the analysis below', () => {
    expect(page.images[0]?.gates).toEqual([
      {
        name: 'transfer-size: The layers transfer at most so many bytes',
        result: 'failed',
        text: 'The layers transfer 3.0 MB.',
        fix: 'Keep fewer files.',
        command: 'ocislim slim registry.example/app:1 registry.example/app:1-slim',
      },
      {
        name: 'non-root: The user is not root',
        result: 'warning',
        text: 'It is root.',
        fix: null,
        command: null,
      },
      { name: 'layers: There are few layers', result: 'passed', text: '', fix: null, command: null },
    ]);
    expect(page.images[0]?.actions).toHaveLength(1);
  });

  test('has no text that acts on a terminal or a CI log, whatever the image holds', () => {
    const gates = [
      { id: 'a', level: 'error' as const, title: nasty, breaches: [breach(nasty, { fix: nasty })] },
    ];
    const texts = [
      ...textsIn(
        pageOfCheck({ ...judgement, image: nasty, verdict: { passed: false, gates } }, hostile, null),
      ),
    ];
    for (const text of texts) expectHarmless(text, text);
    expect(texts.filter((text) => text.includes('mark')).length).toBeGreaterThan(12);
  });
});
