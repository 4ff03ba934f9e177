/**
 * The bytes of local disk that a run may use beside its destination (--max-scratch). Scratch and spooled archives share one.
 */
export class DiskBudget {
  readonly limit: number;
  #used = 0;

  /** `limit` in bytes; 0 for no disk at all. */
  constructor(limit: number) {
    this.limit = limit;
  }

  /** Bytes that nothing has taken. */
  get left(): number {
    return this.limit - this.#used;
  }

  /** Takes room, if there is so much. The caller gives it back with `give`. */
  tryTake(bytes: number): boolean {
    if (bytes > this.left) return false;
    this.#used += bytes;
    return true;
  }

  give(bytes: number): void {
    this.#used -= bytes;
  }
}
