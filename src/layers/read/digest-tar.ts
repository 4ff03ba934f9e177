/**
 * Reads the headers of a layer with the attributes and content digests of its entries. `verify` and `diff` compare layers by them.
 * Nothing is written.
 */
import { createHash } from 'node:crypto';
import { type LayerIndex, LayerIndexBuilder } from '../../changeset/layer-index.ts';
import { OcislimError } from '../../errors.ts';
import { defaultLimits } from '../../limits.ts';
import type { ByteStream } from '../../stream/byte-stream.ts';
import { type Attributes, readAttributes } from '../../tar/attributes.ts';
import { type ByteString, bytesOf } from '../../bytes/bytes.ts';
import type { Path } from '../../bytes/path.ts';
import { clearTime, isCompiledName, largestCompiled } from '../../rootfs/facts/compiled.ts';
import type { TarEntry } from '../../tar/entry.ts';
import { parsePax } from '../../tar/pax.ts';
import { HeadForms } from '../../tar/head-form.ts';
import { readGlobal } from '../../tar/read-global.ts';
import { TarReader } from '../../tar/reader.ts';
import { checkPieces, type SparseForm, SparseMapReader, type SparsePiece } from '../../tar/sparse.ts';
import { blockSize, ContentDigest } from './content-digest.ts';
import { type AddedTraits, type ContentName, TraitsTable } from './traits.ts';
import { Allowance, type HeaderAllowance } from './allowance.ts';
import { emptyFacts } from './empty-facts.ts';
import type { Gatherer } from './gather.ts';
import type { FileSink } from '../../rootfs/facts/collector.ts';
import type { LayerFacts } from '../../rootfs/facts/facts.ts';

/** A layer as its headers say it, and the traits of each entry. */
export interface DigestedLayer {
  readonly index: LayerIndex;
  readonly traits: TraitsTable;
  /** How the head of each entry is written (`HeadForms`). Empty unless it was asked for. */
  readonly forms: readonly string[];
  /** Empty unless they were asked for. */
  readonly facts: LayerFacts;
}

export interface DigestOptions {
  /** Default: one of the default limits. */
  readonly allowance?: HeaderAllowance;
  /** Whether to describe how heads are written. Default: no. */
  readonly forms?: boolean;
  /** Gathers facts about files on the way. Default: none. */
  readonly gatherer?: Gatherer | null;
  /**
   * Whether to leave out what every build makes different: times, the names of owners, and the time of its source in a compiled module of
   * Python. Default: no.
   */
  readonly noiseless?: boolean;
}

/** The estimated bytes of an entry's traits and of the digest of its contents, without texts. */
const traitsBytes = 70;
/** The estimated bytes of what a comparison that lists everything makes of an entry. */
const listedBytes = 170;

/** The length up to which a text is held. A longer one is replaced by its start and digest, so that memory stays bounded. */
const maxText = 256;

/**
 * Reads a layer's tar once, to the end of the stream: its headers and the digests of all file contents.
 * @throws TAR_INVALID, LAYER_INVALID, LIMIT
 */
export async function digestTar(stream: ByteStream, options: DigestOptions = {}): Promise<DigestedLayer> {
  const { allowance = new Allowance(defaultLimits).headers(), gatherer = null } = options;
  const reader = new TarReader(stream);
  const builder = new LayerIndexBuilder();
  const digester = new EntryDigester(reader, allowance, options.noiseless === true);
  const heads = options.forms === true ? new HeadForms() : null;
  const perEntry = heads === null ? 0 : listedBytes;
  const traits = new TraitsTable((bytes) => allowance.takeMore(bytes));
  const forms: string[] = [];
  try {
    for (let entry = await reader.next(); entry !== null; entry = await reader.next()) {
      const path = builder.add(entry);
      allowance.take(path, entry.link, entry.kind === 'file' ? 0 : entry.head.length);
      // Its records are not applied, but every runtime refuses a malformed one.
      if (entry.kind === 'global') parsePax(await readGlobal(reader, entry));
      const made = entry.kind !== 'link' && entry.kind !== 'global';
      allowance.takeMore(perEntry);
      if (heads !== null) forms.push(heads.of(entry, path));
      traits.add(
        made ? await digester.digest(entry, path, gatherer?.open(traits.length, entry, path) ?? null) : null,
      );
    }
  } catch (error) {
    await reader.cancel();
    throw error;
  }
  const facts = gatherer?.facts() ?? emptyFacts;
  return { index: builder.finish(reader.offset, reader.end), traits, forms, facts };
}

class EntryDigester {
  readonly #reader: TarReader;
  readonly #allowance: HeaderAllowance;
  readonly #block = new Uint8Array(blockSize);

  readonly #noiseless: boolean;

  constructor(reader: TarReader, allowance: HeaderAllowance, noiseless: boolean) {
    this.#reader = reader;
    this.#allowance = allowance;
    this.#noiseless = noiseless;
  }

  /** Digests an entry. `sink` takes the body of a file as it is stored, unless that is sparse. */
  async digest(entry: TarEntry, path: Path, sink: FileSink | null): Promise<AddedTraits> {
    this.#allowance.takeMore(traitsBytes);
    const attributes = readAttributes(entry);
    const { mode, uid, gid, uname, gname, records, sparse } = attributes;
    const isFile = entry.kind === 'file';
    const body =
      isFile && sparse !== null
        ? await this.#digestSparse(entry.size, sparse)
        : {
            content: isFile
              ? await this.#digestFile(entry.size, path, sink)
              : otherContent(entry, attributes),
            stored: isFile ? 'plain' : '',
          };
    return {
      mode,
      owner: JSON.stringify(
        this.#noiseless ? [uid, gid, '', ''] : [uid, gid, shorten(uname), shorten(gname)],
      ),
      mtime: this.#noiseless ? '' : attributes.mtime,
      records: JSON.stringify([...records].map(([key, value]) => [shorten(key), shorten(value)])),
      content: body.content,
      stored: body.stored,
      length: isFile ? (sparse?.size ?? entry.size) : 0,
    };
  }

  #digestFile(size: number, path: Path, sink: FileSink | null): Promise<ContentName> {
    const isHeld = this.#noiseless && isCompiledName(path) && size <= largestCompiled;
    return isHeld ? this.#digestCompiled(size, sink) : this.#digestPlain(size, sink);
  }

  /** Digests a compiled module of Python without the time of its source. */
  async #digestCompiled(size: number, sink: FileSink | null): Promise<ContentName> {
    const bytes = new Uint8Array(size);
    let filled = 0;
    await this.#passBody(size, sink, (part) => {
      bytes.set(part, filled);
      filled += part.length;
    });
    clearTime(bytes);
    const content = new ContentDigest(this.#block);
    content.write(bytes);
    return content.finishName();
  }

  async #digestPlain(size: number, sink: FileSink | null): Promise<ContentName> {
    const content = new ContentDigest(this.#block);
    await this.#passBody(size, sink, (part) => content.write(part));
    return content.finishName();
  }

  /** Passes a body without its padding to `take`, and with it to a sink that wants it. */
  async #passBody(size: number, sink: FileSink | null, take: (part: Uint8Array) => void): Promise<void> {
    let left = size;
    let isWanted = sink !== null;
    for (let chunk = await this.#reader.takeBody(); chunk !== null; chunk = await this.#reader.takeBody()) {
      if (isWanted) isWanted = sink?.write(chunk) === true;
      const part = chunk.subarray(0, left);
      left -= part.length;
      take(part);
    }
    sink?.end();
  }

  /**
   * Digests the contents of a sparse file as a program would read it, holes as zeros. `stored` is the size of its body in the
   * tar. @throws TAR_INVALID for a map that does not fit the body
   */
  async #digestSparse(stored: number, form: SparseForm): Promise<{ content: ContentName; stored: string }> {
    const body = new StoredBody(this.#reader, stored);
    const pieces = form.pieces ?? (await body.takeMap());
    const size = form.size ?? stored;
    checkPieces(pieces, size, body.left);
    const content = new ContentDigest(this.#block);
    let at = 0;
    for (const { offset, length } of pieces) {
      content.skip(offset - at);
      for (let left = length; left > 0; ) {
        const part = await body.take(left);
        content.write(part);
        left -= part.length;
      }
      at = offset + length;
    }
    content.skip(size - at);
    return { content: content.finishName(), stored: describeForm(form, pieces) };
  }
}

/** Reads the body of an entry without its padding, in parts of at most the requested size. */
class StoredBody {
  readonly #reader: TarReader;
  #chunk: Uint8Array = new Uint8Array(0);
  /** Bytes of the body that have not been taken. */
  left: number;

  constructor(reader: TarReader, size: number) {
    this.#reader = reader;
    this.left = size;
  }

  async take(atMost: number): Promise<Uint8Array> {
    const part = (await this.#peek()).subarray(0, atMost);
    this.#drop(part.length);
    return part;
  }

  /** Takes the map at the start of the body (GNU format 1.0). @throws TAR_INVALID */
  async takeMap(): Promise<readonly SparsePiece[]> {
    const map = new SparseMapReader();
    while (!map.ended) this.#drop(map.take(await this.#peek()));
    return map.pieces();
  }

  async #peek(): Promise<Uint8Array> {
    if (this.left === 0) throw new OcislimError('TAR_INVALID', 'a sparse file in a tar is cut short');
    if (this.#chunk.length === 0)
      this.#chunk = ((await this.#reader.takeBody()) as Uint8Array).subarray(0, this.left);
    return this.#chunk;
  }

  #drop(count: number): void {
    this.#chunk = this.#chunk.subarray(count);
    this.left -= count;
  }
}

function otherContent(entry: TarEntry, { device }: Attributes): string {
  return entry.kind === 'symlink' ? shorten(entry.link) : device;
}

function describeForm({ format }: SparseForm, pieces: readonly SparsePiece[]): string {
  const hash = createHash('sha256');
  for (const { offset, length } of pieces) hash.update(`${offset}+${length} `);
  return `sparse (${format}), ${count(pieces.length, 'piece')}, ${hash.digest('hex')}`;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

/** Returns the text itself, or its start and digest. The ellipsis, which cannot occur as a byte, tells the two apart. */
function shorten(text: ByteString): string {
  if (text.length <= maxText) return text;
  const digest = createHash('sha256').update(bytesOf(text)).digest('hex');
  return `${text.slice(0, 32)}\u2026 ${text.length} bytes, sha256 ${digest}`;
}
