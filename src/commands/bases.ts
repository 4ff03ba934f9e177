/** Reads base images, so that the layers above theirs can be selected, platform by platform. */
import { OcislimError } from '../errors.ts';
import { imageMembers } from '../jobs/image-set.ts';
import { readSource } from '../jobs/read-reference.ts';
import { type Image, isSamePlatform } from '../image/image.ts';
import type { Selection } from '../image/selection.ts';
import type { Platform } from '../oci/platform.ts';
import type { Reference } from '../oci/reference.ts';
import type { BaseReader } from '../settings/transform.ts';
import { readBeside } from './read-beside.ts';
import type { Workspace } from './workspace.ts';

/**
 * Returns the reader of base images beside `source`, of which `platforms` are rewritten; all if empty. The reader throws
 * NOT_FOUND and what else reading an image throws.
 */
export function baseReader(
  workspace: Workspace,
  source: Reference,
  platforms: readonly Platform[],
): BaseReader {
  return async (name) => {
    const reference = await readSource(name);
    const { set } = await readBeside(workspace, { source, reference, platforms });
    workspace.bases.push({ reference, digest: set.root.descriptor.digest });
    const bases = imageMembers(set).map(({ image }) => image);
    const diffIds = (image: Image) => baseFor(image, bases, name).config.diffIds;
    return { kind: 'base', name, diffIds } satisfies Selection;
  };
}

/** The base for the platform of an image; a single base is for every platform. @throws BASE_MISMATCH */
function baseFor(image: Image, bases: readonly Image[], name: string): Image {
  const exact = bases.find((base) => isSamePlatform(base, image));
  const base = exact ?? (bases.length === 1 ? bases[0] : undefined);
  if (base !== undefined) return base;
  throw new OcislimError('BASE_MISMATCH', `${name} has no image for the platform of this one`);
}
