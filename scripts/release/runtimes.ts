/**
 * Finds Node for each architecture that executables are made for. For this machine that is the npm package `node` of this checkout;
 * for the other architecture it is a package of the same version, which npm fetches when a release first needs it.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './manifest.ts';

/** The architectures of executables, by Node's names. */
export const architectures = ['x64', 'arm64'] as const;

export type Architecture = (typeof architectures)[number];

/** Node for one architecture. */
export interface Runtime {
  readonly architecture: Architecture;
  /** The path of `node`. */
  readonly executable: string;
  readonly version: string;
  /** The licences of Node and of what is linked into it. */
  readonly license: string;
}

/** Fetched packages are kept there. */
const cache = join(root, 'node_modules/.cache/ocislim-release');

/**
 * Finds Node for an architecture. Asks the package registry for that of another architecture once.
 * @throws Error where it cannot be fetched
 */
export function nodeRuntime(architecture: Architecture): Runtime {
  const installed = join(root, 'node_modules/node');
  const { version } = readJson(join(installed, 'package.json'));
  const name = `node-linux-${architecture}`;
  const places = [join(installed, 'node_modules'), join(root, 'node_modules'), join(cache, 'node_modules')];
  const isThere = (place: string) =>
    existsSync(join(place, name, 'LICENSE')) &&
    readJson(join(place, name, 'package.json')).version === version;
  if (!places.some(isThere)) fetchPackage(`${name}@${version}`);
  const folder = join(places.find(isThere) ?? cache, name);
  // The package for this machine has given its executable to the package `node`.
  const own = join(folder, 'bin/node');
  return {
    architecture,
    executable: existsSync(own) ? own : join(installed, 'bin/node'),
    version,
    license: readFileSync(join(folder, 'LICENSE'), 'utf8'),
  };
}

function fetchPackage(spec: string): void {
  mkdirSync(cache, { recursive: true });
  const options = ['--prefix', cache, '--no-save', '--no-audit', '--no-fund', '--ignore-scripts'];
  // With force, since the package is not for this machine.
  execFileSync('npm', ['install', ...options, '--force', '--loglevel', 'error', spec], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

function readJson(file: string): { readonly version: string } {
  return JSON.parse(readFileSync(file, 'utf8')) as { readonly version: string };
}
