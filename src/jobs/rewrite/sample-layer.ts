/**
 * Tries encodings on samples of a layer, to estimate its size and the work of each level. Caller: `tune-layers.ts`, once for each
 * layer that is tuned.
 */
import type { BlockSource } from '../../codec/block.ts';
import { describeEncoder } from '../../codec/describe-encoder.ts';
import type { BlockEncoding } from '../../codec/encoding.ts';
import type { EncoderPool } from '../../codec/encoder-pool.ts';
import { release } from '../../codec/pass-through.ts';
import { type Trial, tryEncoding } from '../../codec/trial.ts';
import type { Ladder } from '../../compress/effort.ts';
import type { PackingOption } from '../../compress/policy.ts';
import { mapParallel } from '../../stream/parallel.ts';
import type { Slots } from '../../stream/slots.ts';
import { MiB } from '../../units.ts';

/** Whole blocks of the encoders that cut finest, and enough of a window for the others. */
export const pieceSize = 4 * MiB;
const maxPieces = 2;
/** The share of its size above which a block that the cheapest level has packed does not get smaller at other levels. */
const packable = 0.98;
/** How much longer the next level may take than the one before. */
const growth = 3;

export interface SampleOptions {
  readonly ladders: readonly Ladder[];
  /** Seconds for trying higher levels than the cheapest. Null: all are tried, several at once, and no time is taken. */
  readonly allowance: number | null;
  readonly pool: EncoderPool;
  /** One for each job of the pool, shared by all layers that are tried at once: no trial waits while its time is taken. */
  readonly slots: Slots;
  readonly signal: AbortSignal;
}

/** The sizes of a layer at each level that was tried. */
export interface LayerSample {
  readonly tarBytes: number;
  /** What was packed at every level tried. */
  readonly sampledBytes: number;
  readonly options: readonly PackingOption[];
  /** Seconds of one thread that the trials took. */
  readonly spent: number;
}

type Piece = Uint8Array<SharedArrayBuffer>;

interface Kept {
  readonly bytes: Piece;
  /** One for each ladder. */
  readonly base: readonly Trial[];
}

/**
 * Reads a tar once, to its end, so that it is verified. All of it is packed at the cheapest level of each ladder, since what a
 * layer holds differs too much from one end to the other for samples to tell. Two pieces of 4 MiB far from each other are kept
 * (pieces that do not pack at all are none of them); what the higher levels save on those they are taken to save everywhere (true
 * within 2 % on layers of real images). The sizes depend on the tar and on the encoders, on nothing else.
 */
export async function sampleLayer(tar: BlockSource, options: SampleOptions): Promise<LayerSample> {
  const { ladders, allowance, signal } = options;
  const whole: Trial[] = ladders.map(() => nothing);
  const stubborn: number[] = ladders.map(() => 0);
  const pieces = new SpreadPieces<Kept>();
  let tarBytes = 0;
  try {
    let memory = new SharedArrayBuffer(pieceSize);
    for (let last = false; !last; ) {
      const block = await tar.next(memory);
      last = block.last;
      const bytes = new Uint8Array(memory, 0, block.bytes.length);
      tarBytes += bytes.length;
      const base = await mapParallel(ladders, ladders.length, signal, ([first], _, inner) =>
        attempt([bytes], first, options, inner),
      );
      base.forEach((trial, i) => (whole[i] = sum([whole[i] as Trial, trial])));
      if (base.every(({ input, output }) => output > input * packable)) {
        base.forEach(({ output }, i) => (stubborn[i] = (stubborn[i] as number) + output));
      } else if (pieces.offer({ bytes, base })) {
        memory = new SharedArrayBuffer(pieceSize);
      }
    }
  } finally {
    await release(tar.close(), signal);
  }
  const { kept } = pieces;
  const spentOnBases = sum(whole).seconds;
  const trials =
    allowance === null
      ? await tryAll(kept, ladders, options)
      : await climb(kept, ladders, whole, { ...options, allowance });
  const found = ladders.flatMap((ladder, i): PackingOption[] => {
    const base = whole[i] as Trial;
    const onKept = sum(kept.map((piece) => piece.base[i] as Trial));
    return [
      optionOf(ladder[0], base.output, base.seconds, tarBytes),
      ...trials
        .filter(({ ladder }) => ladder === i)
        .map(({ encoding, trial }) => {
          const fixed = stubborn[i] as number;
          const ratio = onKept.output === 0 ? 1 : trial.output / onKept.output;
          const size = Math.round(fixed + (base.output - fixed) * ratio);
          const work = trial.input === 0 ? 0 : (trial.seconds * tarBytes) / trial.input;
          return optionOf(encoding, size, work, tarBytes);
        }),
    ];
  });
  return {
    tarBytes,
    sampledBytes: kept.reduce((total, { bytes }) => total + bytes.length, 0),
    options: allowance === null ? found.map((option) => ({ ...option, work: null })) : found,
    spent: spentOnBases + sum(trials.map(({ trial }) => trial)).seconds,
  };
}

function attempt(
  pieces: readonly Piece[],
  encoding: BlockEncoding,
  { pool, slots }: SampleOptions,
  signal: AbortSignal,
): Promise<Trial> {
  return slots.run(() => tryEncoding(pieces, encoding, { pool, signal }));
}

interface LevelTrial {
  readonly ladder: number;
  readonly encoding: BlockEncoding;
  readonly trial: Trial;
}

/** All levels on all pieces, as many at a time as there are jobs. */
async function tryAll(
  kept: readonly Kept[],
  ladders: readonly Ladder[],
  options: SampleOptions,
): Promise<LevelTrial[]> {
  // What takes longest comes first, lest all wait for it in the end.
  const levels = ladders
    .flatMap(([, ...higher], ladder) => higher.map((encoding) => ({ ladder, encoding })))
    .reverse();
  const tasks = levels.flatMap((level) => kept.map(({ bytes }) => ({ level, bytes })));
  const done = await mapParallel(tasks, tasks.length, options.signal, ({ level, bytes }, _, inner) =>
    attempt([bytes], level.encoding, options, inner),
  );
  return levels
    .map((level) => ({ ...level, trial: sum(done.filter((_, i) => tasks[i]?.level === level)) }))
    .reverse();
}

/** One level after the other, as long as the next one is likely to stay within the allowance. */
async function climb(
  kept: readonly Kept[],
  ladders: readonly Ladder[],
  whole: readonly Trial[],
  options: SampleOptions & { readonly allowance: number },
): Promise<LevelTrial[]> {
  const pieces = kept.map(({ bytes }) => bytes);
  const input = pieces.reduce((total, { length }) => total + length, 0);
  const trials: LevelTrial[] = [];
  let left = options.allowance;
  for (const [ladder, [, ...higher]] of ladders.entries()) {
    const base = whole[ladder] as Trial;
    let before = base.input === 0 ? 0 : (base.seconds * input) / base.input;
    for (const encoding of higher) {
      if (before * growth > left) break;
      const trial = await attempt(pieces, encoding, options, options.signal);
      trials.push({ ladder, encoding, trial });
      before = trial.seconds;
      left -= trial.seconds;
    }
  }
  return trials;
}

function optionOf(encoding: BlockEncoding, size: number, work: number, tarBytes: number): PackingOption {
  const { blockSize } = describeEncoder(encoding);
  const threads = blockSize === null ? 1 : Math.max(1, Math.ceil(tarBytes / blockSize));
  return { encoding, compression: encoding.kind, size, work, threads };
}

const nothing: Trial = { input: 0, output: 0, seconds: 0 };

function sum(trials: readonly Trial[]): Trial {
  return trials.reduce(
    (all, { input, output, seconds }) => ({
      input: all.input + input,
      output: all.output + output,
      seconds: all.seconds + seconds,
    }),
    nothing,
  );
}

/** The first of any number of things, and one from between the middle and the end. */
class SpreadPieces<T> {
  kept: T[] = [];
  #distance = 1;
  #offered = 0;

  /** Returns whether the piece is kept, for now. */
  offer(piece: T): boolean {
    if (this.#offered++ % this.#distance !== 0) return false;
    this.kept.push(piece);
    if (this.kept.length > maxPieces) {
      this.kept = this.kept.filter((_, i) => i % 2 === 0);
      this.#distance *= 2;
    }
    return true;
  }
}
