import type { LayerIndex } from '../changeset/layer-index.ts';
import { decode } from '../codec/decode.ts';
import { detect } from '../codec/detect.ts';
import { at, OcislimError } from '../errors.ts';
import type { Listener } from '../events.ts';
import { type Image, layerOf } from '../image/image.ts';
import { type Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import { type Compression, layerKind } from '../oci/media-type.ts';
import type { BlobCache } from '../store/cache/blob-cache.ts';
import type { Source } from '../store/place.ts';
import type { ByteStream } from '../stream/byte-stream.ts';
import { collect } from '../stream/collect.ts';
import { tally } from '../stream/seal.ts';
import { verify, verifyDiffId } from '../stream/verify.ts';
import { scanTar } from './scan-tar.ts';
import type { Scratch } from './scratch.ts';
import { packIndex, unpackIndex } from './stored-index.ts';

/** Reads the layers of a source: verified, unpacked, each header scan made once however many images share the layer. */
export class LayerReader {
  readonly #source: Source;
  readonly #scratch: Scratch;
  readonly #listener: Listener;
  readonly #cache: BlobCache | null;
  readonly #indexes = new Map<string, Promise<LayerIndex>>();
  #downloaded = 0;

  /** `cache`: that of the source, if it has one. */
  constructor(source: Source, scratch: Scratch, listener: Listener, cache: BlobCache | null = null) {
    this.#source = source;
    this.#scratch = scratch;
    this.#listener = listener;
    this.#cache = cache;
  }

  /** Bytes of layer blobs read from the source, second readings included. */
  get downloaded(): number {
    return this.#downloaded;
  }

  /** The unpacked tar of a layer. Its errors say which layer they mean. */
  tar(
    image: Image,
    number: number,
    signal: AbortSignal,
    onBytes: (count: number) => void = () => {},
  ): ByteStream {
    const { descriptor, diffId } = layerOf(image, number);
    return located(this.#open(descriptor, diffId, number, signal, onBytes), this.#where(number));
  }

  async #bytesOf(descriptor: Descriptor, signal: AbortSignal): Promise<ByteStream> {
    const copy = this.#scratch.read(descriptor.digest);
    // The copy is checked again: another program may have written to it meanwhile.
    if (copy !== null) return verify(copy, descriptor, 'the scratch copy');
    const stream = tally(this.#source.blob(descriptor, signal), (count) => (this.#downloaded += count));
    // A file is as near as its copy would be, and the cache keeps a copy of its own.
    const isNear = this.#source.mountable === null || this.#cache?.accepts(descriptor.size) === true;
    return isNear ? stream : this.#scratch.keep(stream, descriptor);
  }

  async *#open(
    descriptor: Descriptor,
    diffId: Digest,
    number: number,
    signal: AbortSignal,
    onBytes: (count: number) => void,
  ): ByteStream {
    const kind = layerKind(descriptor.mediaType);
    if (kind.kind !== 'layer') throw unreadable(descriptor, kind.kind);
    const packed = tally(await this.#bytesOf(descriptor, signal), onBytes);
    const checked = checkCompression(packed, kind.compression);
    yield* verifyDiffId(decode(checked, kind.compression, { signal }), diffId, `layer ${number}`);
  }

  /** What the headers of a layer say. */
  index(image: Image, number: number, signal: AbortSignal): Promise<LayerIndex> {
    const { descriptor, diffId } = layerOf(image, number);
    const key = `${descriptor.digest} ${diffId}`;
    const known = this.#indexes.get(key);
    if (known !== undefined) return known;
    const scan = this.#scan(image, number, descriptor, signal);
    this.#indexes.set(key, scan);
    return scan;
  }

  async #scan(
    image: Image,
    number: number,
    descriptor: Descriptor,
    signal: AbortSignal,
  ): Promise<LayerIndex> {
    const id = `scan ${descriptor.digest}`;
    this.#listener({
      type: 'task-start',
      id,
      phase: 'scan',
      label: `layer ${number}`,
      total: descriptor.size,
    });
    let bytes = 0;
    const progress = (count: number) =>
      this.#listener({ type: 'task-progress', id, bytes: (bytes += count) });
    try {
      const recipe = `index of ${descriptor.digest} ${descriptor.size} ${descriptor.mediaType} ${layerOf(image, number).diffId}`;
      const known = await this.#recall(recipe, signal);
      const index = known ?? (await scanTar(this.tar(image, number, signal, progress)));
      if (known === null) await this.#remember(recipe, layerOf(image, number).diffId, index);
      this.#listener({ type: 'task-end', id, outcome: `${index.kinds.length} entries` });
      return index;
    } catch (error) {
      throw locate(this.#where(number), error);
    }
  }

  /** From the cache: what an earlier run saw when it read the layer, and checked digest, size and DiffID. */
  async #recall(recipe: string, signal: AbortSignal): Promise<LayerIndex | null> {
    const found = (await this.#cache?.recipes.recall(recipe, signal)) ?? null;
    const stored = found === null ? null : ((await this.#cache?.read(found, signal)) ?? null);
    if (found === null || stored === null) return null;
    try {
      return unpackIndex(await collect(stored.stream, found.size, 'a stored index'));
    } finally {
      await stored.close();
    }
  }

  async #remember(recipe: string, diffId: Digest, index: LayerIndex): Promise<void> {
    const bytes = this.#cache === null ? null : packIndex(index);
    if (this.#cache === null || bytes === null) return;
    const digest = await this.#cache.put(bytes);
    await this.#cache.recipes.remember(recipe, {
      digest,
      size: bytes.length,
      diffId,
      tarBytes: index.tarBytes,
    });
  }

  #where(number: number): string {
    return `source ${this.#source.label}, layer ${number}`;
  }
}

/** Errors get their place once: what is located already passes. */
function locate(where: string, error: unknown): unknown {
  return error instanceof OcislimError && error.message.startsWith(where) ? error : at(where, error);
}

async function* located(stream: ByteStream, where: string): ByteStream {
  try {
    yield* stream;
  } catch (error) {
    throw locate(where, error);
  }
}

async function* checkCompression(stream: ByteStream, stated: Compression): ByteStream {
  let head: Uint8Array | null = new Uint8Array(0);
  for await (const chunk of stream) {
    if (head !== null && head.length < 4) {
      head = head.length === 0 ? chunk : Buffer.concat([head, chunk]);
      if (head.length < 4) continue;
      checkHead(head, stated);
      yield head;
      head = null;
    } else {
      yield chunk;
    }
  }
  if (head !== null) {
    checkHead(head, stated);
    yield head;
  }
}

function checkHead(head: Uint8Array, stated: Compression): void {
  const actual = detect(head);
  if (actual === stated || actual === 'empty') return;
  throw new OcislimError(
    'MEDIA_TYPE',
    `the media type says ${name(stated)}, but the bytes are ${name(actual)}`,
    {
      advice: 'The image was put together wrongly; build or push it again.',
    },
  );
}

function name(compression: Compression): string {
  return compression === 'none' ? 'an uncompressed tar' : compression;
}

function unreadable(descriptor: Descriptor, kind: 'foreign' | 'unknown'): OcislimError {
  const what =
    kind === 'foreign'
      ? 'a non-distributable layer, whose bytes are not in the registry'
      : `of the media type ${JSON.stringify(descriptor.mediaType)}, which ocislim cannot read`;
  return new OcislimError('UNSUPPORTED', `it is ${what}`, {
    advice: 'Squash or recompress other layers (--layers); to prune, ocislim must read every layer.',
  });
}
