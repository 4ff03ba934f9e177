import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TestProject } from 'vitest/node';
import { requirePrograms, run } from './programs.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** The folder that fixtures/images/build.sh filled. */
    readonly images: string;
  }
}

const root = fileURLToPath(new URL('../../../', import.meta.url));

/**
 * Builds what the end-to-end tests run (dist/) and the images that they run it on. OCISLIM_TEST_BUILT says that dist/ is
 * built, OCISLIM_TEST_IMAGES where images are.
 */
export default async function setup(project: TestProject): Promise<void> {
  requirePrograms();
  if (!process.env['OCISLIM_TEST_BUILT']) await run('npm', ['--prefix', root, 'run', 'build']);
  let images = process.env['OCISLIM_TEST_IMAGES'];
  if (images === undefined || images === '') {
    images = join(tmpdir(), 'ocislim-test-images');
    await run(join(root, 'fixtures/images/build.sh'), [images]);
    const further = process.env['OCISLIM_TESTS'] === 'all' ? ['django', 'postgres', 'java'] : [];
    await run(join(root, 'fixtures/images/build-small.sh'), [images, 'perl', 'redis', 'busybox', ...further]);
    await run(join(root, 'fixtures/images/build-platforms.sh'), [images]);
  }
  project.provide('images', images);
}
