import { defineConfig } from 'vitest/config';
import unit from './vitest.config.ts';

/** What depends on the gzip engine: packing, unpacking, the digests of what every command makes, the fuzz targets. */
export const include = [
  'test/codec/**/*.test.ts',
  'test/cli/native.test.ts',
  'test/fuzz/targets.test.ts',
  'test/jobs/rewrite/digests.test.ts',
  'test/laws/determinism.test.ts',
];

// CI runs the unit suite without the native engine, and these files with it, where it can be built.
export default defineConfig({ test: { ...unit.test, include } });
