import { defineConfig } from 'vitest/config';

// Real images, real registries, real judges, in minutes: most judges use one processor, so two files run side by side.
export default defineConfig({
  test: {
    include: ['test/e2e/**/*.test.ts'],
    globalSetup: ['test/support/e2e/setup.ts'],
    maxWorkers: 2,
    testTimeout: 600_000,
    hookTimeout: 600_000,
    pool: 'forks',
  },
});
