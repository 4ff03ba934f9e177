import { isElsewhere } from '../../layers/write/adopt-layer.ts';
import { exceeded, type Limits } from '../../limits.ts';
import type { Digest } from '../../oci/digest.ts';
import { type Manifest, parseManifest } from '../../oci/manifest.ts';
import { isIndexType, isManifestType } from '../../oci/media-type.ts';
import type { RawManifest, Source, Target } from '../../place/place.ts';

/**
 * Copies everything that a manifest names as it is: attestations, artifacts, nested indexes. A manifest that is named twice is
 * copied once: in a chain of indexes that each name the next one twice, the work would double with every index.
 */
export class TreeCopier {
  readonly #target: Target;
  readonly #source: Source;
  readonly #limits: Limits;
  readonly #copied = new Set<Digest>();

  constructor(target: Target, source: Source, limits: Limits) {
    this.#target = target;
    this.#source = source;
    this.#limits = limits;
  }

  /** Copies a manifest and all below it. `depth` counts the indexes around it. @throws LIMIT, and what places throw */
  async copy(raw: RawManifest, depth: number, signal: AbortSignal): Promise<void> {
    const { mediaType, digest } = raw.descriptor;
    if (!isIndexType(mediaType) && !isManifestType(mediaType)) return;
    const source = this.#source;
    const document = parseManifest(raw.bytes, mediaType, `a manifest of ${source.label}`);
    if (document.kind === 'index') {
      if (depth >= this.#limits['index-depth'])
        throw exceeded(
          'index-depth',
          this.#limits,
          `${source.label} has too many indexes in each other`,
          `index ${digest} lies in ${depth} others`,
        );
      for (const { descriptor } of document.children) {
        if (this.#copied.has(descriptor.digest)) continue;
        await this.copy(await source.manifest(descriptor, signal), depth + 1, signal);
      }
    } else {
      await this.#copyBlobs(document, signal);
    }
    await this.#target.putManifest(raw, signal);
    this.#copied.add(digest);
  }

  async #copyBlobs({ config, layers }: Manifest, signal: AbortSignal): Promise<void> {
    for (const descriptor of [config, ...layers.filter((layer) => !isElsewhere(layer))])
      await this.#target.adopt(descriptor, this.#source, signal);
  }
}
