import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { silent } from '../../../src/events.ts';
import { BlobCache, type CacheOptions } from '../../../src/store/cache/blob-cache.ts';
import { digestOf } from '../image-builder.ts';

/** Opens a cache with a large bound, and without a listener, unless told otherwise. */
export function openCache(folder: string, options: Partial<CacheOptions> = {}): Promise<BlobCache> {
  return BlobCache.open({ folder, maxBytes: 1e9, version: '1.0.0', listener: silent, ...options });
}

/** Returns where a blob lies in a cache folder. */
export function cachedFile(folder: string, digest: string): string {
  const [algorithm = '', hex = ''] = digest.split(':');
  return join(folder, 'blobs', algorithm, hex.slice(0, 2), hex);
}

/** Lists the files below a folder. */
function filesIn(folder: string): string[] {
  return (readdirSync(folder, { recursive: true }) as string[])
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile());
}

/** Returns the digests of all cached blobs. @throws Error for a file whose bytes do not have the digest of its name */
export function cachedBlobs(folder: string): Set<string> {
  const digests = filesIn(join(folder, 'blobs')).map((path) => {
    const digest = digestOf(readFileSync(path));
    if (!path.endsWith(digest.slice(7))) throw new Error(`${path} holds ${digest}`);
    return digest;
  });
  return new Set(digests);
}

/** Returns the bytes of all files that count against the bound. */
export function bytesIn(folder: string): number {
  return ['blobs', 'recipes', 'partial']
    .flatMap((name) => filesIn(join(folder, name)))
    .reduce((sum, path) => sum + statSync(path).size, 0);
}

/** Lists the files of recipes. */
export function recipesIn(folder: string): string[] {
  return filesIn(join(folder, 'recipes'));
}

/** Lists the unfinished files. */
export function partialIn(folder: string): string[] {
  return readdirSync(join(folder, 'partial'));
}
