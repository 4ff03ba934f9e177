/** Analyzes images in memory. The tests of `analyze` and of what is made from an analysis call this. */
import { expect } from 'vitest';
import type { Analysis } from '../../src/analyze/analysis.ts';
import {
  type AnalyzedScan,
  type AnalyzeOptions,
  analyzeImage,
} from '../../src/jobs/analyze/analyze-image.ts';
import { type BuiltImage, type BuiltTree, buildImage } from './image-builder.ts';
import { MemorySource } from './memory-store.ts';
import { type Short, tar } from './model/shorthand.ts';

/** Analyzes an image, whole unless the options say otherwise. */
export async function analyzed(
  tree: BuiltTree,
  options: Partial<Omit<AnalyzeOptions, 'source'>> & { readonly source?: MemorySource } = {},
): Promise<AnalyzedScan> {
  const source = options.source ?? new MemorySource(tree, { label: 'a.test/app:1' });
  try {
    return await analyzeImage({
      name: 'a.test/app:1',
      quick: false,
      samples: false,
      platform: null,
      jobs: 2,
      maxScratch: 0,
      listener: () => {},
      signal: new AbortController().signal,
      ...options,
      source,
    });
  } finally {
    expect(source.held).toBe(0);
  }
}

/** One layer in short, with the row that its builder wrote. */
export interface Step {
  readonly row: string;
  readonly entries: readonly Short[];
}

/** Makes an image of layers in short. `config` are members of its config's `config`. */
export function imageOfSteps(
  steps: readonly Step[],
  config: Readonly<Record<string, unknown>> = {},
): BuiltImage {
  return buildImage({
    layers: steps.map(({ entries }) => tar(...entries)),
    compress: 'none',
    config: { config, history: steps.map(({ row }) => ({ created_by: row })) },
  });
}

/** Analyzes layers in short. */
export async function analysisOf(
  steps: readonly Step[],
  config: Readonly<Record<string, unknown>> = {},
): Promise<Analysis> {
  return (await analyzed(imageOfSteps(steps, config))).analysis;
}
