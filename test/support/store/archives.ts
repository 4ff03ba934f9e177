/**
 * Set-up for tests of archives as files: a place for one, images written into it, and what lies in it. Used by the tests of store and of
 * the command line.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RawManifest } from '../../../src/place/place.ts';
import { type EntrySpec, type ModelEntry, readTar, writeTar } from '../model/tar-bytes.ts';
import { never } from '../registry/setup.ts';
import { newFolder, publish, source, target } from './local.ts';

/** Returns the path of an archive that is not there yet, in a folder of its own. */
export async function newFile(): Promise<string> {
  return join(await newFolder(), 'image.tar');
}

/** Writes a tar, and returns its path. */
export async function writeFileOf(entries: readonly EntrySpec[]): Promise<string> {
  const path = await newFile();
  await writeFile(path, writeTar(entries));
  return path;
}

/** Writes an image under one or several names, and closes the target, as a run does. */
export async function write(
  references: string | readonly string[],
  image: Parameters<typeof publish>[1],
): Promise<void> {
  const opened = await target(...[references].flat());
  await publish(opened, image);
  await opened.close();
}

/** Reads the manifest that a reference means. */
export async function rootOf(reference: string): Promise<RawManifest> {
  return (await source(reference)).root(never);
}

/** Returns the digest of the manifest that a reference means. */
export async function digestAt(reference: string): Promise<string> {
  return (await rootOf(reference)).descriptor.digest;
}

/** What lies in an archive. */
export interface Members {
  readonly entries: readonly ModelEntry[];
  /** Reads a member as JSON; null where it is not there. */
  readonly json: (name: string) => unknown;
}

/** Reads an archive. */
export function membersIn(tar: Uint8Array): Members {
  const entries = readTar(new Uint8Array(tar));
  return {
    entries,
    json: (name) => {
      const body = entries.find((entry) => entry.name === name)?.body;
      return body === undefined ? null : (JSON.parse(Buffer.from(body).toString()) as unknown);
    },
  };
}

/** Reads the archive in a file. */
export async function membersOf(path: string): Promise<Members> {
  return membersIn(await readFile(path));
}

/** Returns the `RepoTags` of each image of an archive of Docker; null where it is not one. */
export function tagsIn(tar: Uint8Array): readonly unknown[] | null {
  const rows = membersIn(tar).json('manifest.json') as readonly { RepoTags: unknown }[] | null;
  return rows?.map(({ RepoTags }) => RepoTags) ?? null;
}
