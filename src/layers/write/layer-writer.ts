/**
 * Writes the layers of new images to the target of a run. The interpreter (`jobs/rewrite`) asks for one layer at a time;
 * the writer decides whether the layer is dropped, adopted, packed again or written from an edit.
 */
import { type PackedEncoding, usualEncoding } from '../../codec/encoding.ts';
import { type Encoding, type Image, type Layer, layerOf, type Repacking } from '../../image/image.ts';
import type { Digest } from '../../oci/digest.ts';
import { layerKind } from '../../oci/media-type.ts';
import type { AddedContent, ResolvedContent } from '../../slim/resolve/resolve.ts';
import { adoptLayer } from './adopt-layer.ts';
import { type EditedContent, labelOf, packedBytes, rangeLabelOf, sourcesOf } from './content-sources.ts';
import { chooseEncoding, savesEnough } from './encoding-choice.ts';
import { hashed, openerOf } from './edited-tar.ts';
import { type Produced, Producer, type Production } from './production.ts';
import { packerOf, recipeOf } from './recipe.ts';
import type { NewBlob, RecalledLayer, RepackedLayer, SealedLayer } from './sealed-layer.ts';
import type { SplitPart } from './split-layers.ts';
import type { Writing } from './writing.ts';

/** One layer to write, with all that was decided about it. */
interface Order {
  readonly image: Image;
  readonly content: ResolvedContent;
  readonly encoding: Encoding;
  /** The recipe of the tar. */
  readonly recipe: string;
}

/** Writes layers to the target of a run. A layer that several images share is written once. */
export class LayerWriter {
  readonly #writing: Writing;
  readonly #producer: Producer;
  /** Layers by recipe and encoding, also those that are still being written. */
  readonly #written = new Map<string, Promise<SealedLayer>>();
  /** The order of each written blob, for `again`. */
  readonly #orders = new Map<Digest, Order>();

  constructor(writing: Writing) {
    this.#writing = writing;
    this.#producer = new Producer(writing);
  }

  /** Bytes of layers made by an earlier run that came from the cache. */
  get reused(): number {
    return this.#producer.reused;
  }

  /** Writes a layer, or returns the result of an equal one. @throws what reading, packing and the target throw */
  write(image: Image, layer: Layer, content: ResolvedContent, signal: AbortSignal): Promise<SealedLayer> {
    const encoding = chooseEncoding(this.#writing.target, image, layer, content);
    const order = { image, content, encoding, recipe: recipeOf(image, content) };
    const key = `${order.recipe} ${JSON.stringify(encoding)}`;
    const known = this.#written.get(key);
    if (known !== undefined) return known;
    const work = this.#writeFirst(order, signal);
    this.#written.set(key, work);
    return work;
  }

  /**
   * Writes the layers that a range of source layers is laid out as, in one reading of these, with the bytes that each would have by
   * itself. @throws as `write`
   */
  async writeParts(
    image: Image,
    parts: readonly { readonly layer: Layer; readonly content: EditedContent }[],
    signal: AbortSignal,
  ): Promise<readonly SealedLayer[]> {
    const sealed = new Map<number, SealedLayer>();
    const rest: SplitPart[] = [];
    for (const [i, { layer, content }] of parts.entries()) {
      const chosen = chooseEncoding(this.#writing.target, image, layer, content);
      const encoding = chosen.kind === 'keep' ? usualEncoding('none') : chosen;
      const order = { image, content, encoding: chosen, recipe: recipeOf(image, content) };
      const production = await this.#productionOf(order, content, encoding, signal);
      const note = (produced: Produced): void => {
        const layer = rewrittenLayer(produced, encoding);
        sealed.set(i, layer);
        if (layer.kind !== 'dropped') this.#orders.set(layer.blob.digest, order);
      };
      const recalled = await this.#producer.recall(production);
      if (recalled !== null) {
        note(recalled);
        continue;
      }
      rest.push({
        content,
        encoding,
        send: async (packing, inner) =>
          note(
            await this.#producer.make({
              ...production,
              total: null,
              open: () => ({ kind: 'packed', packing: packing() }),
              signal: inner,
            }),
          ),
        alone: async (inner) => note(await this.#producer.make({ ...production, signal: inner })),
      });
    }
    if (rest.length > 0) {
      const { writeSplit } = await import('./split-layers.ts');
      const label = rangeLabelOf(parts.map(({ content }) => content));
      await writeSplit(this.#writing, { image, parts: rest, label, signal });
    }
    return parts.map((_, i) => sealed.get(i) as SealedLayer);
  }

  /**
   * Writes layers once more, after the target has lost them. The bytes are the same, since encoders are deterministic.
   * Returns false where this writer has not written one of them.
   */
  async again(digests: readonly Digest[], signal: AbortSignal): Promise<boolean> {
    const orders = digests.map((digest) => this.#orders.get(digest));
    for (const order of orders) if (order !== undefined) await this.#dispatch(order, signal);
    return !orders.includes(undefined);
  }

  async #writeFirst(order: Order, signal: AbortSignal): Promise<SealedLayer> {
    const sealed = await this.#dispatch(order, signal);
    if (sealed.kind !== 'dropped') this.#orders.set(sealed.blob.digest, order);
    return sealed;
  }

  /** Chooses how to bring a layer to the target. Only a changed layer may be dropped: an unchanged empty one is adopted. */
  async #dispatch(order: Order, signal: AbortSignal): Promise<SealedLayer> {
    const { image, content, encoding } = order;
    if (content.kind === 'stored') {
      return encoding.kind === 'keep'
        ? adoptLayer(this.#writing, image, content.layer, signal)
        : this.#repack(order, content.layer, encoding, signal);
    }
    if (content.kind === 'added') return this.#add(content, encoding, signal);
    if (content.isEmpty && (content.kind === 'restored' || image.plan.dropEmpty)) return { kind: 'dropped' };
    return this.#rewrite(order, content, encoding.kind === 'keep' ? usualEncoding('none') : encoding, signal);
  }

  /** Packs a source layer again. The tar, and so the DiffID, stays as it is. */
  async #repack(
    { image, recipe }: Order,
    number: number,
    encoding: Repacking,
    signal: AbortSignal,
  ): Promise<SealedLayer> {
    const { reader, target, listener } = this.#writing;
    const { descriptor, diffId } = layerOf(image, number);
    const adopt = () => adoptLayer(this.#writing, image, number, signal);
    const kind = layerKind(descriptor.mediaType);
    if (kind.kind !== 'layer') {
      const message = `layer ${number} stays as it is: ocislim cannot read ${descriptor.mediaType}`;
      listener({ type: 'warning', code: 'LAYER_SKIPPED', message });
      return adopt();
    }
    // Unpacking a plain tar would only copy it.
    if (encoding.kind === 'none' && kind.compression === 'none') return adopt();
    const { minSavings } = encoding;
    const isSmaller = (after: number) => {
      const isSameFormat = reader.formatOf(descriptor) === encoding.kind;
      return savesEnough({ before: descriptor.size, after, minSavings, isSameFormat });
    };
    const produced = await this.#producer.produce({
      label: `layer ${number}`,
      phase: 'recompress',
      total: descriptor.size,
      open: (onBytes) =>
        encoding.kind === 'none'
          ? hashed(reader.tar(image, number, signal, { onBytes }))
          : { kind: 'blocks', ...reader.blocks(image, number, signal, onBytes) },
      encoding,
      isWanted: ({ compressed }) => target.layerFormat === 'plain' || isSmaller(compressed.size),
      isRepeatable: () => !reader.isMistyped(descriptor),
      recipe: `${recipe} ${packerOf(encoding)}`,
      signal,
    });
    if (produced.kind === 'rejected')
      return { ...(await adopt()), rejected: { tarBytes: produced.plain.size } };
    return newLayer(produced, { change: 'recompressed', diffId, tarBytes: produced.plain.size, encoding });
  }

  /** Writes what an edit leaves of source layers. */
  async #rewrite(
    order: Order,
    content: EditedContent,
    encoding: PackedEncoding,
    signal: AbortSignal,
  ): Promise<SealedLayer> {
    const production = await this.#productionOf(order, content, encoding, signal);
    return rewrittenLayer(await this.#producer.produce(production), encoding);
  }

  /** Says how the blob of an edited layer is made. */
  async #productionOf(
    { image, recipe }: Pick<Order, 'image' | 'recipe'>,
    content: EditedContent,
    encoding: PackedEncoding,
    signal: AbortSignal,
  ): Promise<Production> {
    return {
      label: labelOf(content),
      phase: 'rewrite',
      total: packedBytes(image, sourcesOf(content)),
      open: await openerOf(this.#writing, { image, content, encoding, signal }),
      encoding,
      isWanted: () => true,
      isRepeatable: () => true,
      recipe: `${recipe} ${packerOf(encoding)}`,
      signal,
    };
  }

  /** Writes a layer of files of this machine. With a cache these are read before, to see whether a run has made the layer already. */
  async #add(content: AddedContent, encoding: Encoding, signal: AbortSignal): Promise<SealedLayer> {
    const { reader, cache } = this.#writing;
    if (encoding.kind === 'keep') throw new Error('a new layer has no packing to keep');
    const diffId = cache === null ? '' : (await reader.added.seal(content, signal)).digest;
    const produced = await this.#producer.produce({
      label: labelOf(content),
      phase: 'rewrite',
      total: null,
      open: (onBytes) => ({ kind: 'stream', ...reader.added.open(content, { signal, onBytes }) }),
      encoding,
      isWanted: () => true,
      isRepeatable: () => true,
      recipe: `added ${diffId} ${packerOf(encoding)}`,
      signal,
    });
    return rewrittenLayer(produced, encoding);
  }
}

function rewrittenLayer(produced: Produced, encoding: PackedEncoding): SealedLayer {
  if (produced.kind === 'rejected') throw new Error('a rewritten layer is wanted at any size');
  const { digest: diffId, size: tarBytes } = produced.plain;
  return newLayer(produced, { change: 'rewritten', diffId, tarBytes, encoding });
}

/** Joins how a blob was produced with what is known of its layer. */
function newLayer(
  produced: Exclude<Produced, { kind: 'rejected' }>,
  facts: Omit<NewBlob, 'blob'>,
): RepackedLayer | RecalledLayer {
  const blob = produced.compressed;
  return produced.kind === 'made'
    ? { kind: 'repacked', blob, ...facts }
    : { kind: 'recalled', from: produced.from, blob, ...facts };
}
