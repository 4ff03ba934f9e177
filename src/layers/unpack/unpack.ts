/**
 * Unpacks the tar of a merged root filesystem into a private folder. Whatever is in the tar, nothing outside of the folder is written, and
 * no symbolic link is followed: `extract` and all else that unpacks calls this, and nothing else in ocislim does.
 *
 * How the promise is kept: the folder belongs to this user alone (mode 0700), so that no other process changes it meanwhile, and the
 * unpacker remembers what it has put under each name. A name is used only where all names above it are folders that it made itself.
 * Everything is made with calls that fail where a name is taken, so that a file system which folds letters or normalises Unicode cannot
 * lead a name elsewhere: that is an error.
 */
import { type ByteString, bytesOf } from '../../bytes/bytes.ts';
import { cleanPath, parentOf, type Path, quotePath } from '../../bytes/path.ts';
import { OcislimError } from '../../errors.ts';
import { fileError, systemCode } from '../../files/file-error.ts';
import { exceeded, type Limits } from '../../limits.ts';
import type { ByteStream } from '../../stream/byte-stream.ts';
import { type Attributes, readAttributes } from '../../tar/attributes.ts';
import type { TarEntry } from '../../tar/entry.ts';
import { TarReader } from '../../tar/reader.ts';
import { Disk, type Rights } from './disk.ts';
import { piecesOf } from './file-contents.ts';
import { type NamedAttributes, setExtendedAttributes, xattrsOf } from './extended-attributes.ts';
import { makeSpecialFile } from './special-files.ts';

/** What an image may ask of the system. All of it is off unless a person asks for it. */
export interface Grants {
  /** Whether files get the owners of the image. Needs root. */
  readonly owners: boolean;
  /** Whether devices and named pipes are made. Devices need root. */
  readonly devices: boolean;
  /** Whether the bits setuid and setgid stay. */
  readonly setuid: boolean;
  /** Whether files get extended attributes, capabilities among them. */
  readonly xattrs: boolean;
}

export interface UnpackOptions {
  readonly grants: Grants;
  /** Permission bits that are taken away from every file. */
  readonly umask: number;
  /** Gives each path of the tar its name in the folder; null leaves it out. Default: the path itself. */
  readonly placeOf?: (path: Path) => Path | null;
  readonly limits: Limits;
  readonly signal: AbortSignal;
}

/** What was unpacked. */
export interface Unpacked {
  readonly files: number;
  readonly directories: number;
  readonly symlinks: number;
  /** Further names of files. */
  readonly links: number;
  /** Devices and named pipes that were made. */
  readonly devices: number;
  /** Bytes of the files, without holes. */
  readonly bytes: number;
  /** Devices and named pipes that were not asked for. */
  readonly leftOut: readonly Path[];
  /** Folders whose rights and times are still to be set, parents first: see `settle`. */
  readonly folders: readonly SettledFolder[];
}

/** A folder, and the rights that it gets when all is in it. */
export interface SettledFolder {
  readonly place: Path;
  readonly rights: Rights;
}

/**
 * Unpacks a tar into a folder that is empty and that only this user can enter. The stream is read to its end, which checks it. Folders
 * are left with mode 0700: the caller calls `settle`. On an error the folder holds what was unpacked so far, and the caller removes it.
 * @throws LAYER_INVALID for names that lead elsewhere, LIMIT, IO, TAR_INVALID, and what the stream throws
 */
export async function unpackTar(stream: ByteStream, disk: Disk, options: UnpackOptions): Promise<Unpacked> {
  const reader = new TarReader(stream);
  const unpacker = new Unpacker(disk, options);
  try {
    for (;;) {
      const entry = reader.nextNow() ?? (await reader.next());
      if (entry === null) break;
      options.signal.throwIfAborted();
      if (entry.kind !== 'global') await unpacker.add(entry, reader);
    }
  } catch (error) {
    await reader.cancel();
    throw error;
  }
  return await unpacker.finish();
}

/** Sets rights and times of folders, the deepest first, since work in a folder changes its time and may need its rights. @throws IO */
export function settle(disk: Disk, folders: readonly SettledFolder[]): void {
  for (const { place, rights } of folders.toReversed()) withPlace(place, () => disk.setRights(place, rights));
}

/** What stands under a name in the folder. */
type Standing = 'directory' | 'file' | 'symlink' | 'special';

class Unpacker {
  readonly #disk: Disk;
  readonly #options: UnpackOptions;
  readonly #placeOf: (path: Path) => Path | null;
  /** What was made, by its name. */
  readonly #made = new Map<Path, Standing>([['' as Path, 'directory']]);
  readonly #folders = new Map<Path, Rights>();
  readonly #xattrs: NamedAttributes[] = [];
  readonly #leftOut = new Set<Path>();
  #files = 0;
  #symlinks = 0;
  #links = 0;
  #devices = 0;
  #bytes = 0;
  #lengths = 0;

  constructor(disk: Disk, options: UnpackOptions) {
    this.#disk = disk;
    this.#options = options;
    this.#placeOf = options.placeOf ?? ((path) => path);
  }

  /** Unpacks an entry. @throws LAYER_INVALID, LIMIT, IO */
  async add(entry: TarEntry, reader: TarReader): Promise<void> {
    const place = this.#placeOf(cleanPath(entry.name));
    if (place === null) return;
    this.#checkRoom(place);
    this.#requireParent(place);
    const attributes = readAttributes(entry);
    switch (entry.kind) {
      case 'directory':
        this.#addFolder(place, attributes);
        break;
      case 'file':
        this.#requireFree(place);
        await this.#addFile(place, { entry, attributes, reader });
        break;
      case 'symlink':
        this.#requireFree(place);
        this.#addSymlink(place, entry.link, attributes);
        break;
      case 'link':
        this.#requireFree(place);
        this.#addLink(place, entry.link);
        // Attributes belong to the file, which has those of its own entry.
        return;
      case 'char':
      case 'block':
      case 'fifo':
        this.#requireFree(place);
        if (!(await this.#addSpecial(place, entry.kind, attributes))) return;
        break;
      case 'global':
        return;
    }
    if (this.#options.grants.xattrs) {
      const named = xattrsOf(attributes);
      if (named.length > 0) this.#xattrs.push({ place, attributes: named });
    }
  }

  /** Sets what is set at the end, and returns what was done. @throws IO */
  async finish(): Promise<Unpacked> {
    await setExtendedAttributes(this.#disk, this.#xattrs, this.#options.signal);
    return {
      files: this.#files,
      directories: this.#folders.size,
      symlinks: this.#symlinks,
      links: this.#links,
      devices: this.#devices,
      bytes: this.#bytes,
      leftOut: [...this.#leftOut],
      folders: [...this.#folders].map(([place, rights]) => ({ place, rights })),
    };
  }

  /** @throws LIMIT */
  #checkRoom(place: Path): void {
    const { limits } = this.#options;
    if (this.#made.size > limits['image-entries'])
      throw exceeded('image-entries', limits, 'there are too many files', {
        says: `${this.#made.size} have been unpacked so far`,
        atLeast: this.#made.size,
      });
    if (place.length > limits['path-bytes'])
      throw exceeded('path-bytes', limits, 'a name is too long', {
        says: `it has ${place.length} bytes`,
        atLeast: place.length,
      });
  }

  /** Makes the folders above a name that are not there yet. @throws LAYER_INVALID where one of the names above is not a folder */
  #requireParent(place: Path): void {
    if (place === '') return;
    const parent = parentOf(place);
    const there = this.#made.get(parent);
    if (there === 'directory') return;
    if (there !== undefined)
      throw new OcislimError(
        'LAYER_INVALID',
        `${quotePath(place)} lies below ${quotePath(parent)}, which is not a folder`,
      );
    this.#requireParent(parent);
    this.#makeFolder(parent, this.#rights({ mode: 0o755, uid: '0', gid: '0', mtime: null }));
  }

  /** @throws LAYER_INVALID where the tar has put something there */
  #requireFree(place: Path): void {
    if (!this.#made.has(place)) return;
    throw new OcislimError('LAYER_INVALID', `the tar has ${quotePath(place)} twice`);
  }

  #addFolder(place: Path, attributes: Attributes): void {
    const rights = this.#rights(attributes);
    const there = this.#made.get(place);
    if (there === undefined) this.#makeFolder(place, rights);
    else if (there === 'directory') this.#folders.set(place, rights);
    else this.#requireFree(place);
  }

  #makeFolder(place: Path, rights: Rights): void {
    this.#make(place, 'directory', () => this.#disk.makeFolder(place));
    this.#folders.set(place, rights);
  }

  async #addFile(
    place: Path,
    { entry, attributes, reader }: { entry: TarEntry; attributes: Attributes; reader: TarReader },
  ): Promise<void> {
    const { limits, signal } = this.#options;
    this.#lengths += entry.length;
    if (this.#lengths > limits['image-bytes'])
      throw exceeded('image-bytes', limits, 'the files are too long together', {
        says: `they have ${this.#lengths} bytes so far, with holes`,
        atLeast: this.#lengths,
      });
    using file = this.#make(place, 'file', () => this.#disk.makeFile(place));
    let end = 0;
    for await (const { offset, bytes } of piecesOf(reader, entry)) {
      signal.throwIfAborted();
      withPlace(place, () => file.write(bytes, offset));
      end = offset + bytes.length;
      this.#bytes += bytes.length;
    }
    withPlace(place, () => {
      if (entry.length > end) file.setLength(entry.length);
      file.setRights(this.#rights(attributes));
    });
    this.#files++;
  }

  #addSymlink(place: Path, target: ByteString, attributes: Attributes): void {
    if (target === '')
      throw new OcislimError('LAYER_INVALID', `the symbolic link ${quotePath(place)} has no target`);
    this.#make(place, 'symlink', () => this.#disk.makeSymlink(place, target));
    withPlace(place, () => this.#disk.setSymlinkRights(place, this.#rights(attributes)));
    this.#symlinks++;
  }

  /** Makes another name of a file that was unpacked before. @throws LAYER_INVALID for any other target */
  #addLink(place: Path, link: ByteString): void {
    const target = this.#placeOf(cleanPath(link));
    const there = target === null ? undefined : this.#made.get(target);
    if (target === null || there === undefined || there === 'directory') {
      if (target !== null && this.#leftOut.has(target)) {
        this.#leftOut.add(place);
        return;
      }
      throw new OcislimError(
        'LAYER_INVALID',
        `the hard link ${quotePath(place)} points at ${quotePath(link)}, which is not a file that was unpacked`,
      );
    }
    this.#make(place, there, () => this.#disk.makeLink(place, target));
    this.#links++;
  }

  /** Makes a device or a named pipe, if that is wanted. */
  async #addSpecial(place: Path, kind: 'char' | 'block' | 'fifo', attributes: Attributes): Promise<boolean> {
    if (!this.#options.grants.devices) {
      this.#leftOut.add(place);
      return false;
    }
    await makeSpecialFile(this.#disk, { place, kind, device: attributes.device }, this.#options.signal);
    this.#made.set(place, 'special');
    withPlace(place, () => this.#disk.setRights(place, this.#rights(attributes)));
    this.#devices++;
    return true;
  }

  /** Makes something under a name. @throws IO, which names both where the file system takes two names for one */
  #make<T>(place: Path, kind: Standing, make: () => T): T {
    try {
      const made = make();
      this.#made.set(place, kind);
      return made;
    } catch (error) {
      const twin = systemCode(error) === 'EEXIST' ? this.#twinOf(place) : null;
      if (twin === null) throw fileError(`write ${quotePath(place)}`, error);
      throw new OcislimError(
        'IO',
        `cannot write ${quotePath(place)}: this file system takes it for the same name as ${quotePath(twin)}`,
        {
          cause: error,
          advice: 'Name a folder on a file system that tells letters apart, as those of Linux do.',
        },
      );
    }
  }

  /** Finds what may be the same name to a file system that folds letters or normalises Unicode. */
  #twinOf(place: Path): Path | null {
    const folded = fold(place);
    for (const other of this.#made.keys()) if (other !== place && fold(other) === folded) return other;
    return null;
  }

  /** Returns the rights of a file: what was granted of those that the image states. @throws UNSUPPORTED for owners that no system has */
  #rights({ mode, uid, gid, mtime }: StatedRights): Rights {
    const { grants, umask } = this.#options;
    const kept = grants.setuid ? 0o7777 : 0o1777;
    const owner = grants.owners ? { uid: ownerNumber(uid), gid: ownerNumber(gid) } : null;
    return { mode: mode & kept & ~umask, owner, mtime: mtime === null ? null : timeWithin(mtime) };
  }
}

type StatedRights = Pick<Attributes, 'mode' | 'uid' | 'gid'> & { readonly mtime: string | null };

/** Names a file in the errors of the system. */
function withPlace<T>(place: Path, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw fileError(`write ${quotePath(place)}`, error);
  }
}

function fold(place: Path): string {
  return Buffer.from(bytesOf(place)).toString('utf8').normalize('NFKD').toUpperCase().toLowerCase();
}

/** The largest number of an owner; the next one means "no change" to chown(2). */
const lastOwner = 0xffff_fffe;

function ownerNumber(stated: string): number {
  const number = Number(stated);
  if (number >= 0 && number <= lastOwner) return number;
  throw new OcislimError('UNSUPPORTED', `a file belongs to number ${stated}, which no system has`, {
    advice: 'Leave --owners out.',
  });
}

/** The times that the system calls take without overflow, in seconds. */
const lastTime = 2 ** 40;

/** Returns a time as text, since Node takes a negative number for the present. */
function timeWithin(mtime: string): string {
  const seconds = Number(mtime);
  return Math.abs(seconds) <= lastTime ? mtime : String(Math.sign(seconds) * lastTime);
}
