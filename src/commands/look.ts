/**
 * Runs the commands that look into one image. Each opens the place that its reference names, and reads no more than it must; the face
 * of this room calls them.
 */
import { readSource } from '../jobs/read-reference.ts';
import {
  type DescribedImage,
  describeImage,
  type DocumentOptions,
  readConfig,
  readHistory,
  readManifest,
} from '../jobs/look/documents.ts';
import type { Extraction } from '../jobs/look/extract-files.ts';
import type { Grants } from '../layers/unpack/unpack.ts';
import { listFiles, type Listing } from '../jobs/look/list-files.ts';
import type { OneImageOptions } from '../jobs/one-image.ts';
import { OcislimError } from '../errors.ts';
import type { HistoryLine } from '../jobs/look/history.ts';
import type { OpenedFile } from '../jobs/look/read-file.ts';
import type { Platform } from '../oci/platform.ts';
import { readDisplayed } from '../report/escape.ts';
import type { ReachingSettings } from '../settings/tables/commands.ts';
import type { Surroundings } from './surroundings.ts';
import { Workspace } from './workspace.ts';

/** The settings that say which image is read, and how. */
export interface LookSettings extends ReachingSettings {
  readonly platform: readonly Platform[];
}

/** What one run is about. */
export interface Look {
  readonly source: string;
  readonly settings: LookSettings;
  readonly surroundings: Surroundings;
}

/** The history of one image, the newest step first. */
export interface HistoryOutcome {
  readonly image: string;
  readonly history: readonly HistoryLine[];
}

/** Reads the history of one image. */
export async function lookAtHistory(look: Look): Promise<HistoryOutcome> {
  return await withDocuments(look, async (options) => ({
    image: options.source.label,
    history: await readHistory(options),
  }));
}

/** Reads the documents of a reference. */
export async function lookAtDocuments(
  look: Look,
  { referrers }: { readonly referrers: boolean },
): Promise<DescribedImage> {
  return await withDocuments(look, (options) => describeImage({ ...options, referrers }));
}

/** Reads the exact bytes of a document. */
export async function readDocument(look: Look, which: 'manifest' | 'config'): Promise<Uint8Array> {
  return await withDocuments(look, which === 'manifest' ? readManifest : readConfig);
}

/** Which files are listed. */
export interface ListSettings {
  readonly layer: number | null;
  readonly allLayers: boolean;
  readonly recursive: boolean;
  readonly directory: boolean;
}

/** Lists files at a path of the image. The path is text, with the escapes that lists of files have for odd names. */
export async function lookAtFiles(look: Look, path: string, settings: ListSettings): Promise<Listing> {
  const { layer, allLayers, recursive, directory: itself } = settings;
  if (layer !== null && allLayers)
    throw new OcislimError('USAGE', '--layer is one layer, and --all-layers are all: give one of them');
  const wish = { path: readDisplayed(path), layer, allLayers, recursive, itself };
  return await withImage(look, (options) => listFiles(options, wish));
}

/** Which file is read. */
export interface ReadSettings {
  readonly layer: number | null;
  readonly verify: boolean;
}

/** Opens a file of the image, and passes it to `use`. The path is text, with the escapes that lists of files have for odd names. */
export async function readFileOf<T>(
  look: Look,
  path: string,
  { layer, verify }: ReadSettings,
  use: (file: OpenedFile) => Promise<T>,
): Promise<T> {
  const { withFile } = await import('../jobs/look/read-file.ts');
  const wish = { path: readDisplayed(path), layer, verify };
  return await withImage(look, (options) => withFile(options, wish, use));
}

/** What is extracted, and what it may ask of the system. */
export interface ExtractionSettings extends Grants, ReadSettings {
  readonly strip: boolean;
  readonly force: boolean;
}

/** Extracts a file or directory of the image into a folder. The path is text, with the escapes that lists of files have for odd names. @throws USAGE for owners without root */
export async function extractFrom(
  look: Look,
  { path, into }: { readonly path: string; readonly into: string },
  { owners, devices, setuid, xattrs, ...settings }: ExtractionSettings,
): Promise<Extraction> {
  if (owners && process.getuid?.() !== 0)
    throw new OcislimError('USAGE', '--owners needs root: only root can give files away', {
      advice: 'Without it, files belong to you.',
    });
  const { extractFiles } = await import('../jobs/look/extract-files.ts');
  const grants = { owners, devices, setuid, xattrs };
  const wish = { ...settings, path: readDisplayed(path), into, grants };
  return await withImage(look, (options) => extractFiles(options, wish));
}

/** Opens what one image is read from. @throws USAGE for several platforms */
async function withImage<T>(
  { source, settings, surroundings }: Look,
  read: (options: OneImageOptions) => Promise<T>,
): Promise<T> {
  const [platform = null, ...more] = settings.platform;
  if (more.length > 0) throw new OcislimError('USAGE', 'files are those of one image: give one --platform');
  const reference = await readSource(source);
  await using workspace = new Workspace(settings, surroundings);
  const { jobs, limits, listener, signal, disk: maxScratch } = workspace;
  const cache = await workspace.openCache();
  const opened = await workspace.openSource(reference);
  return await read({ source: opened, platform, jobs, maxScratch, limits, cache, listener, signal });
}

async function withDocuments<T>(
  { source, settings, surroundings }: Look,
  read: (options: DocumentOptions) => Promise<T>,
): Promise<T> {
  const reference = await readSource(source);
  await using workspace = new Workspace(settings, surroundings);
  const { limits, listener, signal } = workspace;
  const opened = await workspace.openSource(reference);
  return await read({ source: opened, platforms: settings.platform, limits, listener, signal });
}
