/**
 * The production of new blobs: a tar is packed on its way to the target, unless an earlier run has made the same blob.
 * The layer writer says what to produce; here it is not known what a layer is.
 */
import type { PackedEncoding } from '../../codec/encoding.ts';
import { at } from '../../errors.ts';
import { type Task, task, type TaskPhase } from '../../events.ts';
import { makeDescriptor } from '../../oci/descriptor.ts';
import type { StagedBlob } from '../../place/place.ts';
import { type Seal, type Sealing, sealedAs, tally } from '../../stream/seal.ts';
import type { LayerInput, Packing } from './layer-input.ts';
import { LocalCopy } from './local-copy.ts';
import { formatSize } from '../../units.ts';
import type { Writing } from './writing.ts';

/** One blob to produce. */
export interface Production {
  /** The name for progress and errors: "layer 3". */
  readonly label: string;
  readonly phase: TaskPhase;
  /** Compressed source bytes to read; null where that shows at the end. */
  readonly total: number | null;
  /** Opens the tar from the start, on every call, or what is packed already. `onBytes` counts compressed source bytes. */
  readonly open: (onBytes: (count: number) => void) => LayerInput | PackedInput;
  readonly encoding: PackedEncoding;
  /** Tells whether to keep the blob. If not, it is discarded after it has been packed. */
  readonly isWanted: (packed: Packed) => boolean;
  /** Returns whether a later run may take the result from the cache. Asked after the tar has been read. */
  readonly isRepeatable: () => boolean;
  /** Everything that determines the bytes of the blob, as text: the key in the cache. */
  readonly recipe: string;
  readonly signal: AbortSignal;
}

/** The bytes of a blob that something else packs. */
export interface PackedInput {
  readonly kind: 'packed';
  readonly packing: Packing;
}

/** Digests and sizes of a tar and of its blob. */
export interface Packed {
  readonly plain: Seal;
  readonly compressed: Seal;
}

/** What a production led to. `recalled`: an earlier run had made the blob. `rejected`: the blob was not wanted. */
export type Produced =
  | (Packed & { readonly kind: 'made' })
  | (Packed & { readonly kind: 'recalled'; readonly from: 'target' | 'cache' })
  | { readonly kind: 'rejected'; readonly plain: Seal };

/** Produces blobs into the target of a run. */
export class Producer {
  readonly #writing: Writing;
  #tasks = 0;
  #reused = 0;

  constructor(writing: Writing) {
    this.#writing = writing;
  }

  /** Bytes of blobs that came from the cache. */
  get reused(): number {
    return this.#reused;
  }

  /**
   * Makes a blob, unless an earlier run has made it and the target or the cache still has it.
   * @throws what the tar throws, and what places and encoders throw with the label before it
   */
  async produce(work: Production): Promise<Produced> {
    return (await this.recall(work)) ?? (await this.make(work));
  }

  /** Brings a blob to the target that an earlier run has made; null without one. */
  async recall(work: Production): Promise<Produced | null> {
    const known = (await this.#writing.cache?.recipes.recall(work.recipe, work.signal)) ?? null;
    if (known !== null) {
      const plain = { digest: known.diffId, size: known.tarBytes };
      const packed = { plain, compressed: { digest: known.digest, size: known.size } };
      if (!work.isWanted(packed)) return { kind: 'rejected', plain };
      const from = await this.#send(work, packed.compressed);
      if (from !== null) return { kind: 'recalled', from, ...packed };
    }
    return null;
  }

  /** Sends a blob that was made before to the target. Returns where it was found, or null. */
  async #send(work: Production, blob: Seal): Promise<'target' | 'cache' | null> {
    const { target, cache } = this.#writing;
    const { digest, size } = blob;
    if (await target.has(makeDescriptor('', digest, size), work.signal)) {
      using checking = this.#start(work, size);
      checking.end('already there');
      return 'target';
    }
    const copy = (await cache?.read(blob, work.signal)) ?? null;
    if (copy === null) return null;
    try {
      using sending = this.#start(work, size);
      const onBytes = (count: number) => {
        this.#reused += count;
        sending.advance(count);
      };
      const produce = () => {
        sending.restart();
        return sealedAs(tally(copy.read(), onBytes), blob);
      };
      const staged = await target.stage(produce, work.signal);
      try {
        await staged.commit(digest, size, work.signal);
      } catch (error) {
        await staged.abort();
        throw error;
      }
      sending.end('from the cache');
      return 'cache';
    } catch (error) {
      throw at(work.label, error);
    } finally {
      await copy.close();
    }
  }

  /** Makes a blob in one pass: tar → seal (DiffID) → encode → seal (digest) → target. @throws as `produce` */
  async make(work: Production): Promise<Produced> {
    const { target, pool, cache } = this.#writing;
    // Encoders are loaded here, since a run that only copies needs none.
    const { pack } = await import('./layer-input.ts');
    await using copy = cache === null ? null : new LocalCopy(cache);
    using making = this.#start(work, work.total);
    const attempt: { packing: Packing | null } = { packing: null };
    const produce = (): Sealing => {
      making.restart();
      const input = work.open(making.advance);
      const packing =
        input.kind === 'packed' ? input.packing : pack(input, work.encoding, { signal: work.signal, pool });
      attempt.packing = packing;
      const stream = copy === null ? packing.stream : copy.through(packing.stream);
      return { stream, seal: () => packing.seals().compressed };
    };
    try {
      const staged = await target.stage(produce, work.signal);
      return await this.#finish(work, { packing: attempt.packing, staged, copy, making });
    } catch (error) {
      // Errors of the reader already name their layer; only those of encoder and target get the label.
      throw attempt.packing?.isOfInput(error) === true ? error : at(work.label, error);
    }
  }

  /** Commits a blob that is wanted and discards another; remembers what its recipe made in both cases. */
  async #finish(work: Production, { packing, staged, copy, making }: Staging): Promise<Produced> {
    if (packing === null) throw new Error('the target staged a blob without asking for its bytes');
    try {
      const { plain, compressed } = packing.seals();
      const isWanted = work.isWanted({ plain, compressed });
      if (isWanted) await copy?.keep(compressed);
      const made = { ...compressed, diffId: plain.digest, tarBytes: plain.size };
      if (work.isRepeatable()) await this.#writing.cache?.recipes.remember(work.recipe, made);
      if (isWanted) {
        await staged.commit(compressed.digest, compressed.size, work.signal);
        making.end(`${formatSize(work.total ?? plain.size)} → ${formatSize(compressed.size)}`);
        return { kind: 'made', plain, compressed };
      }
      await staged.abort();
      making.end('not smaller: the layer keeps its blob');
      return { kind: 'rejected', plain };
    } catch (error) {
      await staged.abort();
      throw error;
    }
  }

  #start({ label, phase }: Production, total: number | null): Task {
    return task(this.#writing.listener, { id: `${phase} ${label} ${this.#tasks++}`, phase, label, total });
  }
}

/** A new blob whose bytes have all been taken in. */
interface Staging {
  readonly packing: Packing | null;
  readonly staged: StagedBlob;
  readonly copy: LocalCopy | null;
  readonly making: Task;
}
