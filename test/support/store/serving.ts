/**
 * An embedded registry for tests, and the requests that most of them begin with. Used by the tests of store/server.
 */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import {
  type RegistryServer,
  serveRegistry,
  type ServeOptions,
} from '../../../src/store/server/serve-registry.ts';
import { type BuiltTree, digestOf, MEDIA_TYPES } from '../image-builder.ts';
import { ask } from './asking.ts';
import { afterwards, newFolder, smallImage } from './local.ts';

/** An image of three layers, and another one. */
export const image = smallImage();
export const other = smallImage({ seed: 'other' });
export const manifestType = { 'content-type': MEDIA_TYPES.oci.manifest };
export const indexType = { 'content-type': MEDIA_TYPES.oci.index };
export const absent = `sha256:${'a'.repeat(64)}`;

/** Serves a registry until the test ends. Default: a temporary folder. */
export async function serve(options: Partial<ServeOptions> = {}): Promise<RegistryServer> {
  const server = await serveRegistry({ layoutDir: null, signal: new AbortController().signal, ...options });
  afterwards(() => server.close());
  return server;
}

/** Serves a registry from a folder that the test may look into. */
export async function serveFolder(
  options: Partial<ServeOptions> = {},
): Promise<{ server: RegistryServer; folder: string }> {
  const folder = join(await newFolder(), 'images');
  return { server: await serve({ layoutDir: folder, ...options }), folder };
}

/** Pushes a blob, and returns its digest. */
export async function pushBlob(
  server: RegistryServer,
  repository: string,
  bytes: Uint8Array,
): Promise<string> {
  const digest = digestOf(bytes);
  const reply = await ask(server, 'POST', `/v2/${repository}/blobs/uploads/?digest=${digest}`, {
    body: bytes,
  });
  expect(reply.status).toBe(201);
  return digest;
}

/** Pushes all blobs of an image or index but its root. */
export async function pushBlobs(server: RegistryServer, repository: string, tree: BuiltTree): Promise<void> {
  for (const [digest, bytes] of tree.blobs) {
    if (digest !== tree.descriptor.digest) await pushBlob(server, repository, bytes);
  }
}

/** Pushes an image to `repository:tag`, or to `repository:` by its digest. */
export async function pushImage(server: RegistryServer, name: string, built = image): Promise<void> {
  const [repository = '', reference = ''] = name.split(':', 2);
  await pushBlobs(server, repository, built);
  const path = `/v2/${repository}/manifests/${reference === '' ? built.descriptor.digest : reference}`;
  expect((await ask(server, 'PUT', path, { body: built.manifest, headers: manifestType })).status).toBe(201);
}

/** Begins an upload, and returns its location. */
export async function begin(server: RegistryServer, repository = 'app'): Promise<string> {
  const { status, headers } = await ask(server, 'POST', `/v2/${repository}/blobs/uploads/`);
  expect(status).toBe(202);
  expect(headers['content-length']).toBe('0');
  expect(headers.range).toBe('0-0');
  return headers.location ?? '';
}

/** Waits until the server has written so many bytes into a file, without a clock. */
export async function untilWritten(path: string, bytes: number): Promise<void> {
  while ((await stat(path)).size < bytes) await new Promise(setImmediate);
}
