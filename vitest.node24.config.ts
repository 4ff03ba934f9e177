import { defineConfig } from 'vitest/config';
import unit from './vitest.config.ts';

/** What depends on the version of Node: compression, streams, files, sockets, processes, and every command once. */
export const include = [
  'test/{codec,stream,tar,files,registry,retry}/**/*.test.ts',
  'test/store/archive/*.test.ts',
  'test/laws/determinism.test.ts',
  'test/jobs/rewrite/{digests,round-trip,small-image}.test.ts',
  'test/cli/{interrupt,output}.test.ts',
  'test/project/project.test.ts',
  'test/closeable.test.ts',
];

// CI runs these on the oldest Node that package.json allows; `npm run test:all` runs the whole unit suite on it.
export default defineConfig({ test: { ...unit.test, include } });
