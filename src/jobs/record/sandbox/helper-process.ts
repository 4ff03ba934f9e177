/**
 * Says how a helper process of ocislim is started: a file beside the importing one. The bundled program, which has no such files, puts another
 * module in the place of this one (`scripts/release/program`).
 */
import { fileURLToPath } from 'node:url';

/** The words and the environment that start a helper. */
export interface HelperStart {
  readonly words: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** Returns how to start a helper: `.ts` beside sources, `.js` in a build. */
export function helperStart(name: string, importer: string): HelperStart {
  const file = new URL(`./${name}.${importer.endsWith('.ts') ? 'ts' : 'js'}`, importer);
  return { words: [process.execPath, fileURLToPath(file)], env: {} };
}
