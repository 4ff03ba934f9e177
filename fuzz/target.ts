/** The form of a target, and helpers to state its invariant. A module in targets/ exports one. */
import { type ErrorCode, OcislimError } from '../src/errors.ts';
import type { Mutator } from './mutate.ts';

/** One reader of hostile bytes, with everything that the fuzzer must know of it. */
export interface Target {
  /** The name of its module in `fuzz/targets`, and of the folder of its regressions. */
  readonly name: string;
  /** A sentence that holds for any bytes. `run` throws where it does not. */
  readonly invariant: string;
  /** Inputs to begin with, most of them valid. */
  readonly seeds: () => readonly Uint8Array[];
  /** Words that mean something to the reader, a byte in each unit. */
  readonly dictionary: readonly string[];
  /** Mutations that know the format, used beside the general ones. */
  readonly mutators?: readonly Mutator[];
  /** Whether those are used nearly always, because hardly any input survives the general ones. Default: no. */
  readonly isFragile?: boolean;
  /** Repairs a mutated input so that it passes the first checks: sums, lengths. */
  readonly mend?: Mutator;
  /** The length that inputs are cut to. Default: 16 KiB. */
  readonly maxBytes?: number;
  /** Reads the bytes. An `OcislimError` that is not INTERNAL is a refusal; anything else thrown is a finding. */
  readonly run: (bytes: Uint8Array) => void | Promise<void>;
}

/** An invariant that does not hold. */
class Broken extends Error {
  override readonly name = 'Broken';
}

/** Checks a condition. @throws Broken with the sentence, where the condition does not hold */
export function holds(condition: boolean, sentence: string): asserts condition {
  if (!condition) throw new Broken(sentence);
}

/** The outcome of a reader: its value, or that it refused. */
export type Outcome<T> =
  | { readonly kind: 'accepted'; readonly value: T }
  | { readonly kind: 'refused'; readonly code: ErrorCode; readonly message: string };

/** Runs a reader, and returns its outcome. Errors that are not refusals are thrown. */
export async function outcomeOf<T>(read: () => T | Promise<T>): Promise<Outcome<T>> {
  try {
    return { kind: 'accepted', value: await read() };
  } catch (error) {
    return refusalOf(error);
  }
}

/** Runs a synchronous reader, and returns its outcome. Errors that are not refusals are thrown. */
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

/** Runs a function that must never throw. @throws Broken */
export function neverThrows<T>(what: string, run: () => T): T {
  try {
    return run();
  } catch (cause) {
    throw new Broken(`${what} threw: ${String(cause)}`, { cause });
  }
}

/** Returns whether two values are equal as JSON. */
export function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** Checks that two values are equal as JSON. @throws Broken with the sentence and both values */
export function same(a: unknown, b: unknown, sentence: string): void {
  const [one, other] = [JSON.stringify(a) ?? 'nothing', JSON.stringify(b) ?? 'nothing'];
  if (one === other) return;
  let at = 0;
  while (one[at] === other[at]) at++;
  const near = (text: string): string => JSON.stringify(text.slice(Math.max(0, at - 40), at + 80));
  throw new Broken(`${sentence}: ${near(one)} and ${near(other)}`);
}

/** Yields the bytes in chunks of a length. Each chunk has memory of its own. */
export async function* inChunks(bytes: Uint8Array, length: number): AsyncIterable<Uint8Array> {
  for (let at = 0; at < bytes.length; at += length) yield bytes.slice(at, at + length);
}

/** Returns a number that depends on the bytes alone. Choices made by it can be repeated from the input. */
export function choiceOf(bytes: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (const byte of bytes.subarray(0, 4096)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}
