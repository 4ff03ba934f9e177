import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

/** One of the two states of the project that are compared, built. */
export interface Checkout {
  readonly folder: string;
  /** The program, which Node runs. */
  readonly bin: string;
  /** The module that the program loads; it exports `main(args)`. */
  readonly module: string;
  readonly version: string;
}

/**
 * Opens a checkout, and builds it where `dist` is missing or older than a source.
 * @throws Error where the folder is not a checkout, has no packages, or does not build
 */
export async function openCheckout(path: string): Promise<Checkout> {
  const folder = resolve(path);
  const bin = join(folder, 'bin/ocislim');
  if (!existsSync(bin)) throw new Error(`${folder} is not a checkout of ocislim: it has no bin/ocislim`);
  const [, loaded] = /import\('([^']+)'\)/.exec(readFileSync(bin, 'utf8')) ?? [];
  if (loaded === undefined) throw new Error(`${bin} imports no module`);
  const module = resolve(folder, 'bin', loaded);
  if (!isFresh(module, join(folder, 'src'))) await build(folder);
  const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version: string };
  return { folder, bin, module, version };
}

function isFresh(module: string, sources: string): boolean {
  if (!existsSync(module)) return false;
  const built = statSync(module).mtimeMs;
  return readdirSync(sources, { recursive: true, encoding: 'utf8' }).every(
    (name) => statSync(join(sources, name)).mtimeMs <= built,
  );
}

async function build(folder: string): Promise<void> {
  if (!existsSync(join(folder, 'node_modules')))
    throw new Error(`${folder} has no packages: run "npm ci" there`);
  process.stderr.write(`building ${folder}\n`);
  await promisify(execFile)('npm', ['run', 'build'], { cwd: folder });
}
