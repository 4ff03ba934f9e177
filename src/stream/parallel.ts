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
