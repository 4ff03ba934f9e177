/**
 * Scans the headers of a layer's tar into an index. The layer reader calls it; bodies pass unseen unless a gatherer asks for
 * them.
 */
import { type LayerIndex, LayerIndexBuilder } from '../../changeset/layer-index.ts';
import type { ByteStream } from '../../stream/byte-stream.ts';
import { defaultLimits } from '../../limits.ts';
import { checkGlobal } from '../../tar/head.ts';
import { readGlobal } from '../../tar/read-global.ts';
import { type SkippableStream, TarReader } from '../../tar/reader.ts';
import type { FileSink } from '../../rootfs/facts/collector.ts';
import { Allowance, type HeaderAllowance } from './allowance.ts';
import type { Gatherer } from './gather.ts';

/** The estimated bytes of the facts about a file, mostly its digest. */
const factBytes = 200;

/**
 * Reads the headers of a layer's tar, and the stream to its end; bodies only as far as `gatherer` asks for them. The chunks may
 * be lent: nothing refers to one when the next is asked for.
 * @throws TAR_INVALID, LAYER_INVALID, LIMIT
 */
export async function scanTar(
  stream: ByteStream | SkippableStream,
  gatherer: Gatherer | null = null,
  allowance: HeaderAllowance = new Allowance(defaultLimits).headers(),
): Promise<LayerIndex> {
  const reader = new TarReader(stream);
  const builder = new LayerIndexBuilder();
  try {
    let count = 0;
    for (;;) {
      const entry = reader.nextNow() ?? (await reader.next());
      if (entry === null) break;
      count++;
      if (entry.kind === 'global') checkGlobal(await readGlobal(reader, entry));
      const path = builder.add(entry);
      allowance.take(path, entry.link, entry.kind === 'file' ? 0 : entry.head.length);
      if (gatherer !== null) allowance.takeMore(factBytes);
      const sink = gatherer?.open(count - 1, entry, path) ?? null;
      if (sink !== null) await drain(reader, sink);
    }
  } catch (error) {
    await reader.cancel();
    throw error;
  }
  return builder.finish(reader.offset, reader.end);
}

/** Passes the body to the sink until the sink has enough. The reader skips the rest. */
async function drain(reader: TarReader, sink: FileSink): Promise<void> {
  while (reader.left > 0) {
    const chunk = reader.takeBodyNow() ?? (await reader.takeBody());
    if (chunk === null || !sink.write(chunk)) break;
  }
  sink.end();
}
