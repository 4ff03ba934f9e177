/**
 * Bytes in order. One consumer; pulling is back-pressure; `return()` (leaving a `for await`) is cancellation and
 * releases what the producer holds. A chunk belongs to the consumer: the producer must not write to it again.
 */
export type ByteStream = AsyncIterable<Uint8Array>;
