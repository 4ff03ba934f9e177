/**
 * Reads the layers of a source: their bytes verified, unpacked, counted against the limits, and their headers scanned. Runs,
 * exports, comparisons and the layer writer read through it.
 */
import type { LayerIndex } from '../../changeset/layer-index.ts';
import { BlockReader, type BlockSource } from '../../codec/block.ts';
import type { UnpackThreads } from '../../codec/unpack/threads.ts';
import type { Unpacking } from '../../codec/unpack/unpacking.ts';
import { type Listener, task } from '../../events.ts';
import { defaultLimits, exceeded, type Limits } from '../../limits.ts';
import { type Image, layerOf } from '../../image/image.ts';
import { type Descriptor } from '../../oci/descriptor.ts';
import { algorithmOf, type Digest } from '../../oci/digest.ts';
import { type Compression, layerKind } from '../../oci/media-type.ts';
import type { LayerFacts } from '../../rootfs/facts/facts.ts';
import type { BlobCache } from '../../store/cache/blob-cache.ts';
import { recallDerived, rememberDerived } from '../../store/cache/derived-bytes.ts';
import { mountOf, type Source } from '../../place/place.ts';
import type { ByteStream } from '../../stream/byte-stream.ts';
import { type Seal, tally } from '../../stream/seal.ts';
import { checkDiffId, verify, verifyDiffId } from '../../stream/verify.ts';
import { AddedLayers } from './added-layers.ts';
import { Allowance, type HeaderAllowance } from './allowance.ts';
import { BlobFormats } from './blob-formats.ts';
import { emptyFacts } from './empty-facts.ts';
import type { Gathering } from './gathering.ts';
import { checkFormat, Mistyped, unreadable } from './packed-format.ts';
import { SkippingRange } from '../../files/file-bytes.ts';
import type { Scratch } from '../../files/scratch.ts';
import { describeGathering, kindsOf, packFacts, unpackFacts } from './stored-facts.ts';
import { counted, locate, located } from './passing.ts';
import { UnpackedBlocks } from './unpacked-blocks.ts';
import { MiB } from '../../units.ts';

/** The packed size from which on a layer is unpacked in a thread: below it, handing the bytes over costs more than it saves. */
const threadsFrom = 2 * MiB;

/** One reading of a layer. */
export interface Scan {
  readonly index: LayerIndex;
  /** Empty if no facts were requested. */
  readonly facts: LayerFacts;
}

export interface TarOptions {
  /** Receives counts of packed bytes that have been read, for the progress of a task. */
  readonly onBytes?: (count: number) => void;
  /**
   * Whether a chunk may be valid only until the next one is asked for. This spares the garbage collector all of the tar's
   * memory. Default: no.
   */
  readonly lent?: boolean;
}

/** One scan of one layer. */
interface Scanning {
  readonly image: Image;
  readonly number: number;
  readonly gathering: Gathering | null;
  readonly signal: AbortSignal;
}

/** One reading of one blob. */
interface Reading extends TarOptions {
  readonly descriptor: Descriptor;
  readonly diffId: Digest;
  readonly signal: AbortSignal;
}

/** The bytes of a blob on their way to a decoder. */
interface Packed {
  readonly packed: ByteStream;
  readonly compression: Compression;
}

export interface LayerReaderOptions {
  readonly source: Source;
  readonly scratch: Scratch;
  readonly listener: Listener;
  /** The cache of the source. Default: none. */
  readonly cache?: BlobCache | null;
  /** Threads that unpack large layers. Default: every layer is unpacked in the main thread. */
  readonly threads?: UnpackThreads | null;
  /** Threads that hash plain layers which lie in files of this machine. Default: none. */
  readonly hashers?: UnpackThreads | null;
  /** Bounds of all layers of all images together. Default: `defaultLimits`. */
  readonly limits?: Limits | undefined;
}

/** Reads the layers of a source: verified, unpacked, each header scan made once however many images share the layer. */
export class LayerReader {
  readonly #source: Source;
  readonly #scratch: Scratch;
  readonly #listener: Listener;
  readonly #cache: BlobCache | null;
  /** By digest of the blob and DiffID (two images may state different DiffIDs for a blob, and each must be checked), then by what was gathered. */
  readonly #scans = new Map<string, Map<string, Promise<Scan>>>();
  readonly #allowance: Allowance;
  /** Opens the layers that no source has. */
  readonly added: AddedLayers;
  readonly #threads: UnpackThreads | null;
  readonly #hashers: UnpackThreads | null;
  readonly #formats = new BlobFormats();
  /** Bytes of contents in the facts of all layers scanned so far. */
  #held = 0;
  #downloaded = 0;

  constructor({
    source,
    scratch,
    listener,
    cache = null,
    threads = null,
    hashers = null,
    limits = defaultLimits,
  }: LayerReaderOptions) {
    this.#threads = threads;
    this.#hashers = hashers;
    this.#allowance = new Allowance(limits);
    this.added = new AddedLayers({ limits, listener });
    this.#source = source;
    this.#scratch = scratch;
    this.#listener = listener;
    this.#cache = cache;
  }

  /** Bytes of layer blobs read from the source, second readings included. */
  get downloaded(): number {
    return this.#downloaded;
  }

  get #maxWindow(): number {
    return this.#allowance.limits['window-bytes'];
  }

  /**
   * Returns the format of a blob: of one that was opened the actual one, else what its media type states. Null for a type that
   * cannot be read.
   */
  formatOf(descriptor: Descriptor): Compression | null {
    return this.#formats.of(descriptor);
  }

  /** Returns whether a blob that was opened has another format than its media type states. */
  isMistyped(descriptor: Descriptor): boolean {
    return this.#formats.isMistyped(descriptor);
  }

  /** Returns the allowance for a caller that reads the headers of a layer out of its tar. */
  headerAllowance(): HeaderAllowance {
    return this.#allowance.headers();
  }

  /**
   * Returns the unpacked tar of a layer. Its errors name the source and the layer. The stream ends only after the digest of
   * the blob and the DiffID have been checked: a consumer that stops early has unverified bytes.
   * @throws DIGEST_MISMATCH, SIZE_MISMATCH, DIFFID_MISMATCH, MEDIA_TYPE, CODEC, LIMIT, UNSUPPORTED, and the errors of the source
   */
  tar(image: Image, number: number, signal: AbortSignal, options: TarOptions = {}): ByteStream {
    const { descriptor, diffId } = layerOf(image, number);
    return located(
      counted(
        this.#open(number, { descriptor, diffId, signal, ...options }),
        this.#allowance.unpacking(image, descriptor, () => this.formatOf(descriptor)),
      ),
      this.#where(number),
    );
  }

  /**
   * Returns the unpacked tar of a layer in blocks, for encoders that work on whole blocks. `seal` returns its digest and size
   * after the last block. Blocks have the same checks and errors as `tar`.
   */
  blocks(
    image: Image,
    number: number,
    signal: AbortSignal,
    onBytes: (count: number) => void,
  ): { readonly blocks: BlockSource; seal(): Seal } {
    const { descriptor, diffId } = layerOf(image, number);
    const where = this.#where(number);
    const threads = this.#threadsFor(descriptor);
    const unpacked = this.#allowance.unpacking(image, descriptor, () => this.formatOf(descriptor));
    let size = 0;
    let seal: Seal | null = null;
    const source: BlockSource =
      threads === null
        ? new BlockReader(this.tar(image, number, signal, { onBytes }))
        : new UnpackedBlocks({
            open: () => this.#unpacking(threads, { descriptor, diffId, signal, onBytes }),
            onUnpacked: unpacked,
            check: (digest) => checkDiffId(digest, diffId, `layer ${number}`),
            locate: (error) => locate(where, error),
          });
    return {
      blocks: {
        next: async (memory) => {
          const block = await source.next(memory);
          size += block.bytes.length;
          if (block.last) seal = { digest: diffId, size };
          return block;
        },
        close: () => source.close(),
      },
      seal: () => {
        if (seal === null) throw new Error('sealed before the end of the tar');
        return seal;
      },
    };
  }

  /** Opens the packed bytes of a blob, and keeps a local copy of what comes from a registry for the second reading. */
  async #bytesOf(descriptor: Descriptor, signal: AbortSignal): Promise<ByteStream> {
    const copy = this.#scratch.read(descriptor.digest, signal);
    // The copy is checked again: another program may have written to it meanwhile.
    if (copy !== null) return verify(copy, descriptor, 'the scratch copy');
    const stream = tally(this.#source.blob(descriptor, signal), (count) => (this.#downloaded += count));
    // A local file needs no copy, and neither does a blob that the cache keeps.
    const isNear =
      mountOf(this.#source, descriptor.digest) === null || this.#cache?.accepts(descriptor.size) === true;
    return isNear ? stream : this.#scratch.keep(stream, descriptor);
  }

  /** Opens a layer, a second time where its first bytes show another format than its media type states. */
  async *#open(number: number, reading: Reading): ByteStream {
    try {
      yield* this.#openOnce(number, reading);
    } catch (error) {
      if (!(error instanceof Mistyped)) throw error;
      yield* this.#openOnce(number, reading);
    }
  }

  async *#openOnce(number: number, reading: Reading): ByteStream {
    const { descriptor, diffId, signal, lent = false } = reading;
    const what = `layer ${number}`;
    const aside = lent ? await this.#hashedAside(reading) : null;
    if (aside !== null) {
      yield* aside;
      return;
    }
    const threads = this.#threadsFor(descriptor);
    if (threads === null) {
      // Decoders, the tar reader and the like are loaded where a layer is opened: a copy opens none.
      const { decode } = await import('../../codec/decode.ts');
      const { packed, compression } = await this.#packed(reading);
      const tar = decode(packed, compression, { signal, maxWindow: this.#maxWindow });
      // The digest of a plain tar is its DiffID, and has been checked on the way here.
      const isChecked = compression === 'none' && descriptor.digest === diffId;
      yield* isChecked ? tar : verifyDiffId(tar, diffId, what);
      return;
    }
    const unpacking = await this.#unpacking(threads, reading);
    try {
      yield* unpacking.chunks(lent);
      checkDiffId(unpacking.digest(), diffId, what);
    } finally {
      await unpacking.close();
    }
  }

  /**
   * Opens a large plain layer in a file of this machine, whose bytes a thread hashes while this one reads them. Null for any other layer,
   * and without threads.
   */
  async #hashedAside({
    descriptor,
    diffId,
    signal,
    onBytes = () => {},
  }: Reading): Promise<ByteStream | null> {
    const hashers = this.#hashers;
    const { digest, size } = descriptor;
    const isPlain = this.#formats.of(descriptor) === 'none' && digest === diffId;
    if (hashers === null || !isPlain || size < threadsFrom || this.#source.peek === undefined) return null;
    const { hashAside } = await import('./hash-aside.ts');
    const file = await this.#source.peek(descriptor, signal);
    const isDiffId = this.#source.unpacksLayers;
    return hashAside(file, { hashers, expected: descriptor, isDiffId, onBytes, signal });
  }

  /** Opens the packed bytes of a blob. @throws Mistyped once, from the stream: the second opening has the right format */
  async #packed({ descriptor, diffId, signal, onBytes = () => {} }: Reading): Promise<Packed> {
    const kind = layerKind(descriptor.mediaType);
    if (kind.kind !== 'layer') throw unreadable(descriptor, kind.kind);
    const { digest } = descriptor;
    const compression = this.#formats.of(descriptor) ?? kind.compression;
    const packed = tally(await this.#bytesOf(descriptor, signal), onBytes);
    // The name of the first file may begin as gzip does, but no packed blob has the digest of its tar.
    if (compression === 'none' && digest === diffId) return { packed, compression };
    const mayBePlain = digest === diffId || algorithmOf(digest) !== algorithmOf(diffId);
    return {
      packed: this.#formats.noting(digest, checkFormat(packed, compression, mayBePlain)),
      compression,
    };
  }

  /** Returns the threads if they speed up this blob: starting one takes milliseconds, and a plain tar is only hashed. */
  #threadsFor({ size, mediaType }: Descriptor): UnpackThreads | null {
    const kind = layerKind(mediaType);
    const isPacked = kind.kind === 'layer' && kind.compression !== 'none';
    return isPacked && size >= threadsFrom ? this.#threads : null;
  }

  async #unpacking(threads: UnpackThreads, reading: Reading): Promise<Unpacking> {
    const { diffId, signal } = reading;
    const { packed, compression } = await this.#packed(reading);
    return threads.open(packed, {
      compression,
      maxWindow: this.#maxWindow,
      hash: algorithmOf(diffId),
      signal,
    });
  }

  /** Reads the headers of a layer. */
  async index(image: Image, number: number, signal: AbortSignal): Promise<LayerIndex> {
    return (await this.scan(image, number, null, signal)).index;
  }

  /**
   * Reads the headers of a layer for a quick look. Of a plain layer in a file of this machine the contents of its files are not read,
   * so that its digest is not verified, and the result is not stored; any other layer is read as `index` does.
   */
  async peek(image: Image, number: number, signal: AbortSignal): Promise<LayerIndex> {
    const { descriptor, diffId } = layerOf(image, number);
    const isPlain = this.formatOf(descriptor) === 'none' && descriptor.digest === diffId;
    if (!isPlain || this.#source.peek === undefined) return this.index(image, number, signal);
    try {
      await using file = await this.#source.peek(descriptor, signal);
      this.#allowance.unpacking(image, descriptor, () => 'none')(file.size);
      const { scanTar } = await import('./scan-tar.ts');
      return await scanTar(new SkippingRange(file, signal), null, this.#allowance.headers());
    } catch (error) {
      throw locate(this.#where(number), error);
    }
  }

  /**
   * Reads the headers of a layer, and gathers facts about its files; null gathers none. Every layer is scanned once per run for what is asked
   * of it: calls that ask for facts of the same kinds must pass the same probe. A call without a gathering may get the facts of another call.
   */
  scan(image: Image, number: number, gathering: Gathering | null, signal: AbortSignal): Promise<Scan> {
    const { descriptor, diffId } = layerOf(image, number);
    const layer = `${descriptor.digest} ${diffId}`;
    const scans = this.#scans.get(layer) ?? new Map<string, Promise<Scan>>();
    this.#scans.set(layer, scans);
    const kinds = gathering === null ? 'none' : `facts ${kindsOf(gathering)}`;
    const known = gathering === null ? [...scans.values()][0] : scans.get(kinds);
    if (known !== undefined) return known;
    const scan = this.#scan({ image, number, gathering, signal });
    scans.set(kinds, scan);
    return scan;
  }

  async #scan(wanted: Scanning): Promise<Scan> {
    const { image, number, gathering, signal } = wanted;
    const { descriptor, diffId } = layerOf(image, number);
    const id = `scan ${descriptor.digest}`;
    using scanning = task(this.#listener, {
      id,
      phase: 'scan',
      label: `layer ${number}`,
      total: descriptor.size,
    });
    try {
      // Everything that a scan verifies is part of the name, so that a stored index stands for exactly these statements.
      const recipe = `index of ${descriptor.digest} ${descriptor.size} ${descriptor.mediaType} ${diffId}`;
      const { packIndex, unpackIndex } = await import('./stored-index.ts');
      const known = await this.#recall(recipe, unpackIndex, signal);
      const factsRecipe = (index: LayerIndex) =>
        gathering === null ? null : `${describeGathering(gathering, index)} ${recipe}`;
      const knownFacts = await this.#recallFacts(
        known === null ? null : factsRecipe(known),
        gathering,
        signal,
      );
      const scan =
        known !== null && knownFacts !== null
          ? { index: known, facts: knownFacts }
          : await this.#read(wanted, scanning.advance);
      if (scan.index === known) holdIndex(known, this.#allowance.headers());
      this.#hold(scan.facts);
      const { tarBytes } = scan.index;
      // The media type that the result states depends on the bytes, so such a layer is opened in every run.
      const isKept = !this.isMistyped(descriptor);
      if (known === null && isKept)
        await this.#remember(recipe, diffId, () => packIndex(scan.index), tarBytes);
      const newFacts = knownFacts === null && isKept && this.#cache !== null ? factsRecipe(scan.index) : null;
      if (newFacts !== null) await this.#remember(newFacts, diffId, () => packFacts(scan.facts), tarBytes);
      scanning.end(`${scan.index.kinds.length} entries`);
      return scan;
    } catch (error) {
      throw locate(this.#where(number), error);
    }
  }

  /** Counts the contents that facts hold. The sum, and so the error, does not depend on the order of layers. @throws LIMIT */
  #hold({ contents }: LayerFacts): void {
    for (const bytes of contents.values()) this.#held += bytes.length;
    const { limits } = this.#allowance;
    if (this.#held <= limits['contents-bytes']) return;
    throw exceeded('contents-bytes', limits, 'package databases and settings take too much memory', {
      says: `those of the layers read so far have ${this.#held} bytes together, with what upper layers replace`,
      atLeast: this.#held,
    });
  }

  async #read(
    { image, number, gathering, signal }: Scanning,
    onBytes: (count: number) => void,
  ): Promise<Scan> {
    const { scanTar } = await import('./scan-tar.ts');
    const gatherer = gathering === null ? null : new (await import('./gather.ts')).Gatherer(gathering);
    const index = await scanTar(
      this.tar(image, number, signal, { onBytes, lent: true }),
      gatherer,
      this.#allowance.headers(),
    );
    return { index, facts: gatherer?.facts() ?? emptyFacts };
  }

  /** Recalls the facts of a layer; null where they are not known. `recipe` is null where the index is not. */
  async #recallFacts(
    recipe: string | null,
    gathering: Gathering | null,
    signal: AbortSignal,
  ): Promise<LayerFacts | null> {
    if (gathering === null) return emptyFacts;
    return recipe === null ? null : await this.#recall(recipe, unpackFacts, signal);
  }

  /** Recalls from the cache what an earlier run read in the layer. That run checked digest, size and DiffID. */
  async #recall<T>(
    recipe: string,
    unpack: (bytes: Uint8Array) => T | null,
    signal: AbortSignal,
  ): Promise<T | null> {
    if (this.#cache === null) return null;
    const bytes = await recallDerived(this.#cache, recipe, 'a stored index', signal);
    return bytes === null ? null : unpack(bytes);
  }

  async #remember(
    recipe: string,
    diffId: Digest,
    pack: () => Uint8Array | null,
    tarBytes: number,
  ): Promise<void> {
    const bytes = this.#cache === null ? null : pack();
    if (this.#cache === null || bytes === null) return;
    await rememberDerived(this.#cache, recipe, bytes, { diffId, tarBytes });
  }

  #where(number: number): string {
    return `source ${this.#source.label}, layer ${number}`;
  }
}

/** Counts an index from the cache against the limits, as if its headers had been read. @throws LIMIT */
function holdIndex({ paths, symlinks, targets }: LayerIndex, allowance: HeaderAllowance): void {
  paths.forEach((path, i) => allowance.take(path, symlinks.get(i) ?? targets.get(i) ?? '', 0));
}
