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

export function afterwards(cleanup: () => Promise<unknown>): void {
  cleanups.push(cleanup);
}

/** A new folder that goes after the test. */
export async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'ocislim-test-'));
  afterwards(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** The mark of a process that has ended. */
export async function deadMark(): Promise<string> {
  const child = spawn('true');
  await once(child, 'exit');
  return temporaryMark().replace(/^[0-9]+/, String(child.pid));
}

/** What this process has open, by the system's word. */
export function openFiles(): string[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      // That with which the list was read.
      return [];
    }
  });
}

export async function source(text: string, overrides: Partial<RegistryOptions> = {}): Promise<Source> {
  const opened = await openSource(parseReference(text), setup(overrides).options);
  afterwards(() => opened.close());
  return opened;
}

export async function target(...texts: readonly string[]): Promise<Target> {
  const opened = await openTarget(texts.map(parseReference), setup().options, never);
  afterwards(() => opened.close());
  return opened;
}

/** A small image of three layers, two of them equal. */
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

/** Descriptor of what was built, as the project has it. */
export function descriptorOf(built: BlobDescriptor): Descriptor {
  return parseDescriptor(built, 'a test blob');
}

export async function* bytesStream(...chunks: readonly Uint8Array[]): ByteStream {
  yield* chunks;
}

/** A stream that gives these bytes and breaks then. */
export async function* brokenStream(...chunks: readonly Uint8Array[]): ByteStream {
  yield* chunks;
  throw new Error('the line went dead');
}

/** Copies an image or index with all below it. Gives the root, and how each blob came. */
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

/** Puts what was built into a target. */
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

/** All files below a folder, sorted. */
export async function listFiles(folder: string): Promise<readonly string[]> {
  const found = await readdir(folder, { recursive: true, withFileTypes: true });
  return found
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
}

export async function readJson(path: string): Promise<Record<string, unknown>> {
  return JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>;
}

/** The names in a layout's index.json, in their order; `-` for none. */
export async function namesIn(folder: string): Promise<readonly string[]> {
  const { manifests } = (await readJson(join(folder, 'index.json'))) as {
    manifests: { annotations?: Record<string, string> }[];
  };
  return manifests.map(({ annotations }) => annotations?.['org.opencontainers.image.ref.name'] ?? '-');
}

/** The promise fails with an OcislimError of this code; gives message and advice in one text. */
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
