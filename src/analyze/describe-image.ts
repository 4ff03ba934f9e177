/** Says what an image is and what its layers are: the parts of an analysis that need no look at other layers. `analysisSteps` calls it. */
import type { LayerIndex } from '../changeset/layer-index.ts';
import { type Image, layerOf } from '../image/image.ts';
import { formatPlatform } from '../oci/platform.ts';
import { readRuntime } from '../oci/runtime.ts';
import type { AnalyzedImage, AnalyzedLayer } from './analysis.ts';
import { rowsOfLayers } from './instruction.ts';

/** Describes an image. `name` is the reference as the user wrote it. */
export function describeImage({ descriptor, config }: Image, name: string): AnalyzedImage {
  const runtime = readRuntime(config);
  const { created } = config.json;
  return {
    name,
    digest: descriptor.digest,
    mediaType: descriptor.mediaType,
    platform: config.platform === null ? null : formatPlatform(config.platform),
    created: typeof created === 'string' ? created : null,
    config: {
      user: runtime.user,
      entrypoint: runtime.entrypoint,
      cmd: runtime.command,
      workingDir: runtime.workingDirectory,
      ports: [...runtime.ports].sort(),
      volumes: runtime.volumes,
      healthcheck: runtime.healthcheck.length > 0,
      environment: runtime.environment.size,
      labels: Object.fromEntries(runtime.labels),
    },
  };
}

/** What the layers of one image have in common: sums of each that look at others. */
export interface LayerSums {
  readonly shadowedBytes: number;
  readonly duplicateBytes: number;
  readonly diveBytes: number;
}

/** Describes the layers, the lowest first. `sums` are in the same order. */
export function describeLayers(
  image: Image,
  indexes: ReadonlyMap<number, LayerIndex>,
  sums: readonly LayerSums[],
): readonly AnalyzedLayer[] {
  const rows = rowsOfLayers(image.config.history, indexes.size);
  return sums.map((own, i) => {
    const { descriptor, diffId } = layerOf(image, i + 1);
    const index = indexes.get(i + 1) as LayerIndex;
    return {
      number: i + 1,
      digest: descriptor.digest,
      diffId,
      mediaType: descriptor.mediaType,
      transferBytes: descriptor.size,
      tarBytes: index.tarBytes,
      instruction: rows[i]?.createdBy ?? null,
      created: rows[i]?.created ?? null,
      ...countEntries(index),
      ...own,
    };
  });
}

function countEntries({ kinds, sizes }: LayerIndex) {
  let [markers, files, contentBytes] = [0, 0, 0];
  for (const [entry, kind] of kinds.entries()) {
    if (kind === 'whiteout' || kind === 'opaque') markers++;
    if (kind !== 'file') continue;
    files++;
    contentBytes += sizes[entry] as number;
  }
  return { entries: kinds.length, markers, files, contentBytes };
}
