/**
 * Bundles the command and its threads into dist/command. Each module that Node loads takes half a millisecond, so
 * `npm run build` makes few files of many, ours and those of packages.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build, type Plugin, type RolldownOutput } from 'rolldown';

const root = new URL('../', import.meta.url);
const folder = fileURLToPath(new URL('dist/command/', root));
const source = (file: string) => fileURLToPath(new URL(`src/${file}`, root));

/**
 * undici's own entry loads all of it (fetch, WebSocket, caches, mocks), half of what a copy of a small image has to
 * load. This replacement has the two names that the sources import, and the one method of pools that they call.
 */
const undiciParts: Plugin = {
  name: 'undici-parts',
  resolveId: (id) => (id === 'undici' ? '\0undici' : null),
  load(id) {
    if (id !== '\0undici') return null;
    const part = (file: string) =>
      JSON.stringify(fileURLToPath(new URL(`lib/${file}`, import.meta.resolve('undici'))));
    return `
      import Dispatcher from ${part('dispatcher/dispatcher.js')};
      import request from ${part('api/api-request.js')};
      export { default as Pool } from ${part('dispatcher/pool.js')};
      export { default as buildConnector } from ${part('core/connect.js')};
      Dispatcher.prototype.request = request;`;
  },
};

type Output = RolldownOutput['output'];

/** Bundles the command and its threads. Modules for which `isAtStart` holds come into one file. */
async function bundle(isAtStart: (id: string) => boolean): Promise<Output> {
  const { output } = await build({
    input: {
      main: source('cli/main.ts'),
      'gzip-worker': source('codec/gzip-worker.ts'),
      'unpack-worker': source('codec/unpack/unpack-worker.ts'),
    },
    platform: 'node',
    plugins: [undiciParts],
    output: {
      dir: folder,
      format: 'esm',
      cleanDir: true,
      codeSplitting: { groups: [{ name: 'start', test: isAtStart }] },
    },
  });
  return output;
}

/** Lists the modules that every start of the command loads: those of its file, and of all files that this one imports. */
function modulesAtStart(output: Output): ReadonlySet<string> {
  const chunks = new Map(
    output.flatMap((chunk) => (chunk.type === 'chunk' ? [[chunk.fileName, chunk]] : [])),
  );
  const files = ['main.js'];
  // The loop sees what it adds.
  for (const file of files)
    files.push(
      ...(chunks.get(file)?.imports ?? []).filter((each) => chunks.has(each) && !files.includes(each)),
    );
  return new Set(files.flatMap((file) => chunks.get(file)?.moduleIds ?? []));
}

// Twice: what the first bundle loads at the start is one file in the second, since each file takes Node half a millisecond.
const atStart = modulesAtStart(await bundle(() => false));
const output = await bundle((id) => atStart.has(id));

const packages = new Set(
  output
    .flatMap((chunk) => (chunk.type === 'chunk' ? chunk.moduleIds : []))
    .flatMap((id) => /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(id)?.[0] ?? []),
);
writeFileSync(`${folder}LICENSES.txt`, [...packages].toSorted().map(licenseOf).join('\n'));

/** Returns the licence text that a bundled package demands in every copy. */
function licenseOf(directory: string): string {
  const { name, version, license } = JSON.parse(readFileSync(`${directory}/package.json`, 'utf8')) as Record<
    string,
    unknown
  >;
  const file = readdirSync(directory).find((each) => /^licen[cs]e/i.test(each));
  if (file === undefined) throw new Error(`${String(name)} comes without its licence`);
  return `${String(name)} ${String(version)} (${String(license)})\n\n${readFileSync(`${directory}/${file}`, 'utf8')}`;
}
