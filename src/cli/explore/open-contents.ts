/** Makes the contents that `explore` shows from a scanned image: instructions from the history, owners from the package databases. */
import type { ScannedImage } from '../../jobs/analyze/scan-image.ts';
import type { Path } from '../../bytes/path.ts';
import { decodeForDisplay } from '../../bytes/bytes.ts';
import { readInstruction, rowsOfLayers } from '../../analyze/instruction.ts';
import { layerOf } from '../../image/image.ts';
import { formatPlatform } from '../../oci/platform.ts';
import { mergeFacts } from '../../rootfs/facts/merged-facts.ts';
import { packagesOf } from '../../rootfs/packages/package-index.ts';
import { inTurns } from '../../steps.ts';
import { type Contents, contentsSteps } from './contents.ts';

/** Makes the contents of an image. `name` is its reference as the user wrote it. @throws the reason of the signal, LAYER_INVALID */
export async function openContents(
  scanned: ScannedImage,
  name: string,
  signal: AbortSignal,
): Promise<Contents> {
  const { image, stack, indexes, fates, fs, facts } = scanned;
  const { manifest, config } = image;
  const rows = rowsOfLayers(config.history, manifest.layers.length);
  const packages = packagesOf({ fs, facts: mergeFacts(fs, facts) });
  const ownersOf = (path: Path): readonly string[] =>
    packages
      .ownersOf(path)
      .map(({ kind, name: own, version }) =>
        [decodeForDisplay(own, (text) => text), version ?? '', `(${kind})`]
          .filter((word) => word !== '')
          .join(' '),
      );
  const layers = manifest.layers.map((_, i) => {
    const { descriptor } = layerOf(image, i + 1);
    const row = rows[i];
    return {
      number: i + 1,
      digest: descriptor.digest,
      transferBytes: descriptor.size,
      instruction: readInstruction(row?.createdBy ?? '').text,
      created: row?.created ?? null,
    };
  });
  const title = {
    name,
    digest: image.descriptor.digest,
    platform: config.platform === null ? null : formatPlatform(config.platform),
  };
  const prints = new Map([...facts].map(([number, { prints: own }]) => [number, own]));
  return inTurns(contentsSteps({ title, stack, indexes, fates, layers, prints, ownersOf }), signal);
}
