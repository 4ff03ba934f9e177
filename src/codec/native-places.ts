/**
 * Lists the files that may be the native engine: the one that `npm run build:native` makes in the folder of this package, and that of
 * the package for this platform that npm has installed beside this one. `native.ts` tries them. The bundle of a release puts another
 * module in the place of this one (`scripts/release/program`).
 */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { nativePlatform } from './native-platform.ts';

export interface Place {
  readonly origin: string;
  /** An absolute path. */
  readonly path: string;
}

/** A place where nothing is, as a reason. */
export interface NoPlace {
  readonly missing: string;
}

/** Lists where an engine for this platform may be, in the order of preference. */
export function nativePlaces(): readonly (Place | NoPlace)[] {
  const platform = nativePlatform();
  if (platform === null) return [{ missing: `no engine is built for ${process.platform} ${process.arch}` }];
  return [localBuild(platform), installed(`@ocislim/native-${platform}`)];
}

function localBuild(platform: string): Place | NoPlace {
  // The same from `src/codec`, `dist/codec` and `dist/command`.
  const path = fileURLToPath(new URL(`../../native/ocislim.${platform}.node`, import.meta.url));
  return existsSync(path) ? { origin: 'local build', path } : { missing: 'there is no local build' };
}

function installed(name: string): Place | NoPlace {
  try {
    return { origin: `package ${name}`, path: createRequire(import.meta.url).resolve(name) };
  } catch {
    return { missing: `the package ${name} is not installed` };
  }
}
