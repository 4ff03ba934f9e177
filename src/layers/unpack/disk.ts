/**
 * The system calls of the unpacker, on names below one private folder. Every call that makes something fails where the name is taken, and
 * none follows a symbolic link in the last component; the unpacker vouches for the components before it.
 */
import {
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  ftruncateSync,
  futimesSync,
  lchownSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  openSync,
  renameSync,
  symlinkSync,
  writeSync,
} from 'node:fs';
import { bytesOf, type ByteString } from '../../bytes/bytes.ts';
import type { Path } from '../../bytes/path.ts';

/** The rights of a new file, as they are set. */
export interface Rights {
  readonly mode: number;
  /** Null: those of this process. */
  readonly owner: { readonly uid: number; readonly gid: number } | null;
  /** Seconds since 1970 in decimal. Null: now. */
  readonly mtime: string | null;
}

const slash = Buffer.from('/');

/** Calls are synchronous: most files are small, and a promise for each call costs more than the call. */
export class Disk {
  readonly #folder: Buffer;

  constructor(folder: string) {
    this.#folder = Buffer.from(folder);
  }

  /** Returns the whole path of a name in the folder, as bytes. */
  at(place: Path): Buffer {
    return place === '' ? this.#folder : Buffer.concat([this.#folder, slash, bytesOf(place)]);
  }

  /** Makes a folder that only this user can enter. */
  makeFolder(place: Path): void {
    mkdirSync(this.at(place), { mode: 0o700 });
  }

  /** Makes a file that only this user can open, and opens it for writing. */
  makeFile(place: Path): NewFile {
    const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
    return new NewFile(openSync(this.at(place), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600));
  }

  makeSymlink(place: Path, target: ByteString): void {
    symlinkSync(Buffer.from(bytesOf(target)), this.at(place));
  }

  /** Makes another name of what stands at `target`. Linux follows no symlink there (link(2)). */
  makeLink(place: Path, target: Path): void {
    linkSync(this.at(target), this.at(place));
  }

  /** Gives something in the folder another name. */
  move(from: Path, to: Path): void {
    renameSync(this.at(from), this.at(to));
  }

  /** Sets the rights of a folder, or of a device that was just made. It is not a symlink. */
  setRights(place: Path, { mode, owner, mtime }: Rights): void {
    const path = this.at(place);
    if (owner !== null) lchownSync(path, owner.uid, owner.gid);
    // A change of the owner clears setuid and setgid.
    chmodSync(path, mode);
    if (mtime !== null) lutimesSync(path, mtime, mtime);
  }

  /** Sets owner and time of a symlink itself. */
  setSymlinkRights(place: Path, { owner, mtime }: Rights): void {
    const path = this.at(place);
    if (owner !== null) lchownSync(path, owner.uid, owner.gid);
    if (mtime !== null) lutimesSync(path, mtime, mtime);
  }
}

/** A file that is being written. */
export class NewFile implements Disposable {
  readonly #handle: number;

  constructor(handle: number) {
    this.#handle = handle;
  }

  write(bytes: Uint8Array, offset: number): void {
    for (let at = 0; at < bytes.length; )
      at += writeSync(this.#handle, bytes, at, bytes.length - at, offset + at);
  }

  /** Sets the length, where the file ends in a hole. */
  setLength(length: number): void {
    ftruncateSync(this.#handle, length);
  }

  setRights({ mode, owner, mtime }: Rights): void {
    if (owner !== null) fchownSync(this.#handle, owner.uid, owner.gid);
    fchmodSync(this.#handle, mode);
    if (mtime !== null) futimesSync(this.#handle, mtime, mtime);
  }

  [Symbol.dispose](): void {
    closeSync(this.#handle);
  }
}
