import type { EntryAction, LayerEdit } from '../changeset/edit.ts';
import type { EntryActions } from '../changeset/entry-actions.ts';
import type { ByteStream } from '../stream/byte-stream.ts';
import { Coalescer } from '../stream/coalesce.ts';
import { chmodHead, renameHead, tarEnd } from '../tar/head.ts';
import { TarReader } from '../tar/reader.ts';

/**
 * Writes the tar of an edited layer: kept entries pass as their verbatim blocks. `open` gives the unpacked tar of a
 * source layer; each is read once, to its end, so that it is verified before the result is believed. Its chunks may be lent:
 * what is given out is then lent, too.
 */
export async function* editTar(edit: LayerEdit, open: (layer: number) => ByteStream): ByteStream {
  const pieces = new Coalescer();
  yield* gather(edit.before, pieces);
  for (const { layer, actions } of edit.sources) yield* editSource(open(layer), actions, pieces);
  yield* gather(edit.after, pieces);
  yield* gather([tarEnd], pieces);
  pieces.end();
  yield* ready(pieces);
}

/** An entry is hundreds of bytes, and whatever goes through a generator alone costs as much as hashing thousands. */
async function* editSource(stream: ByteStream, actions: EntryActions, pieces: Coalescer): ByteStream {
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
      pieces.add(editHead(entry.head, action));
      while (reader.left > 0) {
        let part = reader.takeBodyNow();
        if (part === null) {
          yield* settled(pieces);
          part = await reader.takeBody();
        }
        if (part !== null) pieces.add(part);
        for (let block = pieces.take(); block !== null; block = pieces.take()) yield block;
      }
    }
  } finally {
    await reader.cancel();
  }
}

function* gather(heads: Iterable<Uint8Array>, pieces: Coalescer): Generator<Uint8Array> {
  for (const head of heads) {
    pieces.add(head);
    yield* ready(pieces);
  }
}

function* settled(pieces: Coalescer): Generator<Uint8Array> {
  pieces.settle();
  yield* ready(pieces);
}

function* ready(pieces: Coalescer): Generator<Uint8Array> {
  for (let block = pieces.take(); block !== null; block = pieces.take()) yield block;
}

function editHead(head: Uint8Array, action: EntryAction): Uint8Array {
  switch (action.kind) {
    case 'keep':
      return head;
    case 'chmod':
      return chmodHead(head, action.mode);
    case 'rename':
      return renameHead(action.mode === null ? head : chmodHead(head, action.mode), action.path);
  }
}
