/**
 * Makes the npm package: the files that package.json lists, with a package.json for users in the place of that for developers. npm
 * names the files; the tar is our own, so that its bytes depend on neither npm nor the disk.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { inFolder, type ReleaseFile } from './files.ts';
import { withoutDeadLinks } from './links.ts';
import { type Manifest, repositoryOf, root } from './manifest.ts';

/** What only developers need. Scripts would run at the installation of a checkout. */
const forDevelopers = ['devDependencies', 'scripts', 'allowScripts'];

/**
 * Reads the files of the package from this checkout, which must be built.
 * @param native the packages of the native engine that are published with it, each with its version
 */
export function packageFiles(
  manifest: Manifest,
  native: Readonly<Record<string, string>>,
): readonly ReleaseFile[] {
  const files = packedPaths().map(({ path, mode }): ReleaseFile => {
    const bytes =
      path === 'package.json'
        ? Buffer.from(`${JSON.stringify(manifestForUsers(manifest, native), null, 2)}\n`)
        : readFileSync(`${root}${path}`);
    return { path, mode: (mode & 0o111) === 0 ? 0o644 : 0o755, bytes };
  });
  return withoutDeadLinks(files, repositoryOf(manifest));
}

/** Puts the files where npm looks for them in a package. */
export function inPackage(files: readonly ReleaseFile[]): readonly ReleaseFile[] {
  return inFolder('package', files);
}

/** Returns the package.json of the package. */
export function manifestForUsers(
  manifest: Manifest,
  native: Readonly<Record<string, string>>,
): Readonly<Record<string, unknown>> {
  const members = Object.entries(manifest).filter(([name]) => !forDevelopers.includes(name));
  const optional = Object.keys(native).length === 0 ? {} : { optionalDependencies: native };
  return { ...Object.fromEntries(members), ...optional };
}

/** Asks npm which files it would pack. */
function packedPaths(): readonly { readonly path: string; readonly mode: number }[] {
  const told = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [answer] = Object.values(
    JSON.parse(told) as Readonly<Record<string, { readonly files: { path: string; mode: number }[] }>>,
  );
  if (answer === undefined) throw new Error('npm tells of no package');
  return answer.files;
}
