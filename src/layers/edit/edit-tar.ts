/**
 * Writes the tar of an edited layer as its sources stream by. The layer writer packs the result, and `export` gives it out as it
 * is.
 */
import { editHead, type LayerEdit } from '../../changeset/edit.ts';
import type { EntryActions } from '../../changeset/entry-actions.ts';
import { OcislimError } from '../../errors.ts';
import type { ByteStream } from '../../stream/byte-stream.ts';
import { Coalescer } from '../../stream/coalesce.ts';
import { tarEnd } from '../../tar/head.ts';
import { TarReader } from '../../tar/reader.ts';
import { orderedData, type Spooling } from './ordered-data.ts';

/**
 * Writes the tar of an edited layer: kept entries pass as their verbatim blocks. `open` gives the unpacked tar of a
 * source layer; each is read once, to its end, so that it is verified before the result is believed. Its chunks may be lent:
 * what is given out is then lent, too. Where the data is to have another order than its sources, it goes through a spool, and
 * a source is read more than once if that has little room; nothing can be lent then.
 */
export async function* editTar(
  edit: LayerEdit,
  open: (layer: number) => ByteStream,
  spooling: Spooling | null = null,
): ByteStream {
  const { order } = edit;
  if (order !== null && spooling === null)
    throw new OcislimError('INTERNAL', 'data is to be put in order, and there is nowhere to put it by');
  const pieces = new Coalescer();
  /** Heads of what becomes a hard link. */
  const links: Uint8Array[] = [];
  yield* gather(edit.before, pieces);
  if (order === null || spooling === null) {
    for (const { layer, actions } of edit.sources) yield* editSource(open(layer), actions, pieces, links);
  } else {
    for await (const chunk of orderedData({ edit, order, open, spooling, links })) {
      pieces.add(chunk);
      yield* pieces.ready();
    }
  }
  yield* gather(links, pieces);
  yield* gather(edit.after, pieces);
  yield* gather([tarEnd], pieces);
  pieces.end();
  yield* pieces.ready();
}

/** An entry is hundreds of bytes, and whatever goes through a generator alone costs as much as hashing thousands. */
async function* editSource(
  stream: ByteStream,
  actions: EntryActions,
  pieces: Coalescer,
  links: Uint8Array[],
): ByteStream {
  const reader = new TarReader(stream);
  try {
    for (let number = 0; ; number++) {
      let entry = reader.nextNow();
      if (entry === null) {
        // Before the reader goes on, nothing may refer to its chunk any more.
        yield* settled(pieces);
        entry = await reader.next();
      }
      if (entry === null) break;
      const action = actions.get(number);
      if (action === undefined) continue;
      if (action.kind === 'link') {
        links[action.at] = editHead(entry.head, action);
        continue;
      }
      pieces.add(editHead(entry.head, action));
      while (reader.left > 0) {
        let part = reader.takeBodyNow();
        if (part === null) {
          yield* settled(pieces);
          part = await reader.takeBody();
        }
        if (part !== null) pieces.add(part);
        yield* pieces.ready();
      }
    }
  } finally {
    await reader.cancel();
  }
}

function* gather(heads: Iterable<Uint8Array>, pieces: Coalescer): Generator<Uint8Array> {
  for (const head of heads) {
    pieces.add(head);
    yield* pieces.ready();
  }
}

function* settled(pieces: Coalescer): Generator<Uint8Array> {
  pieces.settle();
  yield* pieces.ready();
}
