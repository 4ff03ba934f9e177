/**
 * Bundles the script of the HTML report and reads its style. `bundle.ts` writes both into dist/page, the bundles of the command have them
 * inside (`bundle/page-assets.ts`), and tests take them from here.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'rolldown';
import { escaped } from './bundle/ascii.ts';

const folder = new URL('../src/report/page/client/', import.meta.url);

/** The script and the style of every page, and the modules that are in it. */
export interface BuiltPage {
  readonly script: string;
  readonly style: string;
  readonly moduleIds: readonly string[];
}

/** Builds both. @throws Error where the script could end its element */
export async function buildPage(): Promise<BuiltPage> {
  const { output } = await build({
    input: { page: fileURLToPath(new URL('main.ts', folder)) },
    platform: 'browser',
    write: false,
    logLevel: 'silent',
    output: { format: 'iife', minify: true, comments: { legal: false, annotation: false, jsdoc: false } },
  });
  const [chunk] = output;
  const script = `${noticeOf()}${escaped(chunk.code.trim())}`;
  if (/<\/script|<!--/i.test(script)) throw new Error('the script of the page could end its element');
  const style = minified(readFileSync(new URL('page.css', folder), 'utf8'));
  return { script, style, moduleIds: chunk.moduleIds };
}

/** Returns the licence of what the script has in it of others: each copy of the page must have it. */
function noticeOf(): string {
  const licence = readFileSync(new URL('../LICENSE', import.meta.resolve('d3-hierarchy')), 'utf8');
  return `/*! d3-hierarchy ${escaped(licence).replaceAll('*/', '* /').trim()} */\n`;
}

/** Removes comments and blanks at the ends of lines from a style. */
function minified(css: string): string {
  return css
    .replaceAll(/\/\*[^]*?\*\//g, '')
    .replaceAll(/\s*\n\s*/g, '\n')
    .replaceAll(/\s*([{;,])\s+/g, '$1')
    .replaceAll(/: (?=[^{}]*[;}])/g, ':')
    .trim();
}
