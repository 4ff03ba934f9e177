/**
 * Bundles ocislim into few files that need Node and nothing else: the command in its parts, a file for each kind of thread, and
 * licences. The executables hold these files, and so does an image of ocislim. Modules that look for files of the checkout are replaced by
 * those of the folder `program`.
 */
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { build, type OutputChunk, type Plugin, type RolldownOutput } from 'rolldown';
import { ascii } from '../bundle/ascii.ts';
import { inGroups } from '../bundle/groups.ts';
import { licensesOf } from '../bundle/licenses.ts';
import { optionalPackages } from '../bundle/optional-packages.ts';
import { pageInside } from '../bundle/page-assets.ts';
import { undiciParts } from '../bundle/undici-parts.ts';
import { type BuiltPage, buildPage } from '../page.ts';
import { byPath, type ReleaseFile, textFile } from './files.ts';
import { readManifest, root } from './manifest.ts';

/** The file that Node runs. */
const start = 'ocislim.cjs';

/** The first line of the program, for shells. */
export const hashbang = '#!/usr/bin/env node\n';

/** The file that starts the command. */
const starter = `${root}bin/ocislim`;

/** The threads and helper processes: `codec/worker-thread.ts` and `helper-process.ts` are asked for them by these names. */
const threads = {
  'gzip-worker': 'codec/gzip-worker.ts',
  'unpack-worker': 'codec/unpack/unpack-worker.ts',
  'gate-process': 'jobs/record/sandbox/gate-process.ts',
  'unpack-process': 'jobs/record/sandbox/unpack-process.ts',
};

/** The modules of the sources that look for files of the checkout, each with the module that a bundle has instead. */
const elsewhere: Readonly<Record<string, string>> = {
  [`${root}src/codec/worker-thread.ts`]: `${root}scripts/release/program/worker-thread.ts`,
  [`${root}src/jobs/record/sandbox/helper-process.ts`]: `${root}scripts/release/program/helper-process.ts`,
  [`${root}src/codec/native-places.ts`]: `${root}scripts/release/program/native-places.ts`,
};

/** The modules that read versions of packages, as the bundle has them. */
const constant: Readonly<Record<string, () => string>> = {
  [`${root}src/codec/package-version.ts`]: () =>
    `const versions = ${JSON.stringify(packageVersions())}; export const packageVersion = (name) => versions[name];`,
  [`${root}src/commands/version.ts`]: () =>
    `export const version = ${JSON.stringify(readManifest().version)};`,
};

/**
 * Bundles the program. All files belong into one folder: `ocislim.cjs`, which Node runs, the parts that it loads when they are needed,
 * `gzip-worker.cjs` and `unpack-worker.cjs`, its threads, `gate-process.cjs` and `unpack-process.cjs`, its helpers, and `LICENSES.txt`, the licences of the packages in them. The native engine
 * may lie beside them. The bytes depend on the sources and the installed packages alone.
 */
export async function bundleProgram(): Promise<readonly ReleaseFile[]> {
  const page = await buildPage();
  const bundles = [bundleCommand(page), ...Object.entries(threads).map(bundleThread)];
  const chunks = (await Promise.all(bundles)).flatMap(({ output }) => output).filter(isChunk);
  return [
    ...chunks.map(({ fileName, code }) =>
      fileName === start ? { ...textFile(start, hashbang + code), mode: 0o755 } : textFile(fileName, code),
    ),
    textFile(
      'LICENSES.txt',
      licensesOf([...chunks.flatMap(({ moduleIds }) => moduleIds), ...page.moduleIds]),
    ),
  ].toSorted(byPath);
}

/** What all bundles have in common. CommonJS, since the loader of modules reads files, and executables have none. */
const common = {
  cwd: root,
  platform: 'node',
  external: optionalPackages,
  write: false,
  // It tells of modules that are imported in two ways, which groups make harmless.
  logLevel: 'silent',
  transform: { define: { esbuildDetection: '"defined"' } },
  // A part of a file is compiled when it is first needed.
  optimization: { pifeForModuleWrappers: false },
} as const;

const form = {
  format: 'cjs',
  entryFileNames: '[name].cjs',
  chunkFileNames: '[name]-[hash].cjs',
  comments: { legal: true, annotation: false, jsdoc: false },
} as const;

function bundleCommand(page: BuiltPage): Promise<RolldownOutput> {
  return inGroups((groups, noting) =>
    build({
      ...common,
      input: { ocislim: starter },
      plugins: [noting, ownModules, pageInside(page), undiciParts, ascii],
      output: { ...form, codeSplitting: { groups } },
    }),
  );
}

/** Bundles a thread into one file: inside of an executable it cannot load others. */
function bundleThread([name, file]: readonly [string, string]): Promise<RolldownOutput> {
  return build({
    ...common,
    input: { [name]: `${root}src/${file}` },
    plugins: [ownModules, ascii],
    output: { ...form, codeSplitting: false },
  });
}

function isChunk(file: RolldownOutput['output'][number]): file is OutputChunk {
  return file.type === 'chunk';
}

/** Reads the starter without its first line, which is for shells, and replaces the modules that look for files. */
const ownModules: Plugin = {
  name: 'own-modules',
  resolveId(id, importer) {
    if (importer === undefined || !id.startsWith('.')) return null;
    if (importer === starter) return `${root}src/cli/main.ts`;
    return elsewhere[resolve(dirname(importer), id)] ?? null;
  },
  load(id) {
    if (id === starter) return { code: readFileSync(id, 'utf8').replace(/^#!.*\n/, ''), moduleType: 'js' };
    const code = constant[id]?.();
    return code === undefined ? null : { code, moduleType: 'js' };
  },
};

/** Returns the versions of the packages whose versions the program asks for. */
function packageVersions(): Readonly<Record<string, string>> {
  const versionOf = (name: string): string => {
    const manifest = readFileSync(`${root}node_modules/${name}/package.json`, 'utf8');
    return (JSON.parse(manifest) as { readonly version: string }).version;
  };
  return Object.fromEntries(['libdeflate', 'pako'].map((name) => [name, versionOf(name)]));
}
