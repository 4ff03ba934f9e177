import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/e2e/**'],
    globalSetup: ['test/support/extent-setup.ts'],
    // Only for what hangs: at a load of 30 some tests take several minutes.
    testTimeout: 600_000,
    hookTimeout: 600_000,
    pool: 'forks',
    // Many tests wait; one worker more than vitest would take on a small machine.
    maxWorkers: '100%',
  },
});
