/**
 * A source and a target in memory, which count and record what is done with them. The tests of jobs run against
 * these: they can break a stream, fail a step, and refuse what a registry refuses.
 */
import { createHash } from 'node:crypto';
import { Closeable } from '../../src/closeable.ts';
import { OcislimError } from '../../src/errors.ts';
import type { Descriptor } from '../../src/oci/descriptor.ts';
import type { Digest } from '../../src/oci/digest.ts';
import type {
  Adoption,
  Mountable,
  Produce,
  RawManifest,
  Referrer,
  Source,
  StagedBlob,
  Target,
} from '../../src/place/place.ts';
import type { ByteStream } from '../../src/stream/byte-stream.ts';
import type { BlobDescriptor, BlobMap, BuiltTree } from './image-builder.ts';

/** Faults of a source. Errors thrown on purpose are `NETWORK` ones that name the side, as real places throw them. */
export type SourceFaults = {
  /** The number of bytes after which the stream of a blob breaks, by digest. */
  readonly cutAfter?: Readonly<Record<string, number>>;
  /** Called with each blob that is opened, before its first byte. Tests interrupt a run here. */
  readonly onOpen?: (digest: string) => void;
};

export type MemorySourceOptions = SourceFaults & {
  readonly label?: string;
  readonly mountable?: Mountable | null;
  /** Whether the source stands for one that unpacks layers. Default: no. */
  readonly unpacksLayers?: boolean;
  /** The number of bytes in a chunk of a blob. */
  readonly chunk?: number;
  readonly referrers?: readonly Referrer[] | ((digest: Digest) => readonly Referrer[]);
};

/** The registry that both sides of most tests are in. */
const REGISTRY = 'http://registry.test:5000';

/** An image in memory as a source. `opened` lists the digest of each blob once for each time it was opened. */
export class MemorySource extends Closeable implements Source {
  readonly label: string;
  readonly mountable: Mountable | null;
  readonly unpacksLayers: boolean;
  readonly opened: string[] = [];
  /** Streams that were opened and neither read to their end nor released. */
  held = 0;
  closed = false;
  readonly blobs: BlobMap;
  readonly #root: BlobDescriptor;
  readonly #options: MemorySourceOptions;

  constructor(tree: BuiltTree, options: MemorySourceOptions = {}) {
    super();
    this.label = options.label ?? 'registry.test:5000/app:1';
    this.mountable =
      options.mountable === undefined ? { registry: REGISTRY, repository: 'app' } : options.mountable;
    this.unpacksLayers = options.unpacksLayers ?? false;
    this.blobs = tree.blobs;
    this.#root = tree.descriptor;
    this.#options = options;
  }

  /** Returns how often a blob was opened. */
  countOf(digest: string): number {
    return this.opened.filter((each) => each === digest).length;
  }

  async head(): Promise<null> {
    return null;
  }

  async root(signal: AbortSignal): Promise<RawManifest> {
    return this.#manifest(this.#root, signal);
  }

  async manifest(descriptor: Descriptor, signal: AbortSignal): Promise<RawManifest> {
    return this.#manifest(descriptor, signal);
  }

  async #manifest({ mediaType, digest, size }: BlobDescriptor, signal: AbortSignal): Promise<RawManifest> {
    signal.throwIfAborted();
    const bytes = this.blobs.get(digest);
    if (bytes === undefined)
      throw new OcislimError('NOT_FOUND', `source ${this.label}: there is no manifest ${digest}`);
    if (bytes.length !== size)
      throw new OcislimError(
        'SIZE_MISMATCH',
        `source ${this.label}: manifest ${digest} is ${bytes.length} bytes long, not ${size}`,
      );
    if (sha256(bytes) !== digest)
      throw new OcislimError('DIGEST_MISMATCH', `source ${this.label}: manifest ${digest} has other bytes`);
    return {
      descriptor: {
        mediaType,
        digest: digest as Digest,
        size,
        annotations: {},
        json: { mediaType, digest, size },
      },
      bytes,
    };
  }

  async *blob({ digest, size }: Descriptor, signal: AbortSignal): ByteStream {
    this.opened.push(digest);
    this.held += 1;
    try {
      this.#options.onOpen?.(digest);
      const what = `source ${this.label}: blob ${digest}`;
      const bytes = this.blobs.get(digest);
      if (bytes === undefined) throw new OcislimError('NOT_FOUND', `${what} is not there`);
      const cut = this.#options.cutAfter?.[digest] ?? Number.POSITIVE_INFINITY;
      const step = this.#options.chunk ?? 4096;
      for (let at = 0; at < bytes.length; at += step) {
        signal.throwIfAborted();
        if (at + step > cut) {
          if (cut > at) yield bytes.slice(at, cut);
          throw new OcislimError('NETWORK', `${what}: the connection broke after ${cut} bytes`);
        }
        yield bytes.slice(at, at + step);
        await Promise.resolve();
      }
      if (bytes.length !== size)
        throw new OcislimError('SIZE_MISMATCH', `${what} is ${bytes.length} bytes long, not ${size}`);
      if (sha256(bytes) !== digest)
        throw new OcislimError('DIGEST_MISMATCH', `${what} has the digest ${sha256(bytes)}`);
    } finally {
      this.held -= 1;
    }
  }

  async names(): Promise<readonly string[]> {
    return [];
  }

  async referrers(digest: Digest): Promise<readonly Referrer[]> {
    const { referrers = [] } = this.#options;
    return typeof referrers === 'function' ? referrers(digest) : referrers;
  }

  async close(): Promise<void> {
    this.closed = true;
  }
}

/** One thing that was done to a target. */
export type TargetAct =
  | { readonly act: 'adopt'; readonly digest: string; readonly how: Adoption }
  | { readonly act: 'stage' | 'abort' }
  | { readonly act: 'commit' | 'put' | 'putManifest' | 'attach' | 'publish'; readonly digest: string };

export type TargetFaults = {
  /** The step that fails. `stage` fails after 100 bytes. */
  readonly fails?: 'adopt' | 'stage' | 'commit' | 'put' | 'putManifest' | 'publish';
  /** How many uploads are lost and restarted: after their first chunk, and at their commit. */
  readonly loses?: { readonly stage?: number; readonly commit?: number };
  /** Called after each act. Tests interrupt a run here. */
  readonly onAct?: (act: TargetAct) => void;
};

export type MemoryTargetOptions = TargetFaults & {
  readonly label?: string;
  readonly mountable?: Mountable | null;
  readonly layerFormat?: 'any' | 'plain';
  /** Whether any number of blobs may be staged at once. Default: no. */
  readonly takesSideBySide?: boolean;
  readonly family?: 'oci' | null;
  /** Blobs that the target has from the beginning. */
  readonly there?: BlobMap;
};

/**
 * A target in memory that records what is done to it, and refuses what a registry refuses: a manifest before its
 * blobs, a commit under a wrong digest, anything after the end.
 */
export class MemoryTarget extends Closeable implements Target {
  readonly label: string;
  readonly mountable: Mountable | null;
  readonly layerFormat: 'any' | 'plain';
  readonly takesSideBySide: boolean;
  readonly family: 'oci' | null;
  readonly acts: TargetAct[] = [];
  readonly blobs: Map<string, Uint8Array>;
  published: RawManifest | null = null;
  readonly attached: { readonly artifact: RawManifest; readonly tag: string | null }[] = [];
  closed = false;
  /** Staged blobs that were neither committed nor aborted. */
  pending = 0;
  /** Uploads that were lost so far. */
  readonly #lost = { stage: 0, commit: 0 };
  readonly #options: MemoryTargetOptions;

  constructor(options: MemoryTargetOptions = {}) {
    super();
    this.label = options.label ?? 'registry.test:5000/slim:1';
    this.mountable =
      options.mountable === undefined ? { registry: REGISTRY, repository: 'slim' } : options.mountable;
    this.layerFormat = options.layerFormat ?? 'any';
    this.takesSideBySide = options.takesSideBySide ?? false;
    this.family = options.family ?? null;
    this.blobs = new Map(options.there ?? []);
    this.#options = options;
  }

  /** Returns what was published, as the model's reader takes it. */
  get tree(): BuiltTree {
    if (this.published === null) throw new Error('nothing was published');
    const { mediaType, digest, size } = this.published.descriptor;
    return { descriptor: { mediaType, digest, size }, blobs: this.blobs };
  }

  count(act: TargetAct['act']): number {
    return this.acts.filter((each) => each.act === act).length;
  }

  async has({ digest }: Descriptor, signal: AbortSignal): Promise<boolean> {
    signal.throwIfAborted();
    return this.blobs.has(digest);
  }

  async adopt(
    descriptor: Descriptor,
    source: Source,
    signal: AbortSignal,
    onBytes: (count: number) => void = () => {},
  ): Promise<Adoption> {
    this.#start('adopt', signal);
    const how = await this.#take(descriptor, source, signal, onBytes);
    this.#note({ act: 'adopt', digest: descriptor.digest, how });
    return how;
  }

  async #take(
    descriptor: Descriptor,
    source: Source,
    signal: AbortSignal,
    onBytes: (count: number) => void,
  ): Promise<Adoption> {
    if (this.blobs.has(descriptor.digest)) return 'present';
    if (source.mountable !== null && source.mountable.registry === this.mountable?.registry) {
      // A source behind another one, such as a cached one, offers no mount here.
      const bytes = (source as Partial<MemorySource>).blobs?.get(descriptor.digest);
      if (bytes !== undefined) {
        this.blobs.set(descriptor.digest, bytes);
        return 'mounted';
      }
    }
    this.blobs.set(descriptor.digest, await gather(source.blob(descriptor, signal), onBytes));
    return 'copied';
  }

  async stage(produce: Produce, signal: AbortSignal): Promise<StagedBlob> {
    this.#open(signal);
    for (; this.#lost.stage < (this.#options.loses?.stage ?? 0); this.#lost.stage += 1) {
      const lost = produce();
      for await (const _ of 'seal' in lost ? lost.stream : lost) break;
    }
    const given = produce();
    const stream = 'seal' in given ? given.stream : given;
    const limit = this.#options.fails === 'stage' ? 100 : Number.POSITIVE_INFINITY;
    const bytes = await gather(
      stream,
      () => {},
      limit,
      () => this.#error('stage'),
    );
    this.pending += 1;
    this.#note({ act: 'stage' });
    let settled = false;
    const settle = (): void => {
      if (!settled) this.pending -= 1;
      settled = true;
    };
    return {
      commit: async (digest, size, inner) => {
        this.#start('commit', inner);
        for (; this.#lost.commit < (this.#options.loses?.commit ?? 0); this.#lost.commit += 1) {
          const again = produce();
          const same = await gather('seal' in again ? again.stream : again, () => {});
          if (!Buffer.from(same).equals(bytes)) throw new Error('other bytes were produced than before');
        }
        if (settled) throw new Error('committed twice, or after an abort');
        if (sha256(bytes) !== digest || bytes.length !== size)
          throw new Error('the bytes staged are not those committed');
        settle();
        this.blobs.set(digest, bytes);
        this.#note({ act: 'commit', digest });
      },
      abort: async () => {
        if (!settled) this.#note({ act: 'abort' });
        settle();
      },
    };
  }

  async put(bytes: Uint8Array, { digest, size }: Descriptor, signal: AbortSignal): Promise<void> {
    this.#start('put', signal);
    if (sha256(bytes) !== digest || bytes.length !== size)
      throw new Error('a blob was put under a wrong digest');
    this.blobs.set(digest, bytes);
    this.#note({ act: 'put', digest });
  }

  async putManifest(manifest: RawManifest, signal: AbortSignal): Promise<void> {
    this.#start('putManifest', signal);
    this.#keepManifest(manifest);
    this.#note({ act: 'putManifest', digest: manifest.descriptor.digest });
  }

  async attach(artifact: RawManifest, signal: AbortSignal, tag?: string): Promise<boolean> {
    this.#start('putManifest', signal);
    this.#keepManifest(artifact);
    this.attached.push({ artifact, tag: tag ?? null });
    this.#note({ act: 'attach', digest: artifact.descriptor.digest });
    return true;
  }

  async publish(root: RawManifest, signal: AbortSignal): Promise<void> {
    this.#start('publish', signal);
    if (this.pending > 0) throw new Error('published with blobs neither committed nor aborted');
    this.#keepManifest(root);
    this.published = root;
    this.#note({ act: 'publish', digest: root.descriptor.digest });
  }

  nameOf(digest: Digest): string {
    return `registry.test:5000/slim@${digest}`;
  }

  async close(): Promise<void> {
    this.closed = true;
  }

  #keepManifest({ bytes, descriptor }: RawManifest): void {
    if (sha256(bytes) !== descriptor.digest || bytes.length !== descriptor.size)
      throw new Error('a manifest under a wrong digest');
    const json = JSON.parse(new TextDecoder().decode(bytes)) as {
      config?: BlobDescriptor;
      layers?: BlobDescriptor[];
      manifests?: BlobDescriptor[];
    };
    for (const blob of [
      ...(json.config === undefined ? [] : [json.config]),
      ...(json.layers ?? []),
      ...(json.manifests ?? []),
    ]) {
      const isForeign = /foreign|nondistributable/.test(blob.mediaType);
      if (!isForeign && !this.blobs.has(blob.digest))
        throw new Error(`a manifest names ${blob.digest}, which is not there`);
    }
    this.blobs.set(descriptor.digest, bytes);
  }

  #open(signal: AbortSignal): void {
    signal.throwIfAborted();
    if (this.closed) throw new Error('used after its end');
    if (this.published !== null) throw new Error('used after it was published');
  }

  #start(step: NonNullable<TargetFaults['fails']>, signal: AbortSignal): void {
    this.#open(signal);
    if (this.#options.fails === step) throw this.#error(step);
  }

  #error(step: string): OcislimError {
    return new OcislimError('REGISTRY', `destination ${this.label}: the registry refused the ${step}`);
  }

  #note(act: TargetAct): void {
    this.acts.push(act);
    this.#options.onAct?.(act);
  }
}

async function gather(
  stream: ByteStream,
  onBytes: (count: number) => void,
  limit = Number.POSITIVE_INFINITY,
  error?: () => Error,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of stream) {
    size += chunk.length;
    onBytes(chunk.length);
    if (size > limit && error !== undefined) throw error();
    chunks.push(chunk);
  }
  return new Uint8Array(Buffer.concat(chunks));
}

function sha256(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}
