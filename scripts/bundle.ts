import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'rolldown';

const root = new URL('../', import.meta.url);
const folder = fileURLToPath(new URL('dist/command/', root));
const source = (file: string) => fileURLToPath(new URL(`src/${file}`, root));

/**
 * undici's own entry loads all of it (fetch, WebSocket, caches, mocks), half of what a copy of a small image has to load.
 * This has the two names that the sources import, and the one method of pools that they call.
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

/**
 * The string-width of yargs has a pattern of all emoji (`\p{RGI_Emoji}`) that takes V8 20 ms to read, a fifth of `--help`. That of
 * yargs' own part, cliui, measures the same texts without.
 */
const oneStringWidth: Plugin = {
  name: 'one-string-width',
  async resolveId(id) {
    if (id !== 'string-width') return null;
    const cliui = await this.resolve('cliui', fileURLToPath(import.meta.resolve('yargs')));
    return this.resolve(id, cliui?.id, { skipSelf: true });
  },
};

/** The command and its threads, each module of ours and others' where it is first needed: few files, since each takes Node half a millisecond. */
const { output } = await build({
  input: {
    main: source('cli/main.ts'),
    'gzip-worker': source('codec/gzip-worker.ts'),
    'unpack-worker': source('codec/unpack/unpack-worker.ts'),
  },
  platform: 'node',
  plugins: [undiciParts, oneStringWidth],
  output: { dir: folder, format: 'esm' },
});

const packages = new Set(
  output
    .flatMap((chunk) => (chunk.type === 'chunk' ? chunk.moduleIds : []))
    .flatMap((id) => /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(id)?.[0] ?? []),
);
writeFileSync(`${folder}LICENSES.txt`, [...packages].toSorted().map(licenseOf).join('\n'));

/** What bundled packages ask to go with every copy of them. */
function licenseOf(directory: string): string {
  const { name, version, license } = JSON.parse(readFileSync(`${directory}/package.json`, 'utf8')) as Record<
    string,
    unknown
  >;
  const file = readdirSync(directory).find((each) => /^licen[cs]e/i.test(each));
  if (file === undefined) throw new Error(`${String(name)} comes without its licence`);
  return `${String(name)} ${String(version)} (${String(license)})\n\n${readFileSync(`${directory}/${file}`, 'utf8')}`;
}
