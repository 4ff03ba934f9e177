/**
 * Opens the layers that are made of files of this machine, for trials, estimates and the writer. A second reading gives the same bytes
 * or an error, since the digest of the first one is remembered.
 */
import { type Adding, openAddition } from '../../build/index.ts';
import { OcislimError } from '../../errors.ts';
import type { Listener, ProgressEvent } from '../../events.ts';
import type { Limits } from '../../limits.ts';
import type { Digest } from '../../oci/digest.ts';
import type { AddedContent } from '../../slim/resolve/resolve.ts';
import { type Seal, type Sealing, sealing } from '../../stream/seal.ts';

/** What one reading has beside the layer. */
interface Reading extends Pick<Adding, 'signal'> {
  /** Receives counts of bytes that have been read. Default: no count. */
  readonly onBytes?: Adding['onBytes'];
}

/** Opens the new layers of one run. */
export class AddedLayers {
  readonly #limits: Limits;
  readonly #listener: Listener;
  /** The DiffID of each layer that has been read, by what is to be read. */
  readonly #known = new Map<string, Digest>();
  /** Warnings that have been told: every reading finds them again. */
  readonly #told = new Set<string>();

  constructor({ limits, listener }: { readonly limits: Limits; readonly listener: Listener }) {
    this.#limits = limits;
    this.#listener = listener;
  }

  /** Opens the tar of a layer from its start. Its seal throws IO where an earlier reading gave other bytes. */
  open({ addition, placement }: AddedContent, { signal, onBytes = () => {} }: Reading): Sealing {
    const listener: Listener = (event) => this.#tell(event);
    const adding = { signal, onBytes, limits: this.#limits, listener };
    const { stream, seal } = sealing(openAddition(addition, placement, adding));
    const key = JSON.stringify([addition, placement]);
    return {
      stream,
      seal: () => {
        const found = seal();
        const known = this.#known.get(key) ?? found.digest;
        this.#known.set(key, found.digest);
        if (known === found.digest) return found;
        throw new OcislimError(
          'IO',
          `the files of ${JSON.stringify(addition.path)} have changed since they were read first`,
          { advice: 'Run it again when nothing writes there.' },
        );
      },
    };
  }

  /** Reads a layer to its end, and returns digest and size of its tar. */
  async seal(content: AddedContent, signal: AbortSignal): Promise<Seal> {
    const { stream, seal } = this.open(content, { signal });
    for await (const _ of stream);
    return seal();
  }

  #tell(event: ProgressEvent): void {
    if (event.type === 'warning') {
      if (this.#told.has(event.message)) return;
      this.#told.add(event.message);
    }
    this.#listener(event);
  }
}
