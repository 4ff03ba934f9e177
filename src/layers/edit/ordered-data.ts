/**
 * Puts the data of an edited layer into another order than its sources have (`--order similar`). `editTar` calls it for edits that
 * name an order.
 */
import { type DataOrder, editHead, type LayerEdit, replacedBody } from '../../changeset/edit.ts';
import type { EntryActions } from '../../changeset/entry-actions.ts';
import { OcislimError } from '../../errors.ts';
import type { ByteStream } from '../../stream/byte-stream.ts';
import { TarReader } from '../../tar/reader.ts';
import type { Spool } from './spool.ts';
import { KiB, MiB } from '../../units.ts';

/** The limit on the readings of a source. A layer that needs more is an error. */
const maxReadings = 64;
/** The size of a bucket: neighbours in the new order, which are read back at once. */
const bucketBytes = 8 * MiB;
/** The memory for buffers of all buckets together, in which small writes are joined. */
const bufferBytes = 16 * MiB;
const pieceBytes = 256 * KiB;

/** The access to spools, where data waits for its place in the order. */
export interface Spooling {
  /** Opens a spool of `wanted` bytes, or of fewer. */
  readonly open: (wanted: number) => Promise<Spool>;
  /** Called if the room does not suffice for all data, so that the sources are read several times. */
  readonly onReadings: (readings: number, wanted: number, room: number) => void;
}

/** An edited layer whose data is to have a given order. */
export interface Ordering {
  readonly edit: LayerEdit;
  readonly order: DataOrder;
  /** Opens the unpacked tar of a source layer. */
  readonly open: (layer: number) => ByteStream;
  readonly spooling: Spooling;
  /** Receives the heads of entries that become hard links. */
  readonly links: Uint8Array[];
}

/**
 * Writes the data of an edited layer in its order. The data waits in a spool while the sources stream by once, and is read back
 * in its new order: memory holds at most a bucket and small buffers. If the data does not fit, the sources are read once for each
 * part that fits; a file larger than the spool passes through directly, in a reading of its own. The output does not depend on
 * the room.
 * @throws LIMIT if a source would be read more than 64 times; DIGEST_MISMATCH if a source has changed since its scan; IO
 */
export async function* orderedData({ edit, order, open, spooling, links }: Ordering): ByteStream {
  const wanted = order.bytes.reduce((sum, bytes) => sum + bytes, 0);
  const spool = await spooling.open(wanted);
  try {
    const parts = divide(order, spool.capacity);
    if (parts.length > maxReadings) throw tooLittle(parts.length, wanted, spool.capacity);
    if (parts.length > 1) spooling.onReadings(parts.length, wanted, spool.capacity);
    const places = placesOf(edit, order);
    for (const [i, range] of parts.entries()) {
      const part = range.fits ? new SpooledPart(order, range, spool) : null;
      for (const { layer, actions } of edit.sources) {
        const place = places.get(layer) as ReadonlyMap<number, number>;
        // The first round reads all sources, so that all are verified, and all heads of links are found.
        if (i > 0 && ![...place.values()].some((at) => at >= range.from && at < range.to)) continue;
        yield* readSource(open(layer), actions, { range, place, part, links });
      }
      if (part !== null) yield* part.read();
    }
  } finally {
    await spool.close();
  }
}

/** One reading of a source: which part of the data it takes, and where that goes. */
interface PartReading {
  readonly range: Part;
  /** By entry of the source, the place in the new order. */
  readonly place: ReadonlyMap<number, number>;
  /** Null if the range is a single entry that is larger than the spool and passes through directly. */
  readonly part: SpooledPart | null;
  readonly links: Uint8Array[];
}

/** Reads a source to its end, and takes the entries of one range out of it. */
async function* readSource(
  stream: ByteStream,
  actions: EntryActions,
  { range: { from, to }, place, part, links }: PartReading,
): ByteStream {
  const reader = new TarReader(stream);
  try {
    for (let number = 0; ; number++) {
      const entry = reader.nextNow() ?? (await reader.next());
      if (entry === null) break;
      const action = actions.get(number);
      if (action === undefined) continue;
      if (action.kind === 'link') links[action.at] = editHead(entry.head, action);
      const at = place.get(number) ?? -1;
      if (at < from || at >= to) continue;
      const head = editHead(entry.head, action);
      if (part === null) {
        yield head;
      } else {
        const wait = part.start(at, head, action.kind === 'keep');
        if (wait !== null) await wait;
      }
      if (action.kind === 'replace') {
        // The reader passes over the old body.
        const body = replacedBody(action.contents);
        if (part === null) yield body;
        else await part.write(body);
        continue;
      }
      while (reader.left > 0) {
        const chunk = reader.takeBodyNow() ?? (await reader.takeBody());
        if (chunk === null) break;
        if (part === null) {
          yield chunk;
        } else {
          const wait = part.write(chunk);
          if (wait !== null) await wait;
        }
      }
    }
  } finally {
    await reader.cancel();
  }
}

/** A range of places in the new order, `to` exclusive. */
interface Part {
  readonly from: number;
  readonly to: number;
  readonly fits: boolean;
}

/** Divides the data into runs of neighbours that fit into the room, and single entries that do not. */
function divide({ bytes }: DataOrder, room: number): Part[] {
  const parts: Part[] = [];
  let from = 0;
  let sum = 0;
  const close = (to: number): void => {
    if (to > from) parts.push({ from, to, fits: true });
    from = to;
    sum = 0;
  };
  bytes.forEach((size, i) => {
    if (size > room) {
      close(i);
      parts.push({ from: i, to: i + 1, fits: false });
      from = i + 1;
      return;
    }
    if (sum + size > room) close(i);
    sum += size;
  });
  close(bytes.length);
  return parts;
}

/** Returns the places in the new order, by source layer and entry. */
function placesOf(edit: LayerEdit, { layers, entries }: DataOrder): Map<number, Map<number, number>> {
  const places = new Map(edit.sources.map(({ layer }) => [layer, new Map<number, number>()] as const));
  entries.forEach((entry, i) => void places.get(layers[i] as number)?.set(entry, i));
  return places;
}

/**
 * Takes a range of the new order through a spool. Each bucket has a section of the spool, which is filled in the order of the
 * sources, so that both writes and reads are long. A bucket is put in order in memory when it is read back.
 */
class SpooledPart {
  readonly #from: number;
  readonly #spool: Spool;
  /** By place in this part: its bucket, its offset in the spool, and its number of bytes there. */
  readonly #bucketOf: Int32Array;
  readonly #starts: Float64Array;
  readonly #lengths: Float64Array;
  /** In the order of their places. */
  readonly #buckets: Bucket[];
  readonly #buffers: (Buffered | undefined)[];
  readonly #bufferSize: number;
  /** Edited heads, by place. They stay in memory, because an edited head may be larger than the room of the original. */
  readonly #heads = new Map<number, Uint8Array>();
  #current = 0;

  constructor({ bytes }: DataOrder, { from, to }: Part, spool: Spool) {
    this.#from = from;
    this.#spool = spool;
    this.#bucketOf = new Int32Array(to - from);
    this.#starts = new Float64Array(to - from);
    this.#lengths = new Float64Array(to - from);
    this.#buckets = [];
    let start = 0;
    for (let first = from; first < to; ) {
      let end = first;
      let sum = 0;
      while (end < to && (end === first || sum + (bytes[end] as number) <= bucketBytes)) {
        this.#bucketOf[end - from] = this.#buckets.length;
        sum += bytes[end++] as number;
      }
      this.#buckets.push({ first, end, start, stop: start + sum, filled: start });
      start += sum;
      first = end;
    }
    this.#buffers = [];
    this.#bufferSize = Math.min(Math.max(Math.floor(bufferBytes / this.#buckets.length), 4096), 65_536);
  }

  /** Begins the entry at this place. The entries of a part come one after the other, in any order. Awaited like `write`. */
  start(at: number, head: Uint8Array, isVerbatim: boolean): Promise<void> | null {
    this.#current = at - this.#from;
    const { filled } = this.#buckets[this.#bucketOf[this.#current] as number] as Bucket;
    this.#starts[this.#current] = filled;
    if (isVerbatim) return this.write(head);
    this.#heads.set(at, head);
    return null;
  }

  /** Adds bytes to the current entry. Returns null if the buffer took them, which saves a promise for most small entries. */
  write(chunk: Uint8Array): Promise<void> | null {
    const number = this.#bucketOf[this.#current] as number;
    const bucket = this.#buckets[number] as Bucket;
    this.#lengths[this.#current] = (this.#lengths[this.#current] as number) + chunk.length;
    const buffer = (this.#buffers[number] ??= {
      at: bucket.filled,
      bytes: new Uint8Array(this.#bufferSize),
      used: 0,
    });
    bucket.filled += chunk.length;
    if (bucket.filled > bucket.stop)
      throw new OcislimError('DIGEST_MISMATCH', 'a layer has changed since its headers were read');
    if (chunk.length > buffer.bytes.length - buffer.used) return this.#writeThrough(buffer, chunk);
    buffer.bytes.set(chunk, buffer.used);
    buffer.used += chunk.length;
    return null;
  }

  async #writeThrough(buffer: Buffered, chunk: Uint8Array): Promise<void> {
    await this.#flush(buffer);
    if (chunk.length > buffer.bytes.length) {
      await this.#spool.write(buffer.at, chunk);
      buffer.at += chunk.length;
      return;
    }
    buffer.bytes.set(chunk, 0);
    buffer.used = chunk.length;
  }

  async #flush(buffer: Buffered): Promise<void> {
    if (buffer.used > 0) await this.#spool.write(buffer.at, buffer.bytes.subarray(0, buffer.used));
    buffer.at += buffer.used;
    buffer.used = 0;
  }

  /** Reads the part in its order, after all entries have been written. */
  async *read(): ByteStream {
    for (const buffer of this.#buffers) if (buffer !== undefined) await this.#flush(buffer);
    this.#buffers.length = 0;
    for (const { first, end, start, filled } of this.#buckets) {
      const isLarge = end - first === 1 && filled - start > bucketBytes;
      const whole = isLarge ? null : await this.#spool.read(start, filled - start);
      for (let place = first; place < end; place++) {
        const head = this.#heads.get(place);
        if (head !== undefined) yield head;
        const at = this.#starts[place - this.#from] as number;
        const stop = at + (this.#lengths[place - this.#from] as number);
        if (whole !== null) yield whole.subarray(at - start, stop - start);
        else
          for (let next = at; next < stop; next += pieceBytes)
            yield await this.#spool.read(next, Math.min(pieceBytes, stop - next));
      }
    }
  }
}

interface Bucket {
  /** Its places, `end` exclusive. */
  readonly first: number;
  readonly end: number;
  /** Its section of the spool, `stop` exclusive. */
  readonly start: number;
  readonly stop: number;
  /** The offset up to which the section is filled. */
  filled: number;
}

interface Buffered {
  /** The offset in the spool for the first byte of the buffer. */
  at: number;
  readonly bytes: Uint8Array;
  used: number;
}

function tooLittle(readings: number, wanted: number, room: number): OcislimError {
  return new OcislimError(
    'LIMIT',
    `to put ${wanted} bytes of files in order with room for ${room}, the layer would have to be read ${readings} times`,
    { advice: 'Give --max-scratch more room, or leave out --order.' },
  );
}
