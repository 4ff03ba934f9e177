/**
 * Finds what a name of an image leads to, from the topmost layer down: a layer is read only where the ones above it do not tell. The jobs
 * that read single files begin here.
 */
import type { ByteString } from '../../bytes/bytes.ts';
import { joinBytes } from '../../bytes/bytes.ts';
import { cleanPath, type Path } from '../../bytes/path.ts';
import { OcislimError } from '../../errors.ts';
import { resolveName } from '../../rootfs/filesystem.ts';
import { inTurns } from '../../steps.ts';
import type { OneImage } from '../one-image.ts';
import { absentFrom, checkLayer, layersWith } from './absent.ts';
import { LayeredView, NeedsLayer, type Standing } from './layered-view.ts';

/** A name of an image, and the layer that is looked into; null for the image as a container sees it. */
export interface PathWish {
  readonly path: ByteString;
  readonly layer: number | null;
}

/** What a name leads to. */
export interface FoundPath extends Standing {
  /** Free of symlinks. */
  readonly path: Path;
}

/** What each kind of file is called in errors. */
export const kindNames: Readonly<Record<FoundPath['kind'], string>> = {
  directory: 'a folder',
  file: 'a file',
  symlink: 'a symbolic link',
  char: 'a device',
  block: 'a device',
  fifo: 'a named pipe',
};

/**
 * Finds what a name leads to; symlinks are followed within the image. With a layer, the layers above it do not count, and what is found
 * must be its own. @throws NOT_FOUND, SELECTION_INVALID, and what reading layers throws
 */
export async function findPath(
  { image, reader, source }: OneImage,
  { path, layer }: PathWish,
  signal: AbortSignal,
): Promise<FoundPath> {
  if (layer !== null) checkLayer(image, layer, source.label);
  const view = new LayeredView(layer ?? image.manifest.layers.length);
  for (;;) {
    try {
      return checkOwn(lookUp(view, tidy(path), source.label), layer, source.label);
    } catch (error) {
      if (!(error instanceof NeedsLayer)) throw error;
      const index = await reader.index(image, error.layer, signal);
      await inTurns(view.add(error.layer, index), signal);
    }
  }
}

function lookUp(view: LayeredView, name: ByteString, label: string): FoundPath {
  const walk = resolveName(view, name);
  const found = walk.path === null ? null : view.find(walk.path);
  if (walk.path !== null && found !== null) return { ...found, path: walk.path };
  const missing = walk.missing ?? cleanPath(name);
  if (walk.loops)
    throw new OcislimError(
      'NOT_FOUND',
      `${label}: the symbolic links of ${JSON.stringify(name)} lead in a circle`,
    );
  const others = layersWith(missing, view.indexes);
  throw absentFrom(label, missing, { layer: null, others, link: walk.links.at(-1) });
}

/** Passes what is a layer's own. A directory may be that of any layer below. @throws NOT_FOUND */
function checkOwn(found: FoundPath, layer: number | null, label: string): FoundPath {
  if (layer === null || found.kind === 'directory' || found.layer === layer) return found;
  throw absentFrom(label, found.path, { layer, others: [found.layer] });
}

/** Drops what means nothing in a name, so that its literal look-up needs no walk. `..` stays: it depends on symlinks. */
function tidy(name: ByteString): ByteString {
  return joinBytes(
    name.split('/').filter((part) => part !== '' && part !== '.'),
    '/',
  );
}
