import { layerKind } from '../oci/media-type.ts';
import type { PlatformReport, Report } from './report.ts';

/**
 * Names the images of a report for headings: by their platform. Of several for one platform (`--add-variant`) each name says how the layers are
 * packed, too, and where that is the same, the digest of the source. Unescaped.
 */
export function imageNames({ platforms }: Pick<Report, 'platforms'>): ReadonlyMap<PlatformReport, string> {
  const plain = platforms.map(({ platform }) => platform ?? 'image');
  const packed = platforms.map((image, i) => `${plain[i]} ${formatOf(image)}`.trimEnd());
  const isAlone = (name: string | undefined, all: readonly string[]) =>
    all.filter((each) => each === name).length === 1;
  return new Map(
    platforms.map((image, i) => {
      const names = [
        isAlone(plain[i], plain) ? plain[i] : null,
        isAlone(packed[i], packed) ? packed[i] : null,
      ];
      return [image, names.find((name) => name != null) ?? `${packed[i]} ${shortDigest(image)}`];
    }),
  );
}

/** Returns how the layers of an image are packed: "zstd". A dry run knows it of the source. */
function formatOf({ layers }: PlatformReport): string {
  const types = layers.flatMap(({ after, before }) => after ?? before).map(({ mediaType }) => mediaType);
  const formats = types
    .map((type) => layerKind(type))
    .flatMap((kind) => (kind.kind === 'layer' ? [kind.compression] : []));
  return [...new Set(formats)].map((format) => (format === 'none' ? 'not packed' : format)).join(' and ');
}

function shortDigest({ sourceDigest }: PlatformReport): string {
  return sourceDigest.slice(sourceDigest.indexOf(':') + 1).slice(0, 12);
}
