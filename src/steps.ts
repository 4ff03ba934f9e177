/**
 * Long computations in steps. Whole layers are thought through without a wait, and in the meantime no signal is heard; steps let the
 * process look around. The algebra of layers makes them, jobs run them in turns, and tests at once.
 */

/** A computation that pauses now and then. What it yields has no meaning. */
export type Steps<Result> = Generator<undefined, Result, undefined>;

/** Items of a loop between two pauses: some milliseconds. */
export const itemsPerStep = 16_384;

/** Milliseconds that the process computes before it looks around. */
const turn = 50;

/** Runs all steps at once. @throws what the computation throws */
export function atOnce<Result>(steps: Steps<Result>): Result {
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}

/** Items of a list that are sorted at once. */
const sortedAtOnce = 32_768;

/** Sorts texts by their UTF-16 units: runs at once, which are then merged two by two. */
export function* sortSteps<Text extends string>(texts: Iterable<Text>): Steps<Text[]> {
  let list: Text[] = [];
  for (const text of texts) {
    list.push(text);
    if (list.length % itemsPerStep === 0) yield;
  }
  for (let start = 0; start < list.length; start += sortedAtOnce) {
    const run = list.slice(start, start + sortedAtOnce).sort();
    for (const [i, text] of run.entries()) list[start + i] = text;
    yield;
  }
  for (let width = sortedAtOnce; width < list.length; width *= 2) list = yield* mergeRuns(list, width);
  return list;
}

/** Merges each two neighbouring runs of a width. */
function* mergeRuns<Text extends string>(list: readonly Text[], width: number): Steps<Text[]> {
  const merged: Text[] = [];
  for (let start = 0; start < list.length; start += 2 * width) {
    const middle = Math.min(start + width, list.length);
    const end = Math.min(middle + width, list.length);
    for (let left = start, right = middle; left < middle || right < end; ) {
      const isLeft = right >= end || (left < middle && (list[left] as Text) <= (list[right] as Text));
      merged.push(list[isLeft ? left++ : right++] as Text);
      if (merged.length % itemsPerStep === 0) yield;
    }
  }
  return merged;
}

/** Runs steps in turns with everything else in the process. @throws the reason of the signal, and what the computation throws */
export async function inTurns<Result>(steps: Steps<Result>, signal: AbortSignal): Promise<Result> {
  for (const turns = new Turns(); ; ) {
    const { done, value } = steps.next();
    if (done === true) return value;
    if (turns.isOver) await turns.next(signal);
  }
}

/** The turns of long work that is not made of steps. */
export class Turns {
  #since = performance.now();

  /** Whether the process should look around. */
  get isOver(): boolean {
    return performance.now() - this.#since >= turn;
  }

  /** Lets everything else in the process run. @throws the reason of the signal */
  async next(signal: AbortSignal): Promise<void> {
    await new Promise(setImmediate);
    signal.throwIfAborted();
    this.#since = performance.now();
  }
}
