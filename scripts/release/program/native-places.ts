/**
 * Lists where the native engine of a bundled program may be: `program.ts` puts this module in the place of
 * `src/codec/native-places.ts`. It lies beside the program, or in the folder for libraries of the prefix that holds the program.
 */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isSea } from 'node:sea';
import { fileURLToPath } from 'node:url';
import type { NoPlace, Place } from '../../../src/codec/native-places.ts';
import { nativePlatform } from '../../../src/codec/native-platform.ts';

/** Lists where an engine for this platform may be, in the order of preference. */
export function nativePlaces(): readonly (Place | NoPlace)[] {
  const platform = nativePlatform();
  if (platform === null) return [{ missing: `no engine is built for ${process.platform} ${process.arch}` }];
  const folder = dirname(isSea() ? process.execPath : fileURLToPath(import.meta.url));
  const name = `ocislim.${platform}.node`;
  const found = [join(folder, name), join(folder, '../lib/ocislim', name)].filter((path) => existsSync(path));
  return found.length > 0
    ? found.map((path) => ({ origin: 'beside the program', path }))
    : [{ missing: `there is no ${name} beside the program` }];
}
