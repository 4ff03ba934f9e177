/**
 * The image whose program is recorded: which one it is, and what it says about running it. `prove.ts` and the command `trace record` read it.
 */
import { runtimeOf } from '../../configure/configure.ts';
import { OcislimError } from '../../errors.ts';
import type { Transform } from '../../image/image.ts';
import { imageMembers, readImageSet } from '../../jobs/image-set.ts';
import { isAttestation } from '../../oci/attestation.ts';
import type { Digest } from '../../oci/digest.ts';
import type { IndexChild } from '../../oci/manifest.ts';
import { formatPlatform, type Platform } from '../../oci/platform.ts';
import type { Runtime } from '../../oci/runtime.ts';
import type { Source } from '../../place/place.ts';
import type { Workspace } from '../workspace.ts';

export interface RecordedImage {
  /** "linux/amd64": what the image says, else what was asked for. */
  readonly platform: string;
  /** Of its manifest. */
  readonly digest: Digest;
  readonly runtime: Runtime;
  /** What an index says of its other images: their platforms, each once. Their manifests are not read. */
  readonly others: readonly string[];
}

/**
 * Reads the manifest and config of the image of one platform. `configure` plans what changes in the config before it runs.
 * @throws USAGE where the source has none or several of it, and what reading manifests throws
 */
export async function readRecordedImage(
  source: Source,
  platform: Platform,
  { limits, listener, signal }: Pick<Workspace, 'limits' | 'listener' | 'signal'>,
  configure: Transform = (image) => image,
): Promise<RecordedImage> {
  const set = await readImageSet(source, {
    platforms: [platform],
    variants: 'one',
    limits,
    listener,
    signal,
  });
  const images = imageMembers(set);
  const image = images[0]?.image;
  const own = formatPlatform(platform);
  if (image === undefined || images.length > 1)
    throw new OcislimError('USAGE', `${source.label} names ${images.length} images for ${own}`, {
      advice: 'Choose one by its digest.',
    });
  const { platform: stated } = image.config;
  const recorded = stated === null ? own : formatPlatform(stated);
  return {
    platform: recorded,
    digest: image.descriptor.digest,
    runtime: runtimeOf(configure(image)),
    others: platformsOf(set.index?.children ?? []).filter((each) => each !== recorded),
  };
}

function platformsOf(rows: readonly IndexChild[]): readonly string[] {
  const images = rows.filter((row) => !isAttestation(row));
  return [...new Set(images.flatMap(({ platform }) => (platform === null ? [] : formatPlatform(platform))))];
}
