/** Makes the npm packages of the native engine where cargo can build it, and reads what they hold. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type NativePlatform, nativePlatform } from '../../src/codec/native-platform.ts';
import { byPath, type ReleaseFile } from './files.ts';
import { root } from './manifest.ts';

/** Returns the platforms that an engine can be built for without further tools: this machine's, where cargo is. */
export function buildablePlatforms(): readonly NativePlatform[] {
  const platform = nativePlatform();
  return platform !== null && spawnSync('cargo', ['--version']).status === 0 ? [platform] : [];
}

/**
 * Returns the files of the npm package of a platform, after building the engine unless `isBuilt`. @throws Error where it cannot be built, or
 * was not
 */
export function nativePackage(platform: NativePlatform, isBuilt: boolean): readonly ReleaseFile[] {
  if (!isBuilt)
    execFileSync(process.execPath, [join(root, 'scripts/package-native.ts'), platform], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  const folder = join(root, 'native/npm', platform);
  return readdirSync(folder)
    .map((path) => ({ path, mode: 0o644, bytes: readFileSync(join(folder, path)) }))
    .toSorted(byPath);
}

/** Returns the engine for a platform as it was last built here, to lie beside the program; null where it was not. */
export function nativeEngine(platform: NativePlatform): ReleaseFile | null {
  const path = `ocislim.${platform}.node`;
  const file = join(root, 'native', path);
  return existsSync(file) ? { path, mode: 0o644, bytes: readFileSync(file) } : null;
}
