/**
 * Measures the disk space of ocislim and the rivals that are installed. bench/run.ts puts the figures into the
 * results.
 */
import { existsSync, lstatSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Install } from './results.ts';
import { findProgram } from './rivals/find-rivals.ts';
import type { Rival } from './works/work.ts';

const root = fileURLToPath(new URL('../', import.meta.url));

/** Measures ocislim and the rivals that are here, without what every machine has. */
export function measureInstalls(rivals: readonly Rival[], path: string): readonly Install[] {
  return [ocislimInstall(), ...rivals.flatMap((rival) => rivalInstall(rival, path))];
}

/** Returns the files of the package and of every package that it needs to run, by the lock file. */
function ocislimInstall(): Install {
  interface Lock {
    readonly packages: Readonly<Record<string, { readonly dev?: boolean; readonly devOptional?: boolean }>>;
  }
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as Lock;
  const needed = Object.entries(packages).flatMap(([folder, { dev, devOptional }]) =>
    folder === '' || dev === true || devOptional === true || !existsSync(join(root, folder)) ? [] : [folder],
  );
  const { files } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    files: readonly string[];
  };
  const own = [...files, 'package.json'].map((file) => sizeOf(join(root, file)));
  const others = needed.map((folder) => sizeOf(join(root, folder)));
  return {
    name: 'ocislim',
    bytes: [...own, ...others].reduce((sum, bytes) => sum + bytes, 0),
    dependencies: needed.length,
    what: 'the package and its dependencies, without Node',
  };
}

function rivalInstall({ name, programs }: Rival, path: string): readonly Install[] {
  const [program = ''] = programs;
  const file = findProgram(program, path);
  if (
    file === undefined ||
    !['skopeo', 'crane', 'regctl', 'umoci', 'buildah', 'dive', 'docker-squash'].includes(name)
  )
    return [];
  const environment = join(dirname(file), 'docker-squash', 'lib');
  if (name !== 'docker-squash') {
    return [{ name, bytes: sizeOf(realpathSync(file)), dependencies: null, what: 'one program' }];
  }
  if (!existsSync(environment)) return [];
  const packages = readdirSync(environment).map((python) => join(environment, python, 'site-packages'));
  const ours = packages.flatMap((folder) => readdirSync(folder).map((entry) => join(folder, entry)));
  // pip itself installs the others.
  const kept = ours.filter(
    (entry) => !/\/(?:pip|setuptools|_distutils_hack|distutils-precedence)/.test(entry),
  );
  return [
    {
      name,
      bytes: kept.reduce((sum, entry) => sum + sizeOf(entry), 0),
      dependencies: kept.filter((entry) => entry.endsWith('.dist-info')).length - 1,
      what: 'the package and its dependencies, without Python',
    },
  ];
}

/**
 * Returns the bytes of a file, or of all files below a directory. Packages inside of packages have rows of their
 * own in the lock file.
 */
function sizeOf(path: string): number {
  if (!existsSync(path)) return 0;
  const stat = lstatSync(path);
  if (!stat.isDirectory()) return stat.isFile() ? stat.size : 0;
  return readdirSync(path).reduce(
    (sum, name) => sum + (name === 'node_modules' ? 0 : sizeOf(join(path, name))),
    0,
  );
}
