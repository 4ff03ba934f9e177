import { createHash } from 'node:crypto';
import { describeEncoder } from '../../codec/describe-encoder.ts';
import { type PackedEncoding, usualEncoding } from '../../codec/encoding.ts';
import type { EncoderPool } from '../../codec/encoder-pool.ts';
import { at } from '../../errors.ts';
import type { Listener, TaskPhase } from '../../events.ts';
import {
  decidedEncodingOf,
  type Encoding,
  type Image,
  type Layer,
  layerOf,
  type MinSavings,
  topOf,
} from '../../image/image.ts';
import { type Descriptor, makeDescriptor } from '../../oci/descriptor.ts';
import { type Digest, digestOf } from '../../oci/digest.ts';
import { type Compression, layerKind } from '../../oci/media-type.ts';
import type { ResolvedContent } from '../../slim/resolve/resolve.ts';
import type { BlobCache, BlobWriter } from '../../store/cache/blob-cache.ts';
import type { Adoption, Source, Target } from '../../place/place.ts';
import type { ByteStream } from '../../stream/byte-stream.ts';
import { type Seal, sealedAs, type Sealing, sealing, tally } from '../../stream/seal.ts';
import { labelOf, packedBytes, sourcesOf } from './content-sources.ts';
import type { LayerInput, Packing } from './layer-input.ts';
import type { LayerReader } from '../read/layer-reader.ts';
import type { SpoolRoom } from '../edit/spool.ts';

/** How a layer of the new image came to be. `dropped`: nothing was left in it. */
export type LayerAction = Adoption | 'rewritten' | 'recompressed' | 'not-smaller' | 'dropped';

/** A layer at the target. Only the writer makes one: its digest is known because its bytes have been written. */
export interface SealedLayer {
  readonly action: LayerAction;
  readonly digest: Digest;
  readonly size: number;
  readonly compression: Compression | null;
  readonly diffId: Digest;
  /** Bytes of the tar, where it has been unpacked. */
  readonly tarBytes: number | null;
  readonly encoder: PackedEncoding | null;
  /**
   * How an unchanged blob got there: what `not-smaller` layers need besides. `present` also for a new layer that an
   * earlier run had made and sent.
   */
  readonly adoption: Adoption | null;
}

/** One pass over a layer. */
interface Passing {
  readonly label: string;
  readonly phase: TaskPhase;
  /** Compressed source bytes to come. */
  readonly total: number;
  readonly open: (onBytes: (count: number) => void) => LayerInput;
  readonly encoding: PackedEncoding;
  readonly isWanted: (packed: Packed) => boolean;
  /** All that decides about the bytes. */
  readonly recipe: string;
  readonly signal: AbortSignal;
}

interface Packed {
  readonly compressed: Seal;
  readonly plain: Seal;
}

interface Produced extends Packed {
  readonly adoption: 'present' | null;
}

/** Brings layers to the target. What several images of a run have in common is done once. */
export class LayerWriter {
  readonly #source: Source;
  readonly #target: Target;
  readonly #reader: LayerReader;
  readonly #pool: EncoderPool;
  readonly #listener: Listener;
  readonly #cache: BlobCache | null;
  readonly #room: SpoolRoom;
  #reused = 0;
  readonly #done = new Map<string, Promise<SealedLayer>>();
  readonly #makers = new Map<Digest, (signal: AbortSignal) => Promise<SealedLayer>>();

  constructor(
    source: Source,
    target: Target,
    reader: LayerReader,
    pool: EncoderPool,
    listener: Listener,
    cache: BlobCache | null,
    room: SpoolRoom,
  ) {
    this.#source = source;
    this.#target = target;
    this.#reader = reader;
    this.#pool = pool;
    this.#listener = listener;
    this.#cache = cache;
    this.#room = room;
  }

  /** Bytes of layers made by an earlier run that came from the cache. */
  get reused(): number {
    return this.#reused;
  }

  write(image: Image, layer: Layer, content: ResolvedContent, signal: AbortSignal): Promise<SealedLayer> {
    const encoding = this.#encodingFor(image, layer, content);
    const recipe = recipeOf(image, content);
    const key = `${recipe} ${JSON.stringify(encoding)}`;
    let work = this.#done.get(key);
    if (work === undefined) {
      const make = (inner: AbortSignal): Promise<SealedLayer> =>
        this.#make(image, content, encoding, recipe, inner);
      work = make(signal).then((sealed) => {
        this.#makers.set(sealed.digest, make);
        return sealed;
      });
      this.#done.set(key, work);
    }
    return work;
  }

  /**
   * Makes layers again that the target had and has lost: the same bytes, since encoders are deterministic. False when
   * one of them is none of this writer's.
   */
  async again(digests: readonly Digest[], signal: AbortSignal): Promise<boolean> {
    const makers = digests.map((digest) => this.#makers.get(digest));
    for (const make of makers) await make?.(signal);
    return !makers.includes(undefined);
  }

  async #make(
    image: Image,
    content: ResolvedContent,
    encoding: Encoding,
    recipe: string,
    signal: AbortSignal,
  ): Promise<SealedLayer> {
    if (content.kind !== 'stored') {
      return content.isEmpty && (content.kind === 'restored' || image.plan.dropEmpty)
        ? dropped(digestOf(new Uint8Array()))
        : this.#edit(image, content, encoding, recipe, signal);
    }
    return encoding.kind === 'keep'
      ? this.adopt(image, content.layer, signal)
      : this.#repack(image, content.layer, encoding, recipe, signal);
  }

  /** What `keep` comes to: changed contents, and plain targets, need a real encoding. */
  #encodingFor(image: Image, layer: Layer, content: ResolvedContent): Encoding {
    const wish = decidedEncodingOf(layer);
    // What is restored to an image without layers is packed as the original is.
    const top = Math.max(topOf(layer.content), 1);
    const kind = layerKind(layerOf(image, top).descriptor.mediaType);
    // Nothing but a stored layer can be of another kind: others were refused when they were read.
    if (kind.kind !== 'layer') return this.#target.layerFormat === 'plain' ? { kind: 'keep' } : wish;
    if (this.#target.layerFormat === 'plain') {
      return content.kind === 'stored' && kind.compression === 'none'
        ? { kind: 'keep' }
        : { kind: 'none', minSavings: null };
    }
    if (wish.kind !== 'keep' || content.kind === 'stored') return wish;
    return { ...usualEncoding(kind.compression), minSavings: null };
  }

  async adopt(image: Image, number: number, signal: AbortSignal): Promise<SealedLayer> {
    const { descriptor, diffId } = layerOf(image, number);
    if (isElsewhere(descriptor)) return adopted(descriptor, diffId, 'present');
    const id = `copy ${descriptor.digest}`;
    this.#listener({
      type: 'task-start',
      id,
      phase: 'copy',
      label: `layer ${number}`,
      total: descriptor.size,
    });
    let bytes = 0;
    const onBytes = (count: number) => this.#listener({ type: 'task-progress', id, bytes: (bytes += count) });
    let adoption: Adoption;
    try {
      adoption = await this.#target.adopt(descriptor, this.#source, signal, onBytes);
    } catch (error) {
      throw at(`layer ${number}`, error);
    }
    this.#listener({ type: 'task-end', id, outcome: adoption === 'present' ? 'already there' : adoption });
    return adopted(descriptor, diffId, adoption);
  }

  async #repack(
    image: Image,
    number: number,
    encoding: Exclude<Encoding, { kind: 'keep' }>,
    recipe: string,
    signal: AbortSignal,
  ): Promise<SealedLayer> {
    const { descriptor, diffId } = layerOf(image, number);
    const kind = layerKind(descriptor.mediaType);
    if (kind.kind !== 'layer') {
      this.#listener({
        type: 'warning',
        code: 'LAYER_SKIPPED',
        message: `layer ${number} stays as it is: ocislim cannot read ${descriptor.mediaType}`,
      });
      return this.adopt(image, number, signal);
    }
    if (encoding.kind === 'none' && kind.compression === 'none') return this.adopt(image, number, signal);
    const isWorthIt = ({ compressed }: Packed) =>
      this.#target.layerFormat === 'plain' ||
      savesEnough(descriptor.size, compressed.size, encoding.minSavings, kind.compression === encoding.kind);
    const open = (onBytes: (count: number) => void): LayerInput =>
      encoding.kind === 'none'
        ? hashed(this.#reader.tar(image, number, signal, { onBytes }))
        : { kind: 'blocks', ...this.#reader.blocks(image, number, signal, onBytes) };
    const packed = await this.#produce({
      label: `layer ${number}`,
      phase: 'recompress',
      total: descriptor.size,
      open,
      encoding,
      isWanted: isWorthIt,
      recipe: `${recipe} ${packerOf(encoding)}`,
      signal,
    });
    if (!isWorthIt(packed)) {
      const adopted = await this.adopt(image, number, signal);
      return { ...adopted, action: 'not-smaller', tarBytes: packed.plain.size };
    }
    return {
      action: 'recompressed',
      ...packed.compressed,
      compression: encoding.kind,
      diffId,
      tarBytes: packed.plain.size,
      encoder: encoding,
      adoption: packed.adoption,
    };
  }

  async #edit(
    image: Image,
    content: Exclude<ResolvedContent, { kind: 'stored' }>,
    encoding: Encoding,
    recipe: string,
    signal: AbortSignal,
  ): Promise<SealedLayer> {
    const { edit } = content;
    const packing = encoding.kind === 'keep' ? usualEncoding('none') : encoding;
    // Loaded where layers are made: a copy makes none.
    const { editTar } = await import('../edit/edit-tar.ts');
    const total = packedBytes(image, sourcesOf(content));
    const label = labelOf(content);
    const spooling = {
      open: (wanted: number) => this.#room.open(wanted, signal),
      onReadings: (readings: number, wanted: number, room: number) =>
        this.#listener({
          type: 'warning',
          code: 'SCRATCH_SHORT',
          message: `${label}: read ${readings} times to put ${megabytes(wanted)} in order, since there is room for ${megabytes(room)} (--max-scratch)`,
        }),
    };
    // Encoders copy what they get into their blocks at once; a spool does not.
    const lent = packing.kind !== 'none' && edit.order === null;
    const open = (onBytes: (count: number) => void) =>
      hashed(editTar(edit, (layer) => this.#reader.tar(image, layer, signal, { onBytes, lent }), spooling));
    const packed = await this.#produce({
      label,
      phase: 'rewrite',
      total,
      open,
      encoding: packing,
      isWanted: () => true,
      recipe: `${recipe} ${packerOf(packing)}`,
      signal,
    });
    return {
      action: 'rewritten',
      ...packed.compressed,
      compression: packing.kind,
      diffId: packed.plain.digest,
      tarBytes: packed.plain.size,
      encoder: packing,
      adoption: packed.adoption,
    };
  }

  /** Makes a layer, unless an earlier run has made it and it is at the target or in the cache. */
  async #produce(work: Passing): Promise<Produced> {
    const known = (await this.#cache?.recipes.recall(work.recipe, work.signal)) ?? null;
    if (known !== null) {
      const packed = {
        compressed: { digest: known.digest, size: known.size },
        plain: { digest: known.diffId, size: known.tarBytes },
      };
      if (!work.isWanted(packed)) return { ...packed, adoption: null };
      const sent = await this.#reuse(work, packed.compressed);
      if (sent !== null) return { ...packed, adoption: sent === 'present' ? 'present' : null };
    }
    return { ...(await this.#stage(work)), adoption: null };
  }

  /** Brings a layer that was made before to the target; null where nobody has it any more. */
  async #reuse({ label, phase, signal }: Passing, blob: Seal): Promise<'present' | 'sent' | null> {
    const id = `${phase} ${label} ${String(this.#tasks++)}`;
    const { digest, size } = blob;
    const isThere = await this.#target.has(makeDescriptor('', digest, size), signal);
    const copy = isThere ? null : ((await this.#cache?.read(blob, signal)) ?? null);
    if (!isThere && copy === null) return null;
    this.#listener({ type: 'task-start', id, phase, label, total: size });
    try {
      if (copy !== null) {
        const produce = () => {
          let bytes = 0;
          const onBytes = (count: number) => {
            this.#reused += count;
            this.#listener({ type: 'task-progress', id, bytes: (bytes += count) });
          };
          return sealedAs(tally(copy.read(), onBytes), blob);
        };
        const staged = await this.#target.stage(produce, signal);
        await staged.commit(digest, size, signal).catch(async (error: unknown) => {
          await staged.abort();
          throw error;
        });
      }
      this.#listener({ type: 'task-end', id, outcome: isThere ? 'already there' : 'from the cache' });
      return isThere ? 'present' : 'sent';
    } catch (error) {
      throw at(label, error);
    } finally {
      await copy?.close();
    }
  }

  /** One pass: tar → seal (DiffID) → encode → seal (digest) → target. A result that is not wanted is thrown away there. */
  async #stage(work: Passing): Promise<Packed> {
    // Sent from there if this run should fail.
    const copy = this.#cache === null ? null : new LocalCopy(this.#cache);
    try {
      return await this.#pass(work, copy);
    } finally {
      await copy?.drop();
    }
  }

  async #pass(work: Passing, copy: LocalCopy | null): Promise<Packed> {
    const { label, phase, total, open, encoding, isWanted, signal } = work;
    // Loaded where layers are made: a copy makes none.
    const { pack } = await import('./layer-input.ts');
    const id = `${phase} ${label} ${String(this.#tasks++)}`;
    this.#listener({ type: 'task-start', id, phase, label, total });
    const start = (): Packing => {
      let bytes = 0;
      const input = open((count) => this.#listener({ type: 'task-progress', id, bytes: (bytes += count) }));
      return pack(input, encoding, { signal, pool: this.#pool });
    };
    let packing: Packing | null = null;
    const produce = (): Sealing => {
      const next = (packing = start());
      const stream = copy === null ? next.stream : copy.through(next.stream);
      return { stream, seal: () => next.seals().compressed };
    };
    const staged = await this.#target.stage(produce, signal).catch((error: unknown) => {
      // What went wrong with reading says itself which layer it was.
      throw packing?.isOfInput(error) === true ? error : at(label, error);
    });
    try {
      const packed = (packing as unknown as Packing).seals();
      if (isWanted(packed)) await copy?.keep(packed.compressed);
      await this.#cache?.recipes.remember(work.recipe, {
        ...packed.compressed,
        diffId: packed.plain.digest,
        tarBytes: packed.plain.size,
      });
      if (isWanted(packed)) await staged.commit(packed.compressed.digest, packed.compressed.size, signal);
      else await staged.abort();
      this.#listener({
        type: 'task-end',
        id,
        outcome: isWanted(packed)
          ? `${megabytes(total)} → ${megabytes(packed.compressed.size)}`
          : 'no smaller: it keeps its blob',
      });
      return packed;
    } catch (error) {
      await staged.abort();
      throw at(label, error);
    }
  }

  #tasks = 0;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

/** A tar that is hashed as it passes. */
function hashed(stream: ByteStream): LayerInput {
  return { kind: 'stream', ...sealing(stream) };
}

/** Copies what a layer's production gives into the cache. A production that starts over starts the copy over. */
class LocalCopy {
  readonly #cache: BlobCache;
  #writer: BlobWriter | null = null;

  constructor(cache: BlobCache) {
    this.#cache = cache;
  }

  async *through(stream: ByteStream): ByteStream {
    await this.drop();
    const writer = (this.#writer = this.#cache.writer(null));
    for await (const chunk of stream) {
      await writer.write(chunk);
      yield chunk;
    }
  }

  async keep({ digest, size }: Seal): Promise<void> {
    await this.#writer?.keep(digest, size);
  }

  /** Has no effect after `keep`. */
  async drop(): Promise<void> {
    await this.#writer?.drop();
  }
}

function adopted({ digest, size }: Descriptor, diffId: Digest, adoption: Adoption): SealedLayer {
  return {
    action: adoption,
    digest,
    size,
    compression: null,
    diffId,
    tarBytes: null,
    encoder: null,
    adoption,
  };
}

/**
 * Does a layer lie at an address of its own (image-spec layer.md, "Non-Distributable Layers")? Whoever pulls the image
 * fetches it there; the source's registry need not have it, and it is not uploaded.
 */
export function isElsewhere({ mediaType, json }: Descriptor): boolean {
  const urls = json['urls'];
  return layerKind(mediaType).kind === 'foreign' && Array.isArray(urls) && urls.length > 0;
}

/** The format of a layer of the new image; null where it cannot be told. */
export function compressionOf(image: Image, layer: Layer, sealed: SealedLayer): Compression | null {
  if (sealed.compression !== null) return sealed.compression;
  if (sealed.action === 'dropped') return null;
  const kind = layerKind(layerOf(image, topOf(layer.content)).descriptor.mediaType);
  return kind.kind === 'layer' ? kind.compression : null;
}

/** Without a threshold a layer changes its format at any size, but keeps its blob if the same format gets no smaller. */
function savesEnough(
  before: number,
  after: number,
  minSavings: MinSavings | null,
  sameFormat: boolean,
): boolean {
  if (minSavings === null) return !sameFormat || after < before;
  const wanted = minSavings.kind === 'bytes' ? minSavings.bytes : before * minSavings.ratio;
  return before - after >= wanted && (!sameFormat || after < before);
}

function dropped(diffId: Digest): SealedLayer {
  return {
    action: 'dropped',
    digest: diffId,
    size: 0,
    compression: null,
    diffId,
    tarBytes: 0,
    encoder: null,
    adoption: null,
  };
}

/**
 * All that decides about a layer's tar: the same recipe gives the same one. What the image says of its blobs is part of
 * it, so that what was found right about one description is not believed of another.
 */
export function recipeOf(image: Image, content: ResolvedContent): string {
  const source = (number: number) => {
    const { descriptor, diffId } = layerOf(image, number);
    return `${descriptor.digest} ${descriptor.size} ${descriptor.mediaType} ${diffId}`;
  };
  if (content.kind === 'stored') return source(content.layer);
  const hash = createHash('sha256');
  const { before, sources, order, after } = content.edit;
  const addBlocks = (blocks: readonly Uint8Array[]) => {
    hash.update(`${blocks.length}\n`);
    for (const block of blocks) hash.update(`${block.length}\n`).update(block);
  };
  addBlocks(before);
  for (const { layer, actions } of sources) {
    hash.update(`${source(layer)} ${actions.size}\n`);
    for (const [entry, action] of actions)
      hash.update(`${entry}${action.kind === 'keep' ? '' : JSON.stringify(action)}\n`);
  }
  addBlocks(after);
  if (order !== null) {
    hash.update('in order\n');
    for (const { buffer, byteOffset, byteLength } of [order.layers, order.entries])
      hash.update(new Uint8Array(buffer, byteOffset, byteLength));
  }
  return `edit ${hash.digest('hex')}`;
}

/** What packs a layer: the same gives the same bytes, another version of it may not. */
export function packerOf(encoding: PackedEncoding): string {
  const { name, version, level, blockSize } = describeEncoder(encoding);
  return JSON.stringify([encoding.kind, name, version, level, blockSize]);
}
