/** Reads earlier versions of an image, for the layouts that they state. The work of stages calls it, once for all platforms. */
import { OcislimError } from '../errors.ts';
import { type Image, isSamePlatform } from '../image/image.ts';
import { assignmentOf } from '../image/relayering.ts';
import { imageMembers, readImageSet } from '../jobs/image-set.ts';
import { readSource } from '../jobs/read-reference.ts';
import type { Platform } from '../oci/platform.ts';
import type { Reference } from '../oci/reference.ts';
import { JoinedSource } from '../place/joined-source.ts';
import type { Source } from '../place/place.ts';
import type { Digest } from '../oci/digest.ts';
import type { PreviousReader } from '../settings/transform.ts';
import { readBeside } from './read-beside.ts';
import type { Workspace } from './workspace.ts';

/** Where earlier versions of an image may be. */
export interface Versions {
  /** The image that is relayered. */
  readonly source: Reference;
  /** The references of the destination, as they were given: what they name now is the version before. */
  readonly destinations: readonly string[];
  /** The platforms that are written; all if empty. */
  readonly platforms: readonly Platform[];
  /** Gets the images that are read. */
  readonly beside: BesideImages;
}

/** Images that were read beside a source, each with its place. */
export class BesideImages {
  readonly #places = new Map<Image, Source>();

  add(images: readonly Image[], place: Source): void {
    for (const image of images) this.#places.set(image, place);
  }

  /** Returns a source that has the layers of these images, too. What it has itself comes from itself. @throws what reading it throws */
  async join(source: Source, { limits, signal }: Pick<Workspace, 'limits' | 'signal'>): Promise<Source> {
    if (this.#places.size === 0) return source;
    const set = await readImageSet(source, { platforms: [], tolerant: true, limits, signal });
    const own = new Set(imageMembers(set).flatMap(({ image }) => layersOf(image)));
    const others = new Map<Digest, Source>();
    for (const [image, place] of this.#places)
      for (const digest of layersOf(image)) if (!own.has(digest)) others.set(digest, place);
    return new JoinedSource(source, others);
  }
}

function layersOf({ manifest }: Image): readonly Digest[] {
  return manifest.layers.map(({ digest }) => digest);
}

/**
 * Returns the reader of earlier versions. Without references it looks at what the destination names now, if anything, and else at the
 * image itself. It warns of LAYOUT_UNKNOWN where references are given and none states a layout, and throws what reading images throws.
 */
export function previousReader(workspace: Workspace, versions: Versions): PreviousReader {
  return async (names) => {
    const found = await readVersions(workspace, versions, names);
    const versionsOf = (image: Image) => found.filter((version) => isSamePlatform(version, image));
    return {
      layoutsFor: (image) => {
        const layouts = versionsOf(image).flatMap((version) => assignmentOf(version) ?? []);
        return layouts.length > 0 || names.length > 0 ? layouts : [assignmentOf(image) ?? []].flat();
      },
      imageBefore: (image) => versionsOf(image)[0] ?? null,
      images: found,
    };
  };
}

async function readVersions(
  workspace: Workspace,
  versions: Versions,
  names: readonly string[],
): Promise<readonly Image[]> {
  if (names.length === 0) return readDestinations(workspace, versions);
  const read: (readonly Image[])[] = [];
  for (const name of names) read.push(await readVersion(workspace, versions, name));
  const found = read.flat();
  if (found.every((image) => assignmentOf(image) === null))
    workspace.listener({
      type: 'warning',
      code: 'LAYOUT_UNKNOWN',
      message: `no layout of layers is stated by ${names.join(' or ')}: this one is made without regard to it`,
    });
  return found;
}

/** Reads what the destination names now. Nothing may be there, or something that cannot be read: then there is no version before. */
async function readDestinations(workspace: Workspace, versions: Versions): Promise<readonly Image[]> {
  const [name] = versions.destinations;
  if (name === undefined) return [];
  try {
    return await readVersion(workspace, versions, name);
  } catch (error) {
    workspace.signal.throwIfAborted();
    if (!(error instanceof OcislimError)) throw error;
    workspace.listener({ type: 'detail', message: `no earlier version at ${name}: ${error.message}` });
    return [];
  }
}

async function readVersion(
  workspace: Workspace,
  { source, platforms, beside }: Versions,
  name: string,
): Promise<readonly Image[]> {
  const reference = await readSource(name);
  const { place, set } = await readBeside(workspace, { source, reference, platforms });
  const images = imageMembers(set).map(({ image }) => image);
  beside.add(images, place);
  for (const image of images) workspace.versions.push({ name, image });
  return images;
}
