/**
 * Makes the npm packages of the native engine, one for each platform: `npm run package:native -- [PLATFORM…]` (default: this
 * machine's; `all` for the four). Each is built by `build-native.ts`, and holds the module and the licences of what is in it. A release
 * packs them, and lists them in the `optionalDependencies` of its package.json; that of the checkout lists none, since `npm ci` must
 * work before they are published.
 */
import { execFileSync } from 'node:child_process';
import { copyFileSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type NativePlatform, nativePlatform, nativePlatforms } from '../src/codec/native-platform.ts';

const root = fileURLToPath(new URL('../', import.meta.url));
const crate = join(root, 'native');
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Record<string, unknown>;

/** One package of `cargo metadata`. */
export interface Crate {
  readonly name: string;
  readonly version: string;
  readonly license: string | null;
  readonly authors: readonly string[];
  readonly manifest_path: string;
}

/** Returns the package.json of a platform's package. */
export function manifestOf(platform: NativePlatform, main: Readonly<Record<string, unknown>>): object {
  const [os = '', cpu = '', libc = ''] = platform.split('-');
  const file = `ocislim.${platform}.node`;
  return {
    name: `@ocislim/native-${platform}`,
    version: main['version'],
    description: `The native engine of ocislim for ${platform}: the same bytes, faster`,
    license: main['license'],
    // npm compares it with where a package that states its provenance was built.
    ...(main['repository'] === undefined ? {} : { repository: main['repository'] }),
    engines: main['engines'],
    os: [os],
    cpu: [cpu],
    libc: [libc === 'gnu' ? 'glibc' : libc],
    main: file,
    files: [file, 'LICENSES.txt'],
  };
}

/** Returns the `optionalDependencies` of a release: the package of each platform that it has, in exactly its version. */
export function optionalDependencies(
  version: string,
  platforms: readonly NativePlatform[],
): Readonly<Record<string, string>> {
  return Object.fromEntries(platforms.map((platform) => [`@ocislim/native-${platform}`, version]));
}

/** Returns the names and versions of the crates that are linked into the module. */
function linkedCrates(): ReadonlySet<string> {
  const args = ['tree', '-e', 'normal,no-proc-macro', '--prefix', 'none', '--format', '{p}'];
  const tree = execFileSync('cargo', args, { cwd: crate, encoding: 'utf8' });
  return new Set([...tree.matchAll(/^(\S+) v(\S+)/gm)].map(([, name, version]) => `${name} ${version}`));
}

/** Lists the crates that are linked into the module, libdeflate among them, which one of them holds. */
export function linkedPackages(): readonly Crate[] {
  const linked = linkedCrates();
  const args = ['metadata', '--format-version=1', '--offline'];
  const metadata = execFileSync('cargo', args, { cwd: crate, encoding: 'utf8', maxBuffer: 2 ** 28 });
  const { packages } = JSON.parse(metadata) as { readonly packages: readonly Crate[] };
  return packages.filter(
    ({ name, version }) => name !== 'ocislim-native' && linked.has(`${name} ${version}`),
  );
}

function licenseOf({ name, version, license, authors, manifest_path }: Crate): string {
  const folder = join(manifest_path, '..');
  const texts = globSync(['LICEN[CS]E*', 'COPYING*', '*/COPYING'], { cwd: folder }).map((file) =>
    readFileSync(join(folder, file), 'utf8'),
  );
  // Some crates state only the name of their licence.
  return [`${name} ${version} (${license ?? 'unknown'}; ${authors.join(', ')})`, ...texts].join('\n\n');
}

function makePackage(platform: NativePlatform): void {
  execFileSync(process.execPath, [join(root, 'scripts/build-native.ts'), platform], { stdio: 'inherit' });
  const folder = join(crate, 'npm', platform);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const file = `ocislim.${platform}.node`;
  copyFileSync(join(crate, file), join(folder, file));
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifestOf(platform, manifest), null, 2)}\n`);
  writeFileSync(join(folder, 'LICENSES.txt'), linkedPackages().map(licenseOf).join('\n'));
  process.stdout.write(`${folder}\n`);
}

if (import.meta.main) {
  const given = process.argv.slice(2);
  const wanted = given.length === 0 ? [nativePlatform() ?? 'none'] : given;
  const platforms = wanted.includes('all')
    ? nativePlatforms
    : nativePlatforms.filter((platform) => wanted.includes(platform));
  for (const platform of platforms) makePackage(platform);
}
