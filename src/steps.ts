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

/** Runs steps in turns with everything else in the process. @throws the reason of the signal, and what the computation throws */
export async function inTurns<Result>(steps: Steps<Result>, signal: AbortSignal): Promise<Result> {
  for (let since = performance.now(); ; ) {
    const { done, value } = steps.next();
    if (done === true) return value;
    if (performance.now() - since < turn) continue;
    await new Promise(setImmediate);
    signal.throwIfAborted();
    since = performance.now();
  }
}
