/**
 * Loads the script and the style of the page, which `npm run build` makes in `dist/page`. Bundles put another module in the place of
 * this one, which has both inside (`scripts/bundle/page-assets.ts`).
 */
import { readFile } from 'node:fs/promises';

/** What every page has inside. */
export interface PageAssets {
  readonly script: string;
  readonly style: string;
}

/** Reads both. Throws Node's own error where they are not built. */
export async function pageAssets(): Promise<PageAssets> {
  // The same from `src/report/page` and from `dist/report/page`, whose `../../..` is the folder of the package.
  const folder = new URL('../../../dist/page/', import.meta.url);
  const [script, style] = await Promise.all(
    ['page.js', 'page.css'].map((file) => readFile(new URL(file, folder), 'utf8')),
  );
  return { script: script as string, style: style as string };
}
