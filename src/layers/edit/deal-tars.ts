/**
 * Writes the tars of several edited layers at once, while their sources stream by a single time. The writer of split layers calls it;
 * each tar is the one that `editTar` writes.
 */
import { editHead, type LayerEdit, replacedBody } from '../../changeset/edit.ts';
import type { EntryActions } from '../../changeset/entry-actions.ts';
import { OcislimError } from '../../errors.ts';
import type { ByteStream } from '../../stream/byte-stream.ts';
import { tarEnd } from '../../tar/head.ts';
import type { TarReader } from '../../tar/reader.ts';
import { Endings } from './endings.ts';

/** Receives the bytes of several tars. */
export interface TarSink {
  /** Takes bytes of a tar. They are copied before it returns. */
  add(tar: number, bytes: Uint8Array): void;
  /** Whether `ready` would wait. */
  readonly isFull: boolean;
  /** Waits until more may be added. */
  ready(): Promise<void>;
}

/** Which tar an entry of a source goes to. */
interface Dealing {
  readonly layer: number;
  /** By entry: the number of the tar, plus one; 0 for an entry that is left out. */
  readonly owners: Uint16Array;
  /** By number of the tar. */
  readonly actions: ReadonlyMap<number, EntryActions>;
  readonly left: number;
}

/**
 * Writes the tars of edits to a sink, the order of whose data is that of the sources. `open` returns the unpacked tar of a source layer,
 * whose chunks may be lent; each is read once and to its end, so that it is verified when this returns. No entry may be in two edits.
 * @throws the errors of the sources, TAR_INVALID for a head that cannot be edited, and what the sink throws
 */
export async function dealTars(
  edits: readonly LayerEdit[],
  open: (layer: number) => ByteStream,
  sink: TarSink,
): Promise<void> {
  if (edits.some(({ order }) => order !== null))
    throw new OcislimError('INTERNAL', 'several tars are to be written at once, and one has another order');
  await addAll(
    sink,
    edits.map(({ before }) => before),
  );
  const links = edits.map((): Uint8Array[] => []);
  await using endings = new Endings();
  for (const dealing of dealingsOf(edits)) {
    await using source = endings.open(open(dealing.layer));
    await dealSource(source.reader, dealing, sink, links);
    await source.leave();
  }
  await endings.end();
  await addAll(
    sink,
    edits.map(({ after }, i) => [...(links[i] as Uint8Array[]), ...after, tarEnd]),
  );
}

async function addAll(sink: TarSink, heads: readonly (readonly Uint8Array[])[]): Promise<void> {
  for (const [tar, own] of heads.entries()) {
    for (const head of own) {
      sink.add(tar, head);
      if (sink.isFull) await sink.ready();
    }
  }
}

/** Finds out for each source, in their order, which tar each of its entries goes to. */
function* dealingsOf(edits: readonly LayerEdit[]): Generator<Dealing> {
  const layers = new Set(edits.flatMap(({ sources }) => sources.map(({ layer }) => layer)));
  for (const layer of [...layers].sort((a, b) => a - b)) {
    const actions = new Map<number, EntryActions>();
    let last = -1;
    let left = 0;
    for (const [tar, { sources }] of edits.entries()) {
      const own = sources.find((source) => source.layer === layer)?.actions;
      if (own === undefined) continue;
      actions.set(tar, own);
      left += own.size;
      for (const [entry] of own) last = Math.max(last, entry);
    }
    const owners = new Uint16Array(last + 1);
    for (const [tar, own] of actions) for (const [entry] of own) owners[entry] = tar + 1;
    yield { layer, owners, actions, left };
  }
}

/** Deals the entries of a source out, up to the last one that goes anywhere. */
async function dealSource(
  reader: TarReader,
  { owners, actions, left: wanted }: Dealing,
  sink: TarSink,
  links: readonly Uint8Array[][],
): Promise<void> {
  let left = wanted;
  for (let number = 0; left > 0; number++) {
    const entry = reader.nextNow() ?? (await reader.next());
    if (entry === null) break;
    const tar = (owners[number] ?? 0) - 1;
    const action = tar < 0 ? undefined : actions.get(tar)?.get(number);
    if (action === undefined) continue;
    left--;
    const head = editHead(entry.head, action);
    if (action.kind === 'link') {
      // Copied, since the reader uses its chunk again.
      (links[tar] as Uint8Array[])[action.at] = head.slice();
      continue;
    }
    sink.add(tar, head);
    if (action.kind === 'replace') {
      // The reader passes over the old body.
      sink.add(tar, replacedBody(action.contents));
    } else {
      while (reader.left > 0) {
        const part = reader.takeBodyNow() ?? (await reader.takeBody());
        if (part !== null) sink.add(tar, part);
        if (sink.isFull) await sink.ready();
      }
    }
    if (sink.isFull) await sink.ready();
  }
}
