/** Time and chance, injected so that tests wait for neither. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Waits for so many milliseconds. Rejects with the signal's reason as soon as the signal fires. */
  sleep(milliseconds: number, signal: AbortSignal): Promise<void>;
  /** Returns a random number in [0, 1). */
  random(): number;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  random: () => Math.random(),
  async sleep(milliseconds, signal) {
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const onAbort = (): void => reject(signal.reason as Error);
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      await promise;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    }
  },
};
