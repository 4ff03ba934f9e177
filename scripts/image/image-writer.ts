/**
 * Writes images that are made of files: layers, configs, manifests and the index over the platforms, into any place. It is what a
 * build needs, and knows nothing of what is in the image.
 */
import { encode } from '../../src/codec/encode.ts';
import type { EncoderPool } from '../../src/codec/encoder-pool.ts';
import { encodingWith } from '../../src/codec/encoding.ts';
import { type Descriptor, descriptorOfBytes, makeDescriptor } from '../../src/oci/descriptor.ts';
import type { Digest } from '../../src/oci/digest.ts';
import { encodeJson, type JsonObject } from '../../src/oci/json.ts';
import { layerMediaType, mediaTypes } from '../../src/oci/media-type.ts';
import type { RawManifest, Target } from '../../src/place/place.ts';
import { type Seal, sealing } from '../../src/stream/seal.ts';
import { writeTar } from '../../src/tar/writer.ts';
import { entriesOf, type ImageFile } from './image-file.ts';

/** A layer to make. The same object in several images is made once. */
export interface LayerRecipe {
  /** What it holds, in a few words. */
  readonly what: string;
  /** The time of all files: seconds since 1970. Default: that of the making. */
  readonly time?: number;
  readonly files: readonly ImageFile[];
}

/** A platform, as configs and indexes have it. */
export interface ImagePlatform {
  readonly architecture: string;
  readonly os: string;
  readonly variant?: string;
}

/** The image of one platform. */
export interface ImageRecipe {
  readonly platform: ImagePlatform;
  /** The layers, lowest first. */
  readonly layers: readonly LayerRecipe[];
  /** How a container of it is run, as in a config: `Entrypoint`, `User`, … */
  readonly run: JsonObject;
  /** Annotations of the manifest, which are labels of the config too. */
  readonly annotations: Readonly<Record<string, string>>;
}

/** What all images of a run have in common. */
export interface Making {
  readonly pool: EncoderPool;
  /** The time of the images: seconds since 1970. */
  readonly time: number;
  /** The level of gzip, which every client reads. */
  readonly level: number;
  readonly signal: AbortSignal;
}

interface WrittenLayer {
  readonly blob: Descriptor;
  readonly diffId: Digest;
}

/** Writes images into targets, one after the other. Layers that two targets of one place share are made for the first. */
export class ImageWriter {
  readonly #making: Making;
  readonly #created: string;
  readonly #layers = new Map<LayerRecipe, Promise<WrittenLayer>>();

  constructor(making: Making) {
    this.#making = making;
    this.#created = new Date(making.time * 1000).toISOString().replace('.000Z', 'Z');
  }

  /** Writes an index of images, and publishes it under the names of the target. */
  async write(
    images: readonly ImageRecipe[],
    annotations: Readonly<Record<string, string>>,
    target: Target,
  ): Promise<Descriptor> {
    const { signal } = this.#making;
    const manifests: JsonObject[] = [];
    for (const image of images) {
      const { json } = await this.#manifest(image, target);
      manifests.push({ ...json, platform: image.platform });
    }
    const index = documentOf(mediaTypes.ociIndex, { manifests, annotations });
    await target.publish(index, signal);
    return index.descriptor;
  }

  async #manifest(image: ImageRecipe, target: Target): Promise<Descriptor> {
    const { signal } = this.#making;
    const layers = await Promise.all(image.layers.map((layer) => this.#layer(layer, target)));
    const config = this.#config(image, layers);
    const described = descriptorOfBytes(mediaTypes.ociConfig, config);
    await target.put(config, described, signal);
    const manifest = documentOf(mediaTypes.ociManifest, {
      config: described.json,
      layers: layers.map(({ blob }) => blob.json),
      annotations: image.annotations,
    });
    await target.putManifest(manifest, signal);
    return manifest.descriptor;
  }

  #config({ platform, layers, run, annotations }: ImageRecipe, written: readonly WrittenLayer[]): Uint8Array {
    const created = this.#created;
    return encodeJson({
      created,
      ...platform,
      config: { ...run, Labels: annotations },
      rootfs: { type: 'layers', diff_ids: written.map(({ diffId }) => diffId) },
      history: layers.map(({ what }) => ({ created, created_by: `ocislim: ${what}` })),
    });
  }

  #layer(recipe: LayerRecipe, target: Target): Promise<WrittenLayer> {
    const known = this.#layers.get(recipe);
    if (known !== undefined) return known;
    const made = this.#write(recipe, target);
    this.#layers.set(recipe, made);
    return made;
  }

  async #write({ files, time }: LayerRecipe, target: Target): Promise<WrittenLayer> {
    const { pool, level, signal } = this.#making;
    const entries = entriesOf(files, time ?? this.#making.time);
    const seals: { tar: () => Seal; blob: () => Seal }[] = [];
    // A target that loses an upload asks for the bytes again: the last ones count.
    const produce = () => {
      const tar = sealing(writeTar(entries));
      const blob = sealing(encode(tar.stream, encodingWith('gzip', { level }), { pool, signal }));
      seals.push({ tar: tar.seal, blob: blob.seal });
      return blob;
    };
    const staged = await target.stage(produce, signal);
    const last = seals.at(-1);
    if (last === undefined) throw new Error('the target has not asked for the layer');
    const { digest, size } = last.blob();
    await staged.commit(digest, size, signal);
    const mediaType = layerMediaType('oci', 'gzip') as string;
    return { blob: makeDescriptor(mediaType, digest, size), diffId: last.tar().digest };
  }
}

/** Makes a manifest or an index of its members. */
function documentOf(mediaType: string, members: JsonObject): RawManifest {
  const bytes = encodeJson({ schemaVersion: 2, mediaType, ...members });
  return { descriptor: descriptorOfBytes(mediaType, bytes), bytes };
}
