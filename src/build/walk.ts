/**
 * Walks the files of a directory of this machine in an order that nothing but their names decides: bytewise, each directory before
 * what is in it. `write-files.ts` writes a layer of what comes; only one directory of each depth is held.
 */
import { type BigIntStats, lstatSync, readdirSync } from 'node:fs';
import { type ByteString, readByteString } from '../bytes/bytes.ts';
import { join, type Path, quotePath, root } from '../bytes/path.ts';
import { OcislimError } from '../errors.ts';
import { fileError, systemCode } from '../files/file-error.ts';
import type { RuledKind } from '../rules/rule.ts';
import type { Matcher } from '../rules/rules.ts';

/** What a file of this machine is. */
export type FoundKind = 'file' | 'directory' | 'symlink' | 'char' | 'block' | 'fifo' | 'socket';

/** A file of this machine. */
export interface FoundFile {
  /** The path below the directory that is walked. */
  readonly path: Path;
  /** The path for system calls. */
  readonly place: Buffer;
  readonly kind: FoundKind;
  readonly stats: BigIntStats;
}

/** What is left out of a walk. */
export interface Exclusion {
  readonly matches: Matcher;
  /** Whether a rule takes something back, so that what is in a directory that is left out may be wanted. */
  readonly hasExceptions: boolean;
}

/** Walks what is in a directory. The directories above a file that is not left out are not left out either. @throws IO */
export function* walk(directory: Buffer, exclusion: Exclusion | null): Generator<FoundFile> {
  yield* walkBelow({ path: root, place: directory, pending: [] }, exclusion);
}

interface Level {
  readonly path: Path;
  readonly place: Buffer;
  /** Directories around it that are left out, unless something in them is wanted. */
  readonly pending: FoundFile[];
}

function* walkBelow({ path, place, pending }: Level, exclusion: Exclusion | null): Generator<FoundFile> {
  for (const name of namesIn(place)) {
    const found = lookAt(join(path, name), below(place, name));
    const isOut = exclusion !== null && exclusion.matches(found.path, ruledKind(found.kind)) !== null;
    if (!isOut) {
      yield* pending.splice(0);
      yield found;
    }
    if (found.kind !== 'directory' || (isOut && !exclusion.hasExceptions)) continue;
    const inner = isOut ? [...pending, found] : pending;
    yield* walkBelow({ path: found.path, place: found.place, pending: inner }, exclusion);
    // What a level within has given out is not given out again.
    if (isOut && inner.length === 0) pending.length = 0;
  }
}

/** Describes one file, without following it. @throws IO */
export function lookAt(path: Path, place: Buffer): FoundFile {
  try {
    const stats = lstatSync(place, { bigint: true });
    return { path, place, kind: kindOf(stats), stats };
  } catch (error) {
    throw fileError(`read ${placeName(place)}`, error);
  }
}

/** Returns what a path below a directory is, without following it; null where there is nothing. @throws IO */
export function kindAt(directory: Buffer, path: Path): FoundKind | null {
  const place = below(directory, path);
  try {
    const stats = lstatSync(place, { bigint: true, throwIfNoEntry: false });
    return stats === undefined ? null : kindOf(stats);
  } catch (error) {
    // A file is in the way.
    if (systemCode(error) === 'ENOTDIR') return null;
    throw fileError(`read ${placeName(place)}`, error);
  }
}

/** Names a file of this machine in a message. */
export function placeName(place: Buffer): string {
  return quotePath(readByteString(place));
}

function namesIn(place: Buffer): readonly ByteString[] {
  try {
    return readdirSync(place, { encoding: 'buffer' })
      .map((name) => readByteString(name))
      .sort((a, b) => (a < b ? -1 : 1));
  } catch (error) {
    throw fileError(`read the directory ${placeName(place)}`, error);
  }
}

function below(place: Buffer, name: ByteString): Buffer {
  return Buffer.concat([place, slash, Buffer.from(name, 'latin1')]);
}

const slash = Buffer.from('/');

function kindOf(stats: BigIntStats): FoundKind {
  if (stats.isFile()) return 'file';
  if (stats.isDirectory()) return 'directory';
  if (stats.isSymbolicLink()) return 'symlink';
  if (stats.isCharacterDevice()) return 'char';
  if (stats.isBlockDevice()) return 'block';
  if (stats.isFIFO()) return 'fifo';
  if (stats.isSocket()) return 'socket';
  throw new OcislimError('INTERNAL', 'a file is of no kind that the system knows');
}

/** Returns the kind of a file as rules know it. */
export function ruledKind(kind: FoundKind): RuledKind {
  return kind === 'file' || kind === 'directory' || kind === 'symlink' ? kind : 'other';
}
