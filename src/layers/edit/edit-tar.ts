/**
 * Writes the tar of an edited layer while its sources stream by. The layer writer packs the result, and `export` writes it
 * unchanged.
 */
import { editHead, type LayerEdit, replacedBody } from '../../changeset/edit.ts';
import type { EntryActions } from '../../changeset/entry-actions.ts';
import { OcislimError } from '../../errors.ts';
import type { ByteStream } from '../../stream/byte-stream.ts';
import { Coalescer } from '../../stream/coalesce.ts';
import { tarEnd } from '../../tar/head.ts';
import type { TarReader } from '../../tar/reader.ts';
import { Endings } from './endings.ts';
import { orderedData, type Spooling } from './ordered-data.ts';

/**
 * Writes the tar of an edited layer. Kept entries pass as their verbatim blocks. `open` returns the unpacked tar of a source
 * layer; each is read once and to its end, so that it is verified before the result is used. The chunks of a source may be
 * lent, and the output is then lent, too. If the data needs another order than its sources have, it goes through a spool, and
 * sources are read several times if the spool is small; their chunks must not be lent then.
 * With `endings` left, a source is read no further than its last kept entry, and its bytes are not verified.
 * @throws the errors of the sources, TAR_INVALID for a head that cannot be edited, and those of `orderedData`
 */
export async function* editTar(
  edit: LayerEdit,
  open: (layer: number) => ByteStream,
  spooling: Spooling | null = null,
  endings: 'read' | 'left' = 'read',
): ByteStream {
  const { order } = edit;
  if (order !== null && spooling === null)
    throw new OcislimError('INTERNAL', 'data is to be put in order, and there is nowhere to put it by');
  const pieces = new Coalescer();
  /** Heads of entries that become hard links. They are written after all data, which holds their targets. */
  const links: Uint8Array[] = [];
  yield* gather(edit.before, pieces);
  if (order === null || spooling === null) {
    yield* inTheirOrder(edit, open, { pieces, links, endings });
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

/** What collects the pieces of a tar that is being written. */
interface Writing {
  readonly pieces: Coalescer;
  /** Heads of hard links, by their places behind the data. */
  readonly links: Uint8Array[];
  readonly endings: 'read' | 'left';
}

/** Streams the sources one after the other. What follows the last needed entry of one is read beside the next, to verify it. */
async function* inTheirOrder(
  { sources }: LayerEdit,
  open: (layer: number) => ByteStream,
  { pieces, links, endings: wanted }: Writing,
): ByteStream {
  await using endings = new Endings();
  for (const { layer, actions } of sources) {
    await using source = endings.open(open(layer));
    yield* editSource(source.reader, actions, pieces, links);
    if (wanted === 'read') await source.leave();
  }
  await endings.end();
}

/**
 * Streams a source through its actions, up to the last one. Small pieces are joined before they are yielded: passing one through a
 * generator costs as much as hashing thousands of bytes, and most entries have only hundreds.
 */
async function* editSource(
  reader: TarReader,
  actions: EntryActions,
  pieces: Coalescer,
  links: Uint8Array[],
): ByteStream {
  let left = actions.size;
  for (let number = 0; left > 0; number++) {
    let entry = reader.nextNow();
    if (entry === null) {
      // The reader reuses its chunk in `next`, so all pieces that refer to it are written first.
      yield* settled(pieces);
      entry = await reader.next();
    }
    if (entry === null) break;
    const action = actions.get(number);
    if (action === undefined) continue;
    left--;
    if (action.kind === 'link') {
      links[action.at] = editHead(entry.head, action);
      continue;
    }
    pieces.add(editHead(entry.head, action));
    if (action.kind === 'replace') {
      // The reader passes over the old body.
      pieces.add(replacedBody(action.contents));
      yield* pieces.ready();
      continue;
    }
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
  yield* settled(pieces);
}

function* gather(heads: Iterable<Uint8Array>, pieces: Coalescer): Generator<Uint8Array> {
  for (const head of heads) {
    pieces.add(head);
    yield* pieces.ready();
  }
}

/** Copies what still refers to the reader's chunk, and yields what is complete. */
function* settled(pieces: Coalescer): Generator<Uint8Array> {
  pieces.settle();
  yield* pieces.ready();
}
