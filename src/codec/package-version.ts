import { createRequire } from 'node:module';

/** Reads the version of a package from the package.json above its entry point, which the package need not export. */
export function packageVersion(name: string): string {
  const require = createRequire(import.meta.url);
  const entry = require.resolve(name);
  const folder = entry.slice(0, entry.lastIndexOf(`/node_modules/${name}/`) + `/node_modules/${name}`.length);
  return (require(`${folder}/package.json`) as { version: string }).version;
}
