/**
 * Says which modules of the command come into one file, so that Node loads few files for what a command does as a whole. The npm package
 * and the executables are bundled by it.
 */
import { fileURLToPath } from 'node:url';
import type { Plugin } from 'rolldown';

const source = (file: string) => fileURLToPath(new URL(`../../src/${file}`, import.meta.url));

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
    // The registry and the writer of layers share it: from the registry's file, each new layer would load all of that.
    'stream/noting.ts',
  ],
  layout: ['store/layout/layout-source.ts', 'store/layout/layout-storage.ts', 'store/local-target.ts'],
  registry: ['registry/mirrored-source.ts', 'registry/target.ts', 'registry/tls/certificate-files.ts'],
};

/** Modules that come into one file. */
export interface Group {
  readonly name: string;
  readonly test: (id: string) => boolean;
}

/** Bundles with groups. A module comes into the file of the first group that has it; those of no group, where the bundler puts them. */
export type Bundle<Output> = (groups: Group[], noting: Plugin) => Promise<Output>;

/** Bundles twice: the first bundle tells which module imports which, and the second is returned. */
export async function inGroups<Output>(bundle: Bundle<Output>): Promise<Output> {
  // The modules that each module imports by a declaration, not by a call.
  const imports = new Map<string, readonly string[]>();
  const noting: Plugin = {
    name: 'imports',
    moduleParsed: ({ id, importedIds }) => {
      imports.set(id, importedIds);
    },
  };
  await bundle([], noting);
  const groups = Object.entries(files).map(([name, entries]): Group => {
    const ids = closure(entries.map(source), imports);
    return { name, test: (id) => ids.has(id) };
  });
  return bundle(groups, noting);
}

/** Lists a module and all that it imports. */
function closure(
  entries: readonly string[],
  imports: ReadonlyMap<string, readonly string[]>,
): ReadonlySet<string> {
  const found = new Set(entries);
  // The loop sees what it adds.
  for (const id of found) for (const imported of imports.get(id) ?? []) found.add(imported);
  return found;
}
