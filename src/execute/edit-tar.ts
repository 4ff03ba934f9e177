import type { EntryAction, LayerEdit } from '../changeset/edit.ts';
import type { ByteStream } from '../stream/byte-stream.ts';
import { chmodHead, renameHead, tarEnd } from '../tar/head.ts';
import { TarReader } from '../tar/reader.ts';

/**
 * Writes the tar of an edited layer: kept entries pass as their verbatim blocks. `open` gives the unpacked tar of a
 * source layer; each is read once, to its end, so that it is verified before the result is believed.
 */
export async function* editTar(edit: LayerEdit, open: (layer: number) => ByteStream): ByteStream {
  yield* edit.before;
  for (const { layer, actions } of edit.sources) yield* editSource(open(layer), actions);
  yield* edit.after;
  yield tarEnd;
}

async function* editSource(stream: ByteStream, actions: ReadonlyMap<number, EntryAction>): ByteStream {
  const reader = new TarReader(stream);
  try {
    let number = 0;
    for (let entry = await reader.next(); entry !== null; entry = await reader.next()) {
      const action = actions.get(number++);
      if (action === undefined) continue;
      yield editHead(entry.head, action);
      for (let chunk = await reader.takeBody(); chunk !== null; chunk = await reader.takeBody()) yield chunk;
    }
  } finally {
    await reader.cancel();
  }
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
