/** An owner of files, connections or threads. `await using` closes it at the end of its block. */
export interface AsyncCloseable extends AsyncDisposable {
  /** Releases the resources. A second call does nothing. */
  close(): Promise<void>;
}

/** Implements disposal by `close`, which the subclass must define as a method. */
export abstract class Closeable implements AsyncCloseable {
  abstract close(): Promise<void>;

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
