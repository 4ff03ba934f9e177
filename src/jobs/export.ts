/**
 * Writes the merged root filesystem of an image as one tar. Callers: the command `export`, and `inspect.ts`, which reads the same
 * image to look at it.
 */
import type { AsyncCloseable } from '../closeable.ts';
import { buildEdit, type LayerEdit } from '../changeset/edit.ts';
import { express } from '../changeset/express.ts';
import type { LayerIndex } from '../changeset/layer-index.ts';
import { stackSteps } from '../changeset/stack.ts';
import { Tree } from '../changeset/tree.ts';
import { at } from '../errors.ts';
import { inTurns, type Steps } from '../steps.ts';
import { type Listener, task } from '../events.ts';
import { type Image } from '../image/image.ts';
import type { Source } from '../place/place.ts';
import type { ByteStream } from '../stream/byte-stream.ts';
import { coalesce } from '../stream/coalesce.ts';
import { timeOf } from './rewrite/history.ts';
import { packedBytes } from '../layers/write/content-sources.ts';
import { editTar } from '../layers/edit/edit-tar.ts';
import type { LayerReader } from '../layers/read/layer-reader.ts';
import type { FileFacts } from '../rootfs/facts/facts.ts';
import type { Filesystem } from '../rootfs/filesystem.ts';
import { inspectOpened } from './inspect.ts';
import { layerNumbers, type OneImageOptions, openOneImage, readIndexes } from './one-image.ts';

export interface OpenedRootfs extends AsyncCloseable {
  readonly entries: number;
  /** Returns the tar. It throws no later than at its end where the bytes of a layer are not what they should be. */
  tar(): ByteStream;
  /** Returns the same filesystem, to look around in, and the facts of its files. It reads the layers again. */
  inspect(): Promise<{ readonly fs: Filesystem; readonly facts: FileFacts }>;
  /** Lets go of the local copies of layers; call it when no tar is read any more. */
  close(): Promise<void>;
}

/**
 * Opens the merged root filesystem of one image, to be read as one tar, as often as one likes: every visible path once, parents first,
 * hard links after their targets, no whiteouts; entries as their layers store them. Reads the headers of all layers before it returns.
 * @throws USAGE where there are several images to choose from, UNSUPPORTED for an artifact that is not an image, and whatever reading
 * an image throws
 */
export async function openRootfs(options: OneImageOptions): Promise<OpenedRootfs> {
  const { listener, signal } = options;
  await using opened = await openOneImage(options);
  const { image, source, reader } = opened;
  const indexes = await readIndexes(opened, layerNumbers(image), options);
  const edit = await inTurns(mergeLayers(image, indexes, source), signal);
  const tar = () => coalesce(writeRootfs({ image, edit, reader, listener, signal }));
  // The local copies of layers stay until the tar is written.
  const kept = opened.handOver();
  const close = () => kept.close();
  const inspect = () => inspectOpened({ image, reader }, options, () => 0);
  return { tar, entries: edit.entries, inspect, close, [Symbol.asyncDispose]: close };
}

export interface RootfsExport extends AsyncCloseable {
  /** The tar, as `OpenedRootfs` has it. */
  readonly stream: ByteStream;
  readonly entries: number;
  /** Lets go of the local copies of layers; call it when the stream has ended, or is not wanted any more. */
  close(): Promise<void>;
}

/** Writes the merged root filesystem of one image as one tar. @throws what `openRootfs` throws */
export async function exportRootfs(options: OneImageOptions): Promise<RootfsExport> {
  const rootfs = await openRootfs(options);
  const close = () => rootfs.close();
  return { stream: rootfs.tar(), entries: rootfs.entries, close, [Symbol.asyncDispose]: close };
}

/** A squash of all layers, even of a single one, which may hold whiteouts and paths twice. */
function* mergeLayers(
  image: Image,
  indexes: ReadonlyMap<number, LayerIndex>,
  source: Source,
): Steps<LayerEdit> {
  try {
    const { table, list, layers } = yield* stackSteps(indexes);
    const tree = new Tree(table, list);
    for (const layer of layers.values()) {
      tree.apply(layer);
      yield;
    }
    const { changes } = express(tree, list, { below: { kind: 'nothing' }, own: new Set(indexes.keys()) });
    yield;
    const mtime = timeOf(image, { from: 1, to: indexes.size }, null);
    return buildEdit(changes, table, indexes, { mtime, modes: new Map() });
  } catch (error) {
    throw at(`source ${source.label}`, error);
  }
}

/** A root filesystem to write, and what reads its layers. */
interface RootfsWriting {
  readonly image: Image;
  readonly edit: LayerEdit;
  readonly reader: LayerReader;
  readonly listener: Listener;
  readonly signal: AbortSignal;
}

async function* writeRootfs({ image, edit, reader, listener, signal }: RootfsWriting): ByteStream {
  const total = packedBytes(
    image,
    edit.sources.map(({ layer }) => layer),
  );
  using writing = task(listener, { id: 'export', phase: 'rewrite', label: 'root filesystem', total });
  yield* editTar(edit, (layer) => reader.tar(image, layer, signal, { onBytes: writing.advance }));
  writing.end(`${edit.entries} entries`);
}
