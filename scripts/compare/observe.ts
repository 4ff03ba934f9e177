/**
 * What a case has left in its folder, as facts: an OCI layout image by image, an archive member by member, every other file by
 * its text or digest. run-case.ts calls it when the steps are done.
 */
import { readdir, readFile, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { readTar } from '../../test/support/model/tar-bytes.ts';
import type { Checkout } from './checkout.ts';
import { digestOfBytes, digestOfFile } from './digests.ts';
import { figuresIn, normalise } from './normal.ts';
import { type Fact, factOf } from './observation.ts';
import { observeLayout } from './observe-layout.ts';
import { MiB } from '../../src/units.ts';

/** Files beyond this are known by their digest alone. */
const maxRead = 64 * MiB;

/** A folder of the cases' own, not compared: how a cache keeps its files is nothing that a user sees. */
const cacheFolder = 'cache';

/** Describes all files below a folder. The keys are paths, or a layout's path and what is in it. */
export async function observeFolder(folder: string, checkout: Checkout): Promise<Map<string, Fact>> {
  const facts = new Map<string, Fact>();
  const observe = async (path: string): Promise<void> => {
    const entries = await readdir(path, { withFileTypes: true });
    if (entries.some(({ name }) => name === 'oci-layout')) {
      await observeLayout(path, folder, facts);
      return;
    }
    for (const entry of entries) {
      const inner = join(path, entry.name);
      if (entry.isFile()) facts.set(relative(folder, inner), await observeFile(inner, folder, checkout));
      else if (entry.name !== cacheFolder) await observe(inner);
    }
  };
  await observe(folder);
  return facts;
}

async function observeFile(path: string, root: string, checkout: Checkout): Promise<Fact> {
  const { size } = await stat(path);
  const bytes = size > maxRead ? null : await readFile(path);
  if (bytes !== null && isImageArchive(bytes)) return { kind: 'lines', lines: membersOf(bytes) };
  const digest = await digestOfFile(path);
  if (path.endsWith('.tar')) return { kind: 'layer', digest, mediaType: 'tar', file: relative(root, path) };
  if (bytes === null || bytes.includes(0)) return { kind: 'lines', lines: [digest, `${size} bytes`] };
  const text = normalise(bytes.toString(), checkout);
  return path.endsWith('.md') ? { kind: 'lines', lines: figuresIn(text) } : factOf(text);
}

/** Whether a file is a tar that begins as archives of images do. */
function isImageArchive(bytes: Buffer): boolean {
  const start = bytes.toString('latin1', 0, 100);
  return bytes.length >= 512 && /^(?:oci-layout|blobs\/|index\.json|manifest\.json)\0*$/.test(start);
}

/** The members of an archive in the order of names, since blobs come into it as they are done. */
function membersOf(bytes: Uint8Array): string[] {
  return readTar(bytes)
    .map(({ name, type, mode, body }) => `${name} ${type} ${mode} ${body.length} ${digestOfBytes(body)}`)
    .sort();
}
