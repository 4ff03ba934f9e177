/** Adds further versions to a comparison: what a client of each downloads for each other. `diff.ts` calls it where some are named. */
import { blobsOf, versionDownloads } from '../analyze/diff/downloads.ts';
import type { ImageDiff } from '../analyze/diff/image-diff.ts';
import { platformName } from '../jobs/compare/image-pairs.ts';
import { type ImageMember, imageMembers, platformOf, readImageSet } from '../jobs/image-set.ts';
import { readSource } from '../jobs/read-reference.ts';
import type { Reference } from '../oci/reference.ts';
import type { Source } from '../place/place.ts';
import type { DiffSettings } from '../settings/tables/diff.ts';
import { readBeside } from './read-beside.ts';
import type { Workspace } from './workspace.ts';

/** The images that were compared, and the settings that name further ones. */
interface Compared {
  readonly a: Reference;
  readonly first: Source;
  readonly second: Source;
  readonly settings: DiffSettings;
}

interface Version {
  readonly name: string;
  readonly members: readonly ImageMember[];
}

/** Returns the comparison with A, the further versions and B for each platform that both have. @throws what reading images throws */
export async function withVersions(
  found: ImageDiff,
  { a, first, second, settings }: Compared,
  workspace: Workspace,
): Promise<ImageDiff> {
  const { limits, signal } = workspace;
  const { platform: platforms } = settings;
  const read = async (source: Source, name: string): Promise<Version> => {
    const set = await readImageSet(source, { platforms, variants: 'one', limits, signal });
    return { name, members: imageMembers(set) };
  };
  const versions = [await read(first, found.a.name)];
  for (const name of settings.also) {
    const reference = await readSource(name);
    const { set } = await readBeside(workspace, { source: a, reference, platforms });
    versions.push({ name, members: imageMembers(set) });
  }
  versions.push(await read(second, found.b.name));
  return {
    ...found,
    platforms: found.platforms.map((each) => {
      if (each.a === null || each.b === null) return each;
      const own = versions.flatMap(({ name, members }) => {
        const found = members.find((member) => platformName(platformOf(member)) === each.platform);
        if (found === undefined) return [];
        const { image } = found;
        return [{ name, digest: image.descriptor.digest, blobs: blobsOf(image) }];
      });
      return { ...each, versions: versionDownloads(own) };
    }),
  };
}
