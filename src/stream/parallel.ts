/**
 * Work on many items at a time: over a list, or over items as they come. Jobs call it for requests and for layers.
 */
import { OcislimError } from '../errors.ts';

/**
 * Runs `work` over the items, at most `limit` at a time, and returns the results in the order of the items. After the first
 * failure the signal that `work` received is aborted; when all that had begun has ended, that failure is thrown.
 */
export async function mapParallel<T, R>(
  items: readonly T[],
  limit: number,
  signal: AbortSignal,
  work: (item: T, index: number, signal: AbortSignal) => Promise<R>,
): Promise<R[]> {
  signal.throwIfAborted();
  const failure = new AbortController();
  const inner = AbortSignal.any([signal, failure.signal]);
  const results: R[] = [];
  const errors: unknown[] = [];
  let next = 0;
  const lane = async () => {
    while (next < items.length && !inner.aborted) {
      const index = next++;
      try {
        results[index] = await work(items[index] as T, index, inner);
      } catch (error) {
        errors.push(error);
        failure.abort(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, Math.min(limit, items.length)) }, lane));
  if (errors.length > 0) throw errors[0];
  signal.throwIfAborted();
  return results;
}

/**
 * Runs `work` over items as they come, at most `limit` at a time, and yields the results in the order of the items. Items are taken only as far ahead as
 * there is room. The first failure ends it, once what had begun has ended; leaving the loop early aborts the signal that `work` received.
 */
export async function* mapInOrder<T, R>(
  items: AsyncIterable<T>,
  limit: number,
  signal: AbortSignal,
  work: (item: T, signal: AbortSignal) => Promise<R>,
): AsyncGenerator<R> {
  const leaving = new AbortController();
  const inner = AbortSignal.any([signal, leaving.signal]);
  const running: Promise<R>[] = [];
  try {
    for await (const item of items) {
      inner.throwIfAborted();
      const begun = work(item, inner);
      // It is awaited in its turn; until then its failure is not an unhandled one.
      begun.catch(() => {});
      running.push(begun);
      if (running.length >= limit) yield await (running.shift() as Promise<R>);
    }
    while (running.length > 0) yield await (running.shift() as Promise<R>);
  } finally {
    leaving.abort(new OcislimError('INTERRUPTED', 'the work that this belongs to has ended'));
    await Promise.allSettled(running);
  }
}
