/**
 * The room `store`: places on this machine's disk, as sources and targets (layouts, archives), the cache, and the embedded registry.
 * It knows how images lie there, and nothing of what is done with them; this file is what programs outside may use.
 */
export { BlobCache, type CacheOptions } from './cache/blob-cache.ts';
export { type RegistryServer, type ServeOptions, serveRegistry } from './server/serve-registry.ts';
