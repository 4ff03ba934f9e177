/**
 * Writes the merged root filesystem of an image as one tar. Callers: the command `export`, and `inspect.ts`, which reads the same
 * image to look at it.
 */
import type { AsyncCloseable } from '../closeable.ts';
import { buildEdit, type LayerEdit } from '../changeset/edit.ts';
import { express } from '../changeset/express.ts';
import type { LayerIndex } from '../changeset/layer-index.ts';
import { buildStack } from '../changeset/stack.ts';
import { Tree } from '../changeset/tree.ts';
import { at, OcislimError } from '../errors.ts';
import { type Listener, task } from '../events.ts';
import { type Image } from '../image/image.ts';
import { formatPlatform, type Platform } from '../oci/platform.ts';
import { CachedSource } from '../store/cache/cached-source.ts';
import type { Source } from '../place/place.ts';
import type { ByteStream } from '../stream/byte-stream.ts';
import { coalesce } from '../stream/coalesce.ts';
import { mapParallel } from '../stream/parallel.ts';
import { timeOf } from './rewrite/history.ts';
import { packedBytes } from '../layers/write/content-sources.ts';
import { editTar } from '../layers/edit/edit-tar.ts';
import { readImageSet } from './image-set.ts';
import { LayerReader } from '../layers/read/layer-reader.ts';
import type { RunOptions } from './rewrite/run.ts';
import { Scratch } from '../files/scratch.ts';

export interface ExportOptions
  extends Pick<RunOptions, 'source' | 'jobs' | 'maxScratch' | 'cache' | 'limits' | 'listener' | 'signal'> {
  /** The platform to export. Null: the source must have one image. */
  readonly platform: Platform | null;
}

export interface RootfsExport extends AsyncCloseable {
  /** The tar. It throws no later than at its end where the bytes of a layer are not what they should be. */
  readonly stream: ByteStream;
  readonly entries: number;
  /** Lets go of the local copies of layers; call it when the stream has ended, or is not wanted any more. */
  close(): Promise<void>;
}

/**
 * Writes the merged root filesystem of one image as one tar: every visible path once, parents first, hard links after their
 * targets, no whiteouts; entries as their layers store them. Reads the headers of all layers before it returns.
 * @throws USAGE where there are several images to choose from, UNSUPPORTED for an artifact that is not an image, and whatever reading
 * an image throws
 */
export async function exportRootfs(given: ExportOptions): Promise<RootfsExport> {
  const { listener, signal, cache = null } = given;
  const source = cache === null ? given.source : new CachedSource(given.source, cache);
  const options = { ...given, source };
  const image = await chooseImage(options);
  const scratch = new Scratch(options.maxScratch);
  try {
    const reader = new LayerReader({ source, scratch, listener, cache, limits: given.limits });
    const numbers = image.manifest.layers.map((_, i) => i + 1);
    const indexes = await mapParallel(numbers, options.jobs, signal, (number, _, inner) =>
      reader.index(image, number, inner),
    );
    const edit = mergeLayers(
      image,
      new Map(numbers.map((number, i) => [number, indexes[i] as LayerIndex])),
      source,
    );
    return {
      stream: coalesce(writeRootfs({ image, edit, reader, listener, signal })),
      entries: edit.entries,
      close: () => scratch.close(),
      [Symbol.asyncDispose]: () => scratch.close(),
    };
  } catch (error) {
    await scratch.close();
    throw error;
  }
}

/** Reads the one image that the options select. @throws USAGE where there are several, UNSUPPORTED where there are none */
export async function chooseImage({ source, platform, ...options }: ExportOptions): Promise<Image> {
  const platforms = platform === null ? [] : [platform];
  const { members } = await readImageSet(source, { ...options, platforms, imagesOnly: true });
  const found = members.flatMap(({ image, child }) =>
    image === null ? [] : [{ image, platform: child?.platform ?? image.config.platform }],
  );
  const [first] = found;
  if (first === undefined)
    throw new OcislimError('UNSUPPORTED', `${source.label} is not an image but an artifact of another kind`);
  if (found.length === 1) return first.image;
  const names = found.map((each) =>
    each.platform === null ? 'an unknown platform' : formatPlatform(each.platform),
  );
  throw new OcislimError('USAGE', `${source.label} has ${found.length} images to choose from`, {
    advice: `Give --platform, one of: ${names.join(', ')}.`,
  });
}

/** A squash of all layers, even of a single one, which may hold whiteouts and paths twice. */
function mergeLayers(image: Image, indexes: ReadonlyMap<number, LayerIndex>, source: Source): LayerEdit {
  try {
    const { table, list, layers } = buildStack(indexes);
    const tree = new Tree(table, list);
    for (const layer of layers.values()) tree.apply(layer);
    const { changes } = express(tree, list, { below: { kind: 'nothing' }, own: new Set(indexes.keys()) });
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
