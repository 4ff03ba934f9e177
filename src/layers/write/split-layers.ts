/**
 * Writes the layers that one range of source layers is laid out as, while the sources are read once. The layer writer calls it with all
 * of them; each has the bytes that it would have if it were written by itself.
 */
import { gatheredBytes, InterleavedEncoder } from '../../codec/interleaved.ts';
import type { PackedEncoding } from '../../codec/encoding.ts';
import { task } from '../../events.ts';
import type { Image } from '../../image/image.ts';
import type { ByteStream } from '../../stream/byte-stream.ts';
import { mapParallel } from '../../stream/parallel.ts';
import { type Seal, sealing, type Sealing } from '../../stream/seal.ts';
import { formatSize, KiB, MiB } from '../../units.ts';
import { dealTars } from '../edit/deal-tars.ts';
import type { Spool } from '../edit/spool.ts';
import { Channel } from './channel.ts';
import { type EditedContent, packedBytes, sourcesOf } from './content-sources.ts';
import type { Packing } from './layer-input.ts';
import type { Writing } from './writing.ts';

/** One of the layers to write. */
export interface SplitPart {
  readonly content: EditedContent;
  readonly encoding: PackedEncoding;
  /** Sends the packed layer to the target. It reads the stream of the packing once, or again after a lost upload. */
  readonly send: (packing: () => Packing, signal: AbortSignal) => Promise<void>;
  /** Writes the layer by itself, with a reading of its sources of its own. */
  readonly alone: (signal: AbortSignal) => Promise<void>;
}

export interface SplitWork {
  readonly image: Image;
  readonly parts: readonly SplitPart[];
  /** Names the range, for progress: "layers 1–9". */
  readonly label: string;
  readonly signal: AbortSignal;
}

/** The memory for the blocks that are being gathered. What needs more is written in several readings. */
const maxGathered = 256 * MiB;
/** How much larger packed layers may be than their share of the packed sources: other levels, other formats. */
const growth = 1.35;
/** Layers that are sent at once. */
const sendings = 4;

/**
 * Writes all parts. A place that takes blobs side by side gets them as they are packed. For any other the packed layers wait in the
 * scratch folder, so that no upload waits for the others. Where the room does not suffice for all of them, the sources are
 * read once for each round. @throws what reading, packing and the target throw
 */
export async function writeSplit(writing: Writing, work: SplitWork): Promise<void> {
  if (writing.target.takesSideBySide === true) {
    for (const parts of roundsOf(work.parts, maxGathered, gatheredBy))
      await writeAtOnce(writing, { ...work, parts });
    return;
  }
  const bytes = packedSizes(work);
  const wanted = [...bytes.values()].reduce((sum, size) => sum + size, 0);
  const spool = await writing.room.open(wanted, work.signal);
  try {
    const readings = roundsOf(work.parts, spool.capacity, (part) => bytes.get(part) ?? 0).flatMap((parts) =>
      roundsOf(parts, maxGathered, gatheredBy),
    );
    if (spool.capacity < wanted)
      tellReadings(writing, work, { readings: readings.length, wanted, room: spool.capacity });
    for (const parts of readings) await writeRound(writing, { ...work, parts }, spool);
  } finally {
    await spool.close();
  }
}

/** Thrown where packed layers take more than was estimated. */
class SpoolShort extends Error {}

/** Writes parts by the spool. What does not fit is written in two rounds, and a single part without the spool. */
async function writeRound(writing: Writing, work: SplitWork, spool: Spool): Promise<void> {
  const { parts, signal } = work;
  try {
    await writeBySpool(writing, work, spool);
  } catch (error) {
    if (!(error instanceof SpoolShort)) throw error;
    if (parts.length < 2) {
      await parts[0]?.alone(signal);
      return;
    }
    const half = Math.ceil(parts.length / 2);
    await writeRound(writing, { ...work, parts: parts.slice(0, half) }, spool);
    await writeRound(writing, { ...work, parts: parts.slice(half) }, spool);
  }
}

function tellReadings(
  { listener }: Writing,
  { label }: SplitWork,
  { readings, wanted, room }: { readonly readings: number; readonly wanted: number; readonly room: number },
): void {
  listener({
    type: 'warning',
    code: 'SCRATCH_SHORT',
    message: `${label}: read ${readings} times, since the new layers take about ${formatSize(wanted)} before they are sent, and there is room for ${formatSize(room)} (--max-scratch)`,
  });
}

function gatheredBy({ content, encoding }: SplitPart): number {
  return gatheredBytes({ encoding, expected: content.edit.tarBytes });
}

/** Divides parts, in their order, so that each division needs no more than there is. A part that needs more is alone. */
function roundsOf(
  parts: readonly SplitPart[],
  most: number,
  needOf: (part: SplitPart) => number,
): readonly (readonly SplitPart[])[] {
  const rounds: SplitPart[][] = [];
  let left = 0;
  for (const part of parts) {
    const need = needOf(part);
    if (rounds.length === 0 || need > left) {
      rounds.push([]);
      left = most;
    }
    rounds.at(-1)?.push(part);
    left -= need;
  }
  return rounds;
}

/** Estimates the bytes of the packed layers: their share of what the sources take, and something more. */
function packedSizes({ image, parts }: SplitWork): ReadonlyMap<SplitPart, number> {
  const sources = new Set(parts.flatMap(({ content }) => sourcesOf(content)));
  const packed = packedBytes(image, [...sources]) * growth;
  const all = parts.reduce((sum, { content }) => sum + content.edit.tarBytes, 0);
  return new Map(
    parts.map((part) => {
      const { tarBytes } = part.content.edit;
      const share = Math.min(tarBytes, (packed * tarBytes) / Math.max(all, 1));
      return [part, Math.ceil(part.encoding.kind === 'none' ? tarBytes : share) + 64 * KiB] as const;
    }),
  );
}

/** What packs some parts in one reading. */
interface Reading extends SplitWork {
  readonly take: (part: number, bytes: Uint8Array) => Promise<void>;
}

/** Reads the sources once and packs all parts. Returns digest and length of each tar. */
async function packParts({ reader, pool, listener }: Writing, reading: Reading): Promise<readonly Seal[]> {
  const { image, parts, label, take, signal } = reading;
  const layers = [...new Set(parts.flatMap(({ content }) => sourcesOf(content)))];
  const total = packedBytes(image, layers);
  using making = task(listener, {
    id: `split ${label} ${parts[0]?.content.edit.tarBytes}`,
    phase: 'rewrite',
    label,
    total,
  });
  const streams = parts.map(({ content, encoding }) => ({ encoding, expected: content.edit.tarBytes }));
  const encoder = await InterleavedEncoder.open(streams, take, { pool, signal });
  try {
    const open = (layer: number): ByteStream =>
      reader.tar(image, layer, signal, { onBytes: making.advance, lent: true });
    await dealTars(
      parts.map(({ content }) => content.edit),
      open,
      encoder,
    );
    const seals = await encoder.end();
    making.end(`${parts.length} layers`);
    return seals;
  } finally {
    encoder.close();
  }
}

/** Sends all parts to the target while they are packed. */
async function writeAtOnce(writing: Writing, work: SplitWork): Promise<void> {
  const { parts } = work;
  const failure = new AbortController();
  const signal = AbortSignal.any([work.signal, failure.signal]);
  const channels = parts.map(() => new Channel(signal));
  const packed = channels.map((channel) => sealing(channel.stream()));
  let plain: readonly Seal[] = [];
  const pack = async (inner: AbortSignal): Promise<void> => {
    plain = await packParts(writing, {
      ...work,
      take: (part, bytes) => (channels[part] as Channel).give(bytes),
      signal: inner,
    });
    for (const channel of channels) channel.end();
  };
  const send = async (part: SplitPart, i: number, inner: AbortSignal): Promise<void> => {
    const { stream, seal } = packed[i] as Sealing;
    const seals = () => ({ plain: plain[i] as Seal, compressed: seal() });
    await part.send(() => ({ stream, seals, isOfInput: () => false }), inner);
  };
  const jobs = [pack, ...parts.map((part, i) => (inner: AbortSignal) => send(part, i, inner))];
  await mapParallel(jobs, jobs.length, signal, async (job, _, inner) => {
    try {
      await job(inner);
    } catch (error) {
      failure.abort(error);
      throw error;
    }
  });
}

/** A stretch of a spool. */
interface Stretch {
  readonly at: number;
  readonly length: number;
}

/** Packs all parts into a spool, then sends them. */
async function writeBySpool(writing: Writing, work: SplitWork, spool: Spool): Promise<void> {
  const { parts, signal } = work;
  const stretches = parts.map((): Stretch[] => []);
  let at = 0;
  const plain = await packParts(writing, {
    ...work,
    take: async (part, bytes) => {
      if (at + bytes.length > spool.capacity) throw new SpoolShort();
      stretches[part]?.push({ at, length: bytes.length });
      at += bytes.length;
      await spool.write(at - bytes.length, bytes);
    },
  });
  await mapParallel(parts, sendings, signal, (part, i, inner) =>
    part.send(() => spooled(stretches[i] as Stretch[], spool, plain[i] as Seal), inner),
  );
}

/** Reads a packed layer back. */
function spooled(stretches: readonly Stretch[], spool: Spool, plain: Seal): Packing {
  async function* read(): ByteStream {
    for (const { at, length } of stretches) yield await spool.read(at, length);
  }
  const { stream, seal } = sealing(read());
  return { stream, seals: () => ({ plain, compressed: seal() }), isOfInput: () => false };
}
