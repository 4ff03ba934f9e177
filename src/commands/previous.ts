/** Reads earlier versions of an image, for the layouts that they state. The work of stages calls it, once for all platforms. */
import { OcislimError } from '../errors.ts';
import type { Image } from '../image/image.ts';
import { assignmentOf, type LayerAssignment } from '../image/relayering.ts';
import { imageMembers } from '../jobs/image-set.ts';
import { readSource } from '../jobs/read-reference.ts';
import type { Platform } from '../oci/platform.ts';
import type { Reference } from '../oci/reference.ts';
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
}

/**
 * Returns the reader of earlier versions. Without references it looks at what the destination names now, if anything, and else at the
 * image itself. It warns of LAYOUT_UNKNOWN where references are given and none states a layout, and throws what reading images throws.
 */
export function previousReader(workspace: Workspace, versions: Versions): PreviousReader {
  return async (names) => {
    if (names.length === 0) {
      const before = await readDestinations(workspace, versions);
      return (image) => {
        const found = layoutsFor(image, before);
        return found.length > 0 ? found : [assignmentOf(image) ?? []].flat();
      };
    }
    const read: (readonly Image[])[] = [];
    for (const name of names) read.push(await readVersion(workspace, versions, name));
    const found = read.flat();
    if (found.every((image) => assignmentOf(image) === null))
      workspace.listener({
        type: 'warning',
        code: 'LAYOUT_UNKNOWN',
        message: `no layout of layers is stated by ${names.join(' or ')}: this one is made without regard to it`,
      });
    return (image) => layoutsFor(image, found);
  };
}

/** Returns the layouts that versions of the same platform state, in their order. */
function layoutsFor(image: Image, versions: readonly Image[]): readonly LayerAssignment[] {
  const platform = JSON.stringify(image.config.platform);
  const same = versions.filter(({ config }) => JSON.stringify(config.platform) === platform);
  return same.flatMap((version) => assignmentOf(version) ?? []);
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
  { source, platforms }: Versions,
  name: string,
): Promise<readonly Image[]> {
  const { set } = await readBeside(workspace, { source, reference: await readSource(name), platforms });
  const images = imageMembers(set).map(({ image }) => image);
  workspace.versions.push(...images.map((image) => ({ name, image })));
  return images;
}
