/** The images of an index beside the one that is recorded, where they are pruned by the same paths. */
import { imageMembers, readImageSet } from '../../jobs/image-set.ts';
import { formatPlatform } from '../../oci/platform.ts';
import type { Source } from '../../place/place.ts';
import type { Workspace } from '../workspace.ts';

/** Lists the platforms of an index beside one as the configs of its images state them, "linux/arm64", each once. @throws what reading manifests throws */
export async function otherPlatforms(
  source: Source,
  recorded: string,
  { limits, listener, signal }: Pick<Workspace, 'limits' | 'listener' | 'signal'>,
): Promise<readonly string[]> {
  const set = await readImageSet(source, { platforms: [], variants: 'one', limits, listener, signal });
  const platforms = imageMembers(set).flatMap(({ image }) => image.config.platform ?? []);
  return [...new Set(platforms.map(formatPlatform))].filter((platform) => platform !== recorded);
}
