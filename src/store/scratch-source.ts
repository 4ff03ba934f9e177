/**
 * The image without layers as a place to read from. Builds without a base begin with it; its documents are made here, and have no
 * existence elsewhere.
 */
import { Closeable } from '../closeable.ts';
import { OcislimError } from '../errors.ts';
import { type Descriptor, descriptorOfBytes } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import { encodeJson, type JsonObject } from '../oci/json.ts';
import { mediaTypes } from '../oci/media-type.ts';
import type { Platform } from '../oci/platform.ts';
import type { RawManifest, Source } from '../place/place.ts';
import type { ByteStream } from '../stream/byte-stream.ts';

/** Gives an image without layers, or an index of one for each platform. */
export class ScratchSource extends Closeable implements Source {
  readonly label: string;
  readonly mountable = null;
  readonly unpacksLayers = false;
  readonly #root: RawManifest;
  readonly #manifests = new Map<Digest, RawManifest>();
  readonly #configs = new Map<Digest, Uint8Array>();

  /** `platforms`: at least one. */
  constructor(label: string, platforms: readonly Platform[]) {
    super();
    this.label = label;
    const images = platforms.map((platform) => this.#image(platform));
    const [only, ...others] = images;
    if (only !== undefined && others.length === 0) this.#root = only.manifest;
    else {
      const rows = images.map(({ manifest, row }) => ({ ...manifest.descriptor.json, platform: row }));
      this.#root = documentOf(mediaTypes.ociIndex, { manifests: rows });
    }
    this.#manifests.set(this.#root.descriptor.digest, this.#root);
  }

  #image({ os, architecture, variant, osVersion }: Platform) {
    const row = {
      architecture,
      os,
      ...(variant === undefined ? {} : { variant }),
      ...(osVersion === undefined ? {} : { 'os.version': osVersion }),
    };
    const bytes = encodeJson({
      created: beginning,
      ...row,
      config: {},
      rootfs: { type: 'layers', diff_ids: [] },
      history: [],
    });
    const config = descriptorOfBytes(mediaTypes.ociConfig, bytes);
    this.#configs.set(config.digest, bytes);
    const manifest = documentOf(mediaTypes.ociManifest, { config: config.json, layers: [] });
    this.#manifests.set(manifest.descriptor.digest, manifest);
    return { manifest, row };
  }

  async root(): Promise<RawManifest> {
    return this.#root;
  }

  async head(): Promise<Descriptor> {
    return this.#root.descriptor;
  }

  async manifest({ digest }: Descriptor): Promise<RawManifest> {
    const found = this.#manifests.get(digest);
    if (found === undefined) throw absent(`manifest ${digest}`);
    return found;
  }

  async *blob({ digest }: Descriptor): ByteStream {
    const found = this.#configs.get(digest);
    if (found === undefined) throw absent(`blob ${digest}`);
    yield found;
  }

  async names(): Promise<readonly string[]> {
    return [];
  }

  async referrers(): Promise<readonly Descriptor[]> {
    return [];
  }

  async close(): Promise<void> {}
}

/** The time of what is built without a time of its own: SOURCE_DATE_EPOCH and options set another. */
const beginning = '1970-01-01T00:00:00Z';

function documentOf(mediaType: string, members: JsonObject): RawManifest {
  const bytes = encodeJson({ schemaVersion: 2, mediaType, ...members });
  return { descriptor: descriptorOfBytes(mediaType, bytes), bytes };
}

function absent(what: string): OcislimError {
  return new OcislimError('NOT_FOUND', `the image without layers has no ${what}`);
}
