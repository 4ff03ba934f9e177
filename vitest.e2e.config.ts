import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** The real images take longest: begun last, one of them would run alone at the end. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isLong = ({ moduleId }: TestSpecification): number => (moduleId.includes('/real-images/') ? 0 : 1);
    return files.toSorted((a, b) => isLong(a) - isLong(b) || (a.moduleId < b.moduleId ? -1 : 1));
  }
}

// Real images, real registries, real judges, in minutes: most judges use one processor, so two files run side by side.
export default defineConfig({
  test: {
    include: ['test/e2e/**/*.test.ts'],
    globalSetup: ['test/support/extent-setup.ts', 'test/support/e2e/setup.ts'],
    maxWorkers: 2,
    testTimeout: 600_000,
    hookTimeout: 600_000,
    pool: 'forks',
    sequence: { sequencer: LongestFirst },
  },
});
