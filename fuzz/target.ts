import { type ErrorCode, OcislimError } from '../src/errors.ts';
import type { Mutator } from './mutate.ts';

/** One reader of hostile bytes, with all that the fuzzer must know of it. */
export interface Target {
  /** Of the module in `fuzz/targets`, and of the folder of its regressions. */
  readonly name: string;
  /** What holds for whatever bytes, in a sentence: what is broken where `run` throws. */
  readonly invariant: string;
  /** Inputs to begin with, most of them good ones. */
  readonly seeds: () => readonly Uint8Array[];
  /** Words that mean something to the reader, a byte in each unit. */
  readonly dictionary: readonly string[];
  /** Mutations that know the format, beside the general ones. */
  readonly mutators?: readonly Mutator[];
  /** Are those to be used nearly always? For what hardly anything of other bytes survives. */
  readonly isFragile?: boolean;
  /** Makes a mutated input pass the first checks: sums, lengths. */
  readonly mend?: Mutator;
  /** Inputs are cut to this length; 16 KiB where it is not given. */
  readonly maxBytes?: number;
  /** Bytes in, nothing out: an `OcislimError` that is not INTERNAL means refused, anything else thrown is a finding. */
  readonly run: (bytes: Uint8Array) => void | Promise<void>;
}

/** What a target throws where its invariant does not hold. */
class Broken extends Error {
  override readonly name = 'Broken';
}

/** @throws Broken with the sentence, where the condition does not hold */
export function holds(condition: boolean, sentence: string): asserts condition {
  if (!condition) throw new Broken(sentence);
}

/** What a reader made of an input. */
export type Outcome<T> =
  | { readonly kind: 'accepted'; readonly value: T }
  | { readonly kind: 'refused'; readonly code: ErrorCode; readonly message: string };

/** Runs a reader; what is no refusal is thrown on. */
export async function outcomeOf<T>(read: () => T | Promise<T>): Promise<Outcome<T>> {
  try {
    return { kind: 'accepted', value: await read() };
  } catch (error) {
    return refusalOf(error);
  }
}

/** The same for readers that do not wait. */
export function outcomeNow<T>(read: () => T): Outcome<T> {
  try {
    return { kind: 'accepted', value: read() };
  } catch (error) {
    return refusalOf(error);
  }
}

function refusalOf(error: unknown): Outcome<never> {
  if (!(error instanceof OcislimError) || error.code === 'INTERNAL') throw error;
  return { kind: 'refused', code: error.code, message: error.message };
}

/** Runs what is said never to throw, whatever it is given. @throws Broken */
export function neverThrows<T>(what: string, run: () => T): T {
  try {
    return run();
  } catch (cause) {
    throw new Broken(`${what} threw: ${String(cause)}`, { cause });
  }
}

/** The same value, as far as JSON can say it? */
export function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** @throws Broken with the sentence and both values, where they are not the same as far as JSON can say it */
export function same(a: unknown, b: unknown, sentence: string): void {
  const [one, other] = [JSON.stringify(a) ?? 'nothing', JSON.stringify(b) ?? 'nothing'];
  if (one === other) return;
  let at = 0;
  while (one[at] === other[at]) at++;
  const near = (text: string): string => JSON.stringify(text.slice(Math.max(0, at - 40), at + 80));
  throw new Broken(`${sentence}: ${near(one)} and ${near(other)}`);
}

/** A stream of the bytes in chunks of a length. Each chunk has memory of its own. */
export async function* inChunks(bytes: Uint8Array, length: number): AsyncIterable<Uint8Array> {
  for (let at = 0; at < bytes.length; at += length) yield bytes.slice(at, at + length);
}

/** A number that depends on the bytes alone: for choices that an input itself must make, so that it can be run again. */
export function choiceOf(bytes: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (const byte of bytes.subarray(0, 4096)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}
