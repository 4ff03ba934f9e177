import { editHead, type EntryAction, type LayerEdit } from '../changeset/edit.ts';
import { OcislimError } from '../errors.ts';
import type { ByteStream } from '../stream/byte-stream.ts';
import { tarEnd } from '../tar/head.ts';
import { TarReader } from '../tar/reader.ts';
import { orderedData, type Spooling } from './ordered-data.ts';

/**
 * Writes the tar of an edited layer: kept entries pass as their verbatim blocks. `open` gives the unpacked tar of a
 * source layer; each is read once, to its end, so that it is verified before the result is believed. Where the data is to
 * have another order than its sources, it goes through a spool, and a source is read more than once if that has little room.
 */
export async function* editTar(
  edit: LayerEdit,
  open: (layer: number) => ByteStream,
  spooling: Spooling | null = null,
): ByteStream {
  if (edit.order !== null && spooling === null)
    throw new OcislimError('INTERNAL', 'data is to be put in order, and there is nowhere to put it by');
  yield* edit.before;
  const links: Uint8Array[] = [];
  if (edit.order === null || spooling === null)
    for (const { layer, actions } of edit.sources) yield* editSource(open(layer), actions, links);
  else yield* orderedData(edit, edit.order, open, spooling, links);
  yield* links;
  yield* edit.after;
  yield tarEnd;
}

/** Heads of what becomes a hard link are put into `links`. */
async function* editSource(
  stream: ByteStream,
  actions: ReadonlyMap<number, EntryAction>,
  links: Uint8Array[],
): ByteStream {
  const reader = new TarReader(stream);
  try {
    let number = 0;
    for (let entry = await reader.next(); entry !== null; entry = await reader.next()) {
      const action = actions.get(number++);
      if (action === undefined) continue;
      if (action.kind === 'link') {
        links[action.at] = editHead(entry.head, action);
        continue;
      }
      yield editHead(entry.head, action);
      for (let chunk = await reader.takeBody(); chunk !== null; chunk = await reader.takeBody()) yield chunk;
    }
  } finally {
    await reader.cancel();
  }
}
