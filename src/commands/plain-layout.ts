/**
 * A layout that stands for a `docker load` archive while a check looks at the result. `verify-with.ts` writes to it.
 */
import { Closeable } from '../closeable.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import type { Packing } from '../oci/packing-notes.ts';
import type { Adoption, Produce, RawManifest, Source, StagedBlob, Target } from '../place/place.ts';

/**
 * A layout that takes what a place for plain layers takes (`docker load`): one image, with its layers uncompressed. Checks look at a result in it
 * that goes to such a place.
 */
export class PlainLayout extends Closeable implements Target {
  readonly #layout: Target;
  readonly layerFormat = 'plain';

  constructor(layout: Target) {
    super();
    this.#layout = layout;
  }

  get label(): string {
    return this.#layout.label;
  }

  get mountable(): Target['mountable'] {
    return this.#layout.mountable;
  }

  get family(): Target['family'] {
    return this.#layout.family;
  }

  has(descriptor: Descriptor, signal: AbortSignal): Promise<boolean> {
    return this.#layout.has(descriptor, signal);
  }

  adopt(
    descriptor: Descriptor,
    source: Source,
    signal: AbortSignal,
    onBytes?: (count: number) => void,
  ): Promise<Adoption> {
    return this.#layout.adopt(descriptor, source, signal, onBytes);
  }

  stage(produce: Produce, signal: AbortSignal): Promise<StagedBlob> {
    return this.#layout.stage(produce, signal);
  }

  put(bytes: Uint8Array, descriptor: Descriptor, signal: AbortSignal): Promise<void> {
    return this.#layout.put(bytes, descriptor, signal);
  }

  putManifest(manifest: RawManifest, signal: AbortSignal): Promise<void> {
    return this.#layout.putManifest(manifest, signal);
  }

  attach(artifact: RawManifest, signal: AbortSignal, tag?: string): Promise<boolean> {
    return this.#layout.attach(artifact, signal, tag);
  }

  publish(root: RawManifest, signal: AbortSignal, packing?: Packing): Promise<void> {
    return this.#layout.publish(root, signal, packing);
  }

  nameOf(digest: Digest): string {
    return this.#layout.nameOf(digest);
  }

  /** Does nothing: the layout belongs to its opener. */
  close(): Promise<void> {
    return Promise.resolve();
  }
}
