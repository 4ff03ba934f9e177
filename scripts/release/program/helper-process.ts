/**
 * Says how a helper process of the bundled program is started: `program.ts` puts this module in the place of
 * `src/jobs/record/sandbox/helper-process.ts`. An executable starts itself, and `inside.cjs` runs the helper; else its file lies beside the program.
 */
import { isSea } from 'node:sea';
import { fileURLToPath } from 'node:url';
import type { HelperStart } from '../../../src/jobs/record/sandbox/helper-process.ts';

/** Returns how to start a helper. */
export function helperStart(name: string, importer: string): HelperStart {
  if (isSea()) return { words: [process.execPath], env: { OCISLIM_HELPER: name } };
  return { words: [process.execPath, fileURLToPath(new URL(`./${name}.cjs`, importer))], env: {} };
}
