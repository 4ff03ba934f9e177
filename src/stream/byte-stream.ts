/**
 * The room `stream`: streams of bytes, and parallel work on them. It opens no file and no connection, and does not look into
 * the bytes.
 */

/**
 * Bytes in order, for one consumer. Pulling is back-pressure; `return()` (leaving a `for await`) cancels, and releases what
 * the producer holds. A chunk belongs to the consumer: the producer must not write to it afterwards.
 */
export type ByteStream = AsyncIterable<Uint8Array>;
