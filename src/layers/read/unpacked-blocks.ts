import type { Block, BlockSource } from '../../codec/block.ts';
import type { Unpacking } from '../../codec/unpack/unpacking.ts';
import type { Digest } from '../../oci/digest.ts';
import { Mistyped } from './packed-format.ts';

/** What `UnpackedBlocks` needs of its layer. */
export interface UnpackedLayer {
  /** Opens the layer in a thread. Called once, at the first block. */
  readonly open: () => Promise<Unpacking>;
  /** Receives counts of unpacked bytes. @throws LIMIT, which ends the layer */
  readonly onUnpacked: (count: number) => void;
  /** Compares the digest of the tar with the DiffID. @throws DIFFID_MISMATCH */
  readonly check: (digest: Digest) => void;
  /** Puts the place of the layer before the message of an error. */
  readonly locate: (error: unknown) => unknown;
}

/** Gives out a layer in blocks while a thread unpacks it. The layer reader makes one for each large layer. */
export class UnpackedBlocks implements BlockSource {
  readonly #layer: UnpackedLayer;
  #unpacking: Promise<Unpacking> | null = null;

  constructor(layer: UnpackedLayer) {
    this.#layer = layer;
  }

  async next(memory: SharedArrayBuffer): Promise<Block> {
    const opened = (this.#unpacking ??= this.#layer.open());
    try {
      const unpacking = await opened;
      const block = await unpacking.next(memory);
      this.#layer.onUnpacked(block.bytes.length);
      if (block.last) this.#layer.check(unpacking.digest());
      return block;
    } catch (error) {
      if (!(error instanceof Mistyped)) throw this.#layer.locate(error);
      // Of several blocks that were asked for, the first opens the layer again; it now has the right format.
      if (this.#unpacking === opened) this.#unpacking = this.#reopen(opened);
      return this.next(memory);
    }
  }

  async #reopen(opened: Promise<Unpacking>): Promise<Unpacking> {
    await (await opened).close();
    return this.#layer.open();
  }

  /** Stops the thread. A layer that failed to open has none. */
  async close(): Promise<void> {
    const unpacking = await this.#unpacking?.catch(() => null);
    await unpacking?.close();
  }
}
