/** Reads earlier versions of an image, for the layouts that they state. The work of stages calls it, once for all platforms. */
import type { Image } from '../image/image.ts';
import { assignmentOf } from '../image/relayering.ts';
import { imageMembers, readImageSet } from '../jobs/image-set.ts';
import { readSource } from '../jobs/read-reference.ts';
import type { Platform } from '../oci/platform.ts';
import type { Reference } from '../oci/reference.ts';
import type { PreviousReader } from '../settings/transform.ts';
import type { Workspace } from './workspace.ts';

/** Returns the reader of earlier versions beside `source`. The reader warns of LAYOUT_UNKNOWN where none states a layout, and throws what reading an image throws. */
export function previousReader(
  workspace: Workspace,
  source: Reference,
  platforms: readonly Platform[],
): PreviousReader {
  return async (names) => {
    const versions: Image[] = [];
    for (const name of names) versions.push(...(await readVersion(workspace, { source, name, platforms })));
    const stating = versions.filter((image) => assignmentOf(image) !== null);
    if (stating.length === 0)
      workspace.listener({
        type: 'warning',
        code: 'LAYOUT_UNKNOWN',
        message: `${names.join(' and ')} states no layout of layers to keep: this one is made from scratch`,
      });
    return (image) => {
      const version = stating.find((each) => isOfPlatform(each, image));
      return version === undefined ? null : assignmentOf(version);
    };
  };
}

async function readVersion(
  workspace: Workspace,
  {
    source,
    name,
    platforms,
  }: { readonly source: Reference; readonly name: string; readonly platforms: readonly Platform[] },
): Promise<readonly Image[]> {
  const { signal, limits, listener } = workspace;
  const place = await workspace.openBeside(source, await readSource(name));
  const set = await readImageSet(place, {
    variants: 'one',
    platforms: [],
    platformsOfIndex: platforms,
    limits,
    listener,
    signal,
  });
  return imageMembers(set).map(({ image }) => image);
}

function isOfPlatform(version: Image, image: Image): boolean {
  return JSON.stringify(version.config.platform) === JSON.stringify(image.config.platform);
}
