/**
 * Bundles the command and its threads into dist/command. Each module that Node loads takes half a millisecond, so
 * `npm run build` makes few files of many, ours and those of packages: one for each part that a command loads as a whole.
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build, type OutputChunk, type RolldownOutput } from 'rolldown';
import { ascii } from './bundle/ascii.ts';
import { directBuiltins } from './bundle/direct-builtins.ts';
import { licensesOf } from './bundle/licenses.ts';
import { undiciParts } from './bundle/undici-parts.ts';

const root = new URL('../', import.meta.url);
const folder = fileURLToPath(new URL('dist/command/', root));
const source = (file: string) => fileURLToPath(new URL(`src/${file}`, root));

/** The files of the bundle, and the modules from which each begins. A module goes into the first file that needs it. */
const files: Readonly<Record<string, readonly string[]>> = {
  start: ['cli/main.ts'],
  help: ['cli/help/overview.ts', 'cli/help/command-help.ts'],
  // What every command that rewrites an image loads.
  rewriting: [
    'cli/rewriting.ts',
    'commands/index.ts',
    'commands/archive-names.ts',
    'commands/destinations.ts',
    'jobs/open.ts',
    'report/style.ts',
    'report/summary.ts',
  ],
  layout: ['store/layout/layout-source.ts', 'store/layout/layout-storage.ts', 'store/local-target.ts'],
  registry: ['registry/mirrored-source.ts', 'registry/target.ts', 'registry/tls/certificate-files.ts'],
};

/** The modules that each module imports by a declaration, not by a call. */
const imports = new Map<string, readonly string[]>();

/** What all bundles have in common. */
const common = {
  platform: 'node',
  // undici leaves its second parser out where this name is defined, as in Node's own build of it.
  transform: { define: { esbuildDetection: '"defined"' } },
} as const;

const form = { format: 'esm', comments: { legal: true, annotation: false, jsdoc: false } } as const;

const plugins = [
  {
    name: 'imports',
    moduleParsed: ({ id, importedIds }: { id: string; importedIds: readonly string[] }) => {
      imports.set(id, importedIds);
    },
  },
  undiciParts,
  directBuiltins,
  ascii,
];

/** Modules that come into one file. */
interface Group {
  readonly name: string;
  readonly test: (id: string) => boolean;
}

/** Bundles the command. A module comes into the file of the first group that has it; those of no group, where the bundler puts them. */
async function bundleCommand(groups: readonly Group[]): Promise<RolldownOutput['output']> {
  const { output } = await build({
    ...common,
    input: { main: source('cli/main.ts') },
    plugins,
    output: {
      dir: folder,
      ...form,
      cleanDir: true,
      codeSplitting: { groups: [...groups] },
    },
  });
  return output;
}

/** Bundles the threads by themselves: a thread that shared a file with the command would load what is in it. */
async function bundleThreads(): Promise<RolldownOutput['output']> {
  const { output } = await build({
    ...common,
    input: {
      'gzip-worker': source('codec/gzip-worker.ts'),
      'unpack-worker': source('codec/unpack/unpack-worker.ts'),
    },
    plugins,
    output: { dir: folder, ...form, chunkFileNames: 'thread-[name]-[hash].js' },
  });
  return output;
}

/** Lists a module and all that it imports. */
function closure(entries: readonly string[]): ReadonlySet<string> {
  const found = new Set(entries);
  // The loop sees what it adds.
  for (const id of found) for (const imported of imports.get(id) ?? []) found.add(imported);
  return found;
}

function isChunk(file: RolldownOutput['output'][number]): file is OutputChunk {
  return file.type === 'chunk';
}

// Twice: the first bundle tells which module imports which.
await bundleCommand([]);
const groups = Object.entries(files).map(([name, entries]): Group => {
  const ids = closure(entries.map(source));
  return { name, test: (id) => ids.has(id) };
});
const chunks = [...(await bundleCommand(groups)), ...(await bundleThreads())].filter(isChunk);

writeFileSync(`${folder}LICENSES.txt`, licensesOf(chunks.flatMap(({ moduleIds }) => moduleIds)));
