/**
 * Copies a file or a folder of an image into a folder of this machine. Only layers that hold some of it are read, each to its end, so that
 * its digest and DiffID are checked before anything has its final name. `ocislim extract` calls it.
 */
import { baseOf, join, parentOf, type Path, quotePath, root } from '../../bytes/path.ts';
import { bytesOf } from '../../bytes/bytes.ts';
import { buildEdit, type LayerEdit } from '../../changeset/edit.ts';
import { EntryActions } from '../../changeset/entry-actions.ts';
import { express } from '../../changeset/express.ts';
import type { LayerIndex } from '../../changeset/layer-index.ts';
import { stackSteps } from '../../changeset/stack.ts';
import { Tree } from '../../changeset/tree.ts';
import { at, OcislimError } from '../../errors.ts';
import { task } from '../../events.ts';
import { StagedFolder } from '../../files/staged-folder.ts';
import { editTar } from '../../layers/edit/edit-tar.ts';
import { Disk } from '../../layers/unpack/disk.ts';
import { type Grants, settle, type Unpacked, unpackTar } from '../../layers/unpack/unpack.ts';
import { packedBytes } from '../../layers/write/content-sources.ts';
import { defaultLimits } from '../../limits.ts';
import { inTurns, type Steps } from '../../steps.ts';
import {
  layerNumbers,
  type OneImage,
  type OneImageOptions,
  openOneImage,
  readIndexes,
} from '../one-image.ts';
import { timeOf } from '../rewrite/history.ts';
import { type FoundPath, findPath, kindNames, type PathWish } from './find-path.ts';

export interface ExtractWish extends PathWish {
  /** The folder to write into. It is made if it is not there. */
  readonly into: string;
  /** Whether what is in a directory of the image goes into the folder, without a folder of its name. */
  readonly strip: boolean;
  /** Whether files that are there are replaced. */
  readonly force: boolean;
  /** Whether layers are read to their ends, and checked. */
  readonly verify: boolean;
  readonly grants: Grants;
}

/** What was extracted, as plain data. */
export interface Extraction extends Omit<Unpacked, 'folders'> {
  /** The reference as the user wrote it. */
  readonly image: string;
  /** What was extracted, free of symlinks. */
  readonly path: Path;
  /** Where it is now. */
  readonly destination: string;
  /** The layers that it came from. */
  readonly layers: readonly number[];
}

/** Something of an image that is to be unpacked. */
interface Part {
  readonly edit: LayerEdit;
  /** The name that it gets in the folder; empty for the folder itself. */
  readonly name: Path;
  /** Gives each path of the tar its name in the folder. */
  readonly placeOf: (path: Path) => Path | null;
}

/**
 * Extracts a file or a directory. On any error nothing has its final name, except where --force adds to folders that were there.
 * @throws NOT_FOUND, UNSUPPORTED, LAYER_INVALID, IO, and what reading an image throws
 */
export async function extractFiles(options: OneImageOptions, wish: ExtractWish): Promise<Extraction> {
  const { signal } = options;
  await using opened = await openOneImage(options);
  const found = await findPath(opened, wish, signal);
  requireGranted(found, wish.grants, opened.source.label);
  const part = await partOf(opened, found, wish, options);
  await using staged = await StagedFolder.open(wish.into);
  if (part.name !== '' && !wish.force) await staged.requireFree([Buffer.from(bytesOf(part.name))]);
  const { folders, ...unpacked } = await unpackPart(opened, part, staged, { ...options, ...wish });
  await publish(staged, folders, wish.force);
  return {
    ...unpacked,
    image: opened.source.label,
    path: found.path,
    destination:
      part.name === '' ? staged.target : `${staged.target}/${Buffer.from(bytesOf(part.name)).toString()}`,
    layers: part.edit.sources.map(({ layer }) => layer),
  };
}

/** Refuses a device or named pipe that would be left out: nothing would be extracted. @throws UNSUPPORTED */
function requireGranted({ kind, path }: FoundPath, { devices }: Grants, label: string): void {
  if (devices || !['char', 'block', 'fifo'].includes(kind)) return;
  throw new OcislimError(
    'UNSUPPORTED',
    `${label}: ${quotePath(path)} is ${kindNames[kind]}, which is left out`,
    { advice: '--devices makes devices and named pipes.' },
  );
}

async function unpackPart(
  { image, reader }: OneImage,
  { edit, placeOf }: Part,
  { path, umask }: StagedFolder,
  { listener, limits = defaultLimits, signal, verify, grants }: OneImageOptions & ExtractWish,
): Promise<Unpacked> {
  const total = packedBytes(
    image,
    edit.sources.map(({ layer }) => layer),
  );
  using writing = task(listener, { id: 'extract', phase: 'copy', label: 'files', total });
  const open = (layer: number) => reader.tar(image, layer, signal, { onBytes: writing.advance });
  const tar = editTar(edit, open, null, verify ? 'read' : 'left');
  // Owners restore an image as it is; everybody else gets files as this process makes them.
  const mask = grants.owners ? 0 : umask;
  const unpacked = await unpackTar(tar, new Disk(path), { grants, umask: mask, placeOf, limits, signal });
  writing.end(`${unpacked.files} files`);
  return unpacked;
}

/**
 * Gives everything its final name and rights, once it is known that all of it can get there. A folder that moves into another gets its
 * rights when it is there: to move it, this user must be able to write into it. One that was there before keeps its own.
 */
async function publish(staged: StagedFolder, folders: Unpacked['folders'], force: boolean): Promise<void> {
  const plan = await staged.plan(force);
  if (staged.becomesTarget) {
    const usual = { place: root, rights: { mode: 0o777 & ~staged.umask, owner: null, mtime: null } };
    const isTold = folders.some(({ place }) => place === root);
    settle(new Disk(staged.path), isTold ? folders : [usual, ...folders]);
    await staged.publish(plan);
    return;
  }
  const { moved = [], inner = [] } = Object.groupBy(
    folders.filter(({ place }) => !plan.kept.has(place)),
    ({ place }) => (plan.kept.has(parentOf(place)) ? 'moved' : 'inner'),
  );
  settle(new Disk(staged.path), inner);
  await staged.publish(plan);
  settle(new Disk(staged.target), moved);
}

/** Decides what to unpack, and under which names. */
async function partOf(
  opened: OneImage,
  found: FoundPath,
  { layer, path, strip }: ExtractWish,
  options: OneImageOptions,
): Promise<Part> {
  const { image, source } = opened;
  const own = nameIn(path, found.path);
  if (found.kind !== 'directory') {
    const actions = new EntryActions();
    actions.set(found.entry, { kind: 'keep' });
    const edit = {
      before: [],
      after: [],
      linkNames: [],
      sources: [{ layer: found.layer, actions }],
      order: null,
      links: 0,
    };
    return { edit: { ...edit, tarBytes: 0, entries: 1 }, name: own, placeOf: () => own };
  }
  const numbers = layer === null ? layerNumbers(image) : [layer];
  const indexes = await readIndexes(opened, numbers, options);
  const mtime = timeOf(image, { from: 1, to: image.manifest.layers.length }, null);
  try {
    const edit = await inTurns(editBelow(indexes, { path: found.path, layer, mtime }), options.signal);
    const name = strip ? ('' as Path) : own;
    return { edit, name, placeOf: placesBelow(found.path, name) };
  } catch (error) {
    throw at(`source ${source.label}`, error);
  }
}

/** Returns the name for what was asked for: its own last component, or where that says nothing, that of where it led. */
function nameIn(asked: ExtractWish['path'], found: Path): Path {
  const last = asked.split('/').findLast((part) => part !== '' && part !== '.');
  return last === undefined || last === '..' ? (baseOf(found) as Path) : (last as string as Path);
}

function placesBelow(directory: Path, name: Path): (path: Path) => Path | null {
  const cut = directory === '' ? 0 : directory.length + 1;
  return (path) => {
    if (path === directory) return name;
    const rest = path.slice(cut);
    return directory === '' || path.startsWith(`${directory}/`) ? join(name, rest) : null;
  };
}

interface Below {
  readonly path: Path;
  /** The one layer that counts; null for all. */
  readonly layer: number | null;
  readonly mtime: number;
}

/** Makes the edit that writes a directory and all below it, as a container sees it, or as one layer has it. */
function* editBelow(
  indexes: ReadonlyMap<number, LayerIndex>,
  { path, layer, mtime }: Below,
): Steps<LayerEdit> {
  const { table, list, layers } = yield* stackSteps(indexes);
  const tree = new Tree(table, list, layer === null || layer === 1 ? 'nothing' : 'unknown');
  for (const changes of layers.values()) {
    tree.apply(changes);
    yield;
  }
  const top = table.findId(path);
  const end = top === null ? 0 : (table.end[top] as number);
  for (let id = 0; id < table.paths.length; id++) {
    if (top === null || id < top || id >= end) tree.forget(id);
    else if ((tree.file[id] as number) < 0) throw linksBelow(table.paths[id] as Path, layer);
  }
  yield;
  const { changes } = express(tree, list, { below: { kind: 'nothing' }, own: new Set(indexes.keys()) });
  return buildEdit(changes, table, indexes, { mtime, modes: new Map() });
}

function linksBelow(path: Path, layer: number | null): OcislimError {
  return new OcislimError(
    'UNSUPPORTED',
    `in layer ${layer} ${quotePath(path)} is a further name of a file that a layer below holds`,
    { advice: 'Leave --layer out: then it has that file.' },
  );
}
