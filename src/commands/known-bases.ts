/** Reads the images that the gate about base images names: their DiffIDs, for the platform of the image that is judged. */
import type { KnownBase } from '../analyze/gates/gate.ts';
import { type Image, isSamePlatform } from '../image/image.ts';
import { imageMembers } from '../jobs/image-set.ts';
import { readSource } from '../jobs/read-reference.ts';
import type { Reference } from '../oci/reference.ts';
import { readBeside } from './read-beside.ts';
import type { Workspace } from './workspace.ts';

/** Reads base images by their names: manifests and configs only. @throws NOT_FOUND and whatever else reading an image throws */
export async function readBases(
  names: readonly string[],
  { image, source }: { readonly image: Image; readonly source: Reference },
  workspace: Workspace,
): Promise<readonly KnownBase[]> {
  const bases: KnownBase[] = [];
  for (const name of names) {
    const platforms = image.config.platform === null ? [] : [image.config.platform];
    const { set } = await readBeside(workspace, { source, reference: await readSource(name), platforms });
    const members = imageMembers(set).map((member) => member.image);
    const found = members.find((member) => isSamePlatform(member, image)) ?? members[0];
    if (found === undefined) continue;
    const digests = [found.descriptor.digest, set.root.descriptor.digest];
    bases.push({ name, digests, diffIds: found.config.diffIds });
  }
  return bases;
}
