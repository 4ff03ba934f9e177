/**
 * Bundles the command and its threads into dist/command. Each module that Node loads takes half a millisecond, so
 * `npm run build` makes few files of many, ours and those of packages: one for each part that a command loads as a whole. The
 * script and the style of the HTML report are bundled into it, and written into dist/page for the library.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build, type OutputChunk, type RolldownOutput } from 'rolldown';
import { ascii } from './bundle/ascii.ts';
import { directBuiltins } from './bundle/direct-builtins.ts';
import { inGroups } from './bundle/groups.ts';
import { licensesOf } from './bundle/licenses.ts';
import { optionalPackages } from './bundle/optional-packages.ts';
import { pageInside } from './bundle/page-assets.ts';
import { undiciParts } from './bundle/undici-parts.ts';
import { buildPage } from './page.ts';

const root = new URL('../', import.meta.url);
const folder = fileURLToPath(new URL('dist/command/', root));
const source = (file: string) => fileURLToPath(new URL(`src/${file}`, root));

/** What all bundles have in common. */
const common = {
  platform: 'node',
  external: optionalPackages,
  // It tells of modules that are imported in two ways, which groups make harmless.
  logLevel: 'silent',
  // undici leaves its second parser out where this name is defined, as in Node's own build of it.
  transform: { define: { esbuildDetection: '"defined"' } },
} as const;

const form = { format: 'esm', comments: { legal: true, annotation: false, jsdoc: false } } as const;
const page = await buildPage();
const plugins = [pageInside(page), undiciParts, directBuiltins, ascii];

/** Bundles the command. */
function bundleCommand(): Promise<RolldownOutput> {
  return inGroups((groups, noting) =>
    build({
      ...common,
      input: { main: source('cli/main.ts') },
      plugins: [noting, ...plugins],
      output: { dir: folder, ...form, cleanDir: true, codeSplitting: { groups } },
    }),
  );
}

/** Bundles threads and helper processes by themselves: a thread that shared a file with the command would load what is in it. */
function bundleThreads(): Promise<RolldownOutput> {
  return build({
    ...common,
    input: {
      'gzip-worker': source('codec/gzip-worker.ts'),
      'unpack-worker': source('codec/unpack/unpack-worker.ts'),
      'gate-process': source('jobs/record/sandbox/gate-process.ts'),
      'unpack-process': source('jobs/record/sandbox/unpack-process.ts'),
    },
    plugins,
    output: { dir: folder, ...form, chunkFileNames: 'thread-[name]-[hash].js' },
  });
}

function isChunk(file: RolldownOutput['output'][number]): file is OutputChunk {
  return file.type === 'chunk';
}

const { output: command } = await bundleCommand();
const { output: threads } = await bundleThreads();
const modules = [...command, ...threads].filter(isChunk).flatMap(({ moduleIds }) => moduleIds);
const pageFolder = fileURLToPath(new URL('dist/page/', root));
mkdirSync(pageFolder, { recursive: true });
writeFileSync(`${pageFolder}page.js`, page.script);
writeFileSync(`${pageFolder}page.css`, page.style);
writeFileSync(`${folder}LICENSES.txt`, licensesOf([...modules, ...page.moduleIds]));
