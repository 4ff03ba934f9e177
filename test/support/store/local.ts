/**
 * Set-up for tests of places on this machine: folders that are removed, small images, streams, and copies between places. Used
 * by the tests of store, files and open.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readlinkSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect } from 'vitest';
import { type ErrorCode, OcislimError } from '../../../src/errors.ts';
import { type Descriptor, parseDescriptor } from '../../../src/oci/descriptor.ts';
import { parseManifest } from '../../../src/oci/manifest.ts';
import { parseReference } from '../../../src/oci/reference.ts';
import { openSource, openTarget } from '../../../src/jobs/open.ts';
import { temporaryMark } from '../../../src/files/temporary.ts';
import type { RawManifest, Source, Target } from '../../../src/place/place.ts';
import type { RegistryOptions } from '../../../src/registry/lease.ts';
import type { ByteStream } from '../../../src/stream/byte-stream.ts';
import { type BlobDescriptor, type BuiltImage, buildImage, type ImageRecipe } from '../image-builder.ts';
import { writeTar } from '../model/tar-bytes.ts';
import { never, setup } from '../registry/setup.ts';

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** Runs `cleanup` after the test, the last given first. */
export function afterwards(cleanup: () => Promise<unknown>): void {
  cleanups.push(cleanup);
}

/** Makes a folder that is removed after the test. */
export async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'ocislim-test-'));
  afterwards(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Makes the mark of a process that has ended. */
export async function deadMark(): Promise<string> {
  const child = spawn('true');
  await once(child, 'exit');
  return temporaryMark().replace(/^[0-9]+/, String(child.pid));
}

/** Lists the files that this process has open, according to the system. */
export function openFiles(): string[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      // The handle by which the list was read.
      return [];
    }
  });
}

/** Opens a source by its reference. */
export async function source(text: string, overrides: Partial<RegistryOptions> = {}): Promise<Source> {
  const opened = await openSource(parseReference(text), setup(overrides).options);
  afterwards(() => opened.close());
  return opened;
}

/** Opens a target by the references of its tags. */
export async function target(...texts: readonly string[]): Promise<Target> {
  const opened = await openTarget(texts.map(parseReference), setup().options, never);
  afterwards(() => opened.close());
  return opened;
}

/** Builds a small image of three layers, two of them equal. `seed` makes it another image. */
export function smallImage(recipe: Partial<ImageRecipe> & { readonly seed?: string } = {}): BuiltImage {
  const { seed = '', ...more } = recipe;
  const text = (words: string) => new TextEncoder().encode(words + seed);
  const one = writeTar([
    { name: 'etc/', type: 'dir' },
    { name: 'etc/motd', body: text('hello\n'.repeat(5000)) },
  ]);
  const two = writeTar([{ name: 'app', body: text('#!/bin/sh\n'), mode: 0o755 }]);
  return buildImage({ layers: [one, two, one], ...more });
}

/** Reads a built descriptor as the project does. */
export function descriptorOf(built: BlobDescriptor): Descriptor {
  return parseDescriptor(built, 'a test blob');
}

/** Returns the descriptor of a layer of a built image. */
export function layerOf(built: BuiltImage, index = 0): Descriptor {
  const layer = built.layers[index];
  if (layer === undefined) throw new Error(`the image has no layer ${index}`);
  return descriptorOf(layer);
}

/** Returns where a blob lies in a layout. */
export function blobPath(folder: string, digest: string): string {
  return join(folder, 'blobs', ...digest.split(':'));
}

/** Makes a stream of these chunks. */
export async function* bytesStream(...chunks: readonly Uint8Array[]): ByteStream {
  yield* chunks;
}

/** Makes a stream of these chunks that fails at its end. */
export async function* brokenStream(...chunks: readonly Uint8Array[]): ByteStream {
  yield* chunks;
  throw new Error('the line went dead');
}

/** Copies an image or index with all that it names. Returns the root, and how each blob was adopted. */
export async function copy(
  from: Source,
  to: Target,
): Promise<{ root: RawManifest; adoptions: readonly string[] }> {
  const root = await from.root(never);
  const adoptions: string[] = [];
  const descend = async (manifest: RawManifest): Promise<void> => {
    const parsed = parseManifest(manifest.bytes, manifest.descriptor.mediaType, 'a test manifest');
    if (parsed.kind === 'index') {
      for (const { descriptor } of parsed.children) await descend(await from.manifest(descriptor, never));
    } else {
      const blobs = [parsed.config, ...parsed.layers];
      adoptions.push(...(await Promise.all(blobs.map((blob) => to.adopt(blob, from, never)))));
    }
    await to.putManifest(manifest, never);
  };
  await descend(root);
  await to.publish(root, never);
  return { root, adoptions };
}

/** Puts a built image or index into a target. */
export async function publish(
  to: Target,
  built: {
    readonly descriptor: BlobDescriptor;
    readonly manifest: Uint8Array;
    readonly blobs: ReadonlyMap<string, Uint8Array>;
  },
): Promise<void> {
  for (const [digest, bytes] of built.blobs) {
    if (digest === built.descriptor.digest) continue;
    await to.put(
      bytes,
      parseDescriptor({ mediaType: 'x/y', digest, size: bytes.length }, 'a test blob'),
      never,
    );
  }
  await to.publish({ descriptor: descriptorOf(built.descriptor), bytes: built.manifest }, never);
}

/** Lists all files below a folder, sorted. */
export async function listFiles(folder: string): Promise<readonly string[]> {
  const found = await readdir(folder, { recursive: true, withFileTypes: true });
  return found
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
}

/** Reads a file of JSON. */
export async function readJson(path: string): Promise<Record<string, unknown>> {
  return JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>;
}

/** Lists the names in a layout's index.json, in their order; `-` for an entry without a name. */
export async function namesIn(folder: string): Promise<readonly string[]> {
  const { manifests } = (await readJson(join(folder, 'index.json'))) as {
    manifests: { annotations?: Record<string, string> }[];
  };
  return manifests.map(({ annotations }) => annotations?.['org.opencontainers.image.ref.name'] ?? '-');
}

/** Expects a promise to fail with an OcislimError of this code. Returns its message and advice in one text. */
export async function refused(code: ErrorCode, promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(OcislimError);
  const { code: actual, message, advice } = error as OcislimError;
  expect(actual, message).toBe(code);
  return `${message} ${advice ?? ''}`;
}
