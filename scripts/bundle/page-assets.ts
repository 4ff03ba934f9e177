/** Puts the script and the style of the HTML report into a bundle, which has no files beside it. */
import { fileURLToPath } from 'node:url';
import type { Plugin } from 'rolldown';
import type { BuiltPage } from '../page.ts';

const module = fileURLToPath(new URL('../../src/report/page/assets.ts', import.meta.url));

/** Replaces the module that reads them from files. */
export function pageInside({ script, style }: BuiltPage): Plugin {
  const assets = JSON.stringify({ script, style });
  return {
    name: 'page-inside',
    load: (id) =>
      id === module
        ? {
            code: `const assets = ${assets}; export const pageAssets = async () => assets;`,
            moduleType: 'js',
          }
        : null,
  };
}
