/**
 * Directories of an addition that the image has as symlinks (`/bin` of most bases leads to `/usr/bin`): what is in them goes where these lead, as
 * rsync does with --keep-dirlinks. Jobs find them when an addition is placed; `write-files.ts` names entries by them.
 */
import type { ByteString } from '../bytes/bytes.ts';
import { join, type Path, quotePath, root } from '../bytes/path.ts';
import { OcislimError } from '../errors.ts';
import type { Placement, Redirect } from '../image/addition.ts';
import { type FoundFile, type FoundKind, kindAt, placeName } from './walk.ts';

/** What the search asks of an image. */
export interface LinkView {
  /** Yields the symlinks below a directory, at any depth. */
  symlinks(directory: Path): Iterable<Path>;
  /** Returns the directory that a symlink leads to; null where it leads to none. */
  directoryAt(link: Path): Path | null;
}

/**
 * Finds the directories below `folder`, a directory of this machine that is put at `destination`, that the image has as symlinks to
 * directories. What else stands there is replaced. @throws IO
 */
export function findRedirects(folder: string, destination: Path, image: LinkView): readonly Redirect[] {
  const place = Buffer.from(folder);
  const found = new Map<Path, Redirect>();
  // A directory that was redirected may have others in it.
  const pending: Redirect[] = [{ from: root, to: destination }];
  for (const { from, to } of pending) {
    for (const link of image.symlinks(to)) {
      const own = join(from, within(link, to));
      if (found.has(own) || kindAt(place, own) !== 'directory') continue;
      const target = image.directoryAt(link);
      if (target === null) continue;
      const redirect = { from: own, to: target };
      found.set(own, redirect);
      pending.push(redirect);
    }
  }
  return [...found.values()];
}

/** Names the entries of a directory of this machine in a layer. */
export class EntryNames {
  readonly #folder: Buffer;
  /** The longest first, so that the first that holds a path is the nearest one. The last one is the destination itself. */
  readonly #redirects: readonly Redirect[];
  readonly #isOut: (path: Path, kind: FoundKind) => boolean;

  /** `isOut`: whether a path of the directory is left out. */
  constructor(
    folder: Buffer,
    { destination, redirects }: Pick<Placement, 'destination' | 'redirects'>,
    isOut: (path: Path, kind: FoundKind) => boolean,
  ) {
    this.#folder = folder;
    const longest = redirects.toSorted((a, b) => b.from.length - a.from.length);
    this.#redirects = [...longest, { from: root, to: destination }];
    this.#isOut = isOut;
  }

  /**
   * Returns the name of the entry of a file; null for a directory that has no entry, since the image has it, or another one makes it.
   * @throws LAYER_INVALID where another file of the directory gets the same name
   */
  of({ path, kind, place }: FoundFile): Path | null {
    const redirect = this.#holding(path);
    const name = nameBy(redirect, path);
    if (redirect.from === root) return name;
    if (path === redirect.from) return null;
    for (const other of this.#redirects) {
      const twin = other === redirect ? null : pathBehind(other, name);
      if (twin === null || this.#holding(twin) !== other) continue;
      const twinKind = kindAt(this.#folder, twin);
      if (twinKind === null || this.#isOut(twin, twinKind)) continue;
      if (kind !== 'directory' || twinKind !== 'directory') throw ambiguous(place, twin, name);
      // The first of them in the order of the redirects, or that without one, makes the directory.
      if (other.from === root || other.from < redirect.from) return null;
    }
    return name;
  }

  #holding(path: Path): Redirect {
    return this.#redirects.find(({ from }) => from === root || isIn(path, from)) as Redirect;
  }
}

function isIn(path: Path, directory: Path): boolean {
  return path === directory || path.startsWith(`${directory}/`);
}

function nameBy({ from, to }: Redirect, path: Path): Path {
  return from === path ? to : join(to, within(path, from));
}

/** Returns the part of a path below a directory. */
function within(path: Path, directory: Path): ByteString {
  return directory === root ? path : path.slice(directory.length + 1);
}

/** Returns the path of this machine that would get a name; null where none would. */
function pathBehind({ from, to }: Redirect, name: Path): Path | null {
  if (to !== root && !isIn(name, to)) return null;
  return name === to ? from : join(from, within(name, to));
}

function ambiguous(place: Buffer, twin: Path, name: Path): OcislimError {
  return new OcislimError(
    'LAYER_INVALID',
    `two files become ${quotePath(name)}: ${placeName(place)}, through a symlink of the image, and ${quotePath(twin)} beside it`,
    { advice: 'Leave one of them out with --exclude.' },
  );
}
