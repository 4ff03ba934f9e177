/**
 * What rewrites gave in earlier runs: digest and size of the blob, by a recipe that holds everything the bytes depend on. The
 * layer writer asks it before it makes a layer.
 */
import { lstat, rename, unlink, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Digest, digestOf, hexOf, isDigest } from '../../oci/digest.ts';
import { type JsonObject, parseJsonObject } from '../../oci/json.ts';
import { readSmallFile } from '../../files/file-bytes.ts';
import { makeFolders } from '../../files/make-folders.ts';
import { temporaryName } from '../../files/temporary.ts';
import type { CacheHealth } from './cache-health.ts';
import type { CacheRoom } from './cache-room.ts';
import { KiB } from '../../units.ts';

/** The result of a recipe. */
export interface MadeLayer {
  readonly digest: Digest;
  /** Bytes of the blob. */
  readonly size: number;
  readonly diffId: Digest;
  /** Bytes of the unpacked tar. */
  readonly tarBytes: number;
}

/** Bytes of one file. */
const maxFile = 64 * KiB;

/**
 * The results of recipes (source blobs, edit, encoder: all that decides about a layer's bytes), in one small file each. A file
 * that is not exactly as it was written counts as missing.
 */
export class RecipeBook {
  readonly #folder: string;
  readonly #version: string;
  readonly #room: CacheRoom;
  readonly #health: CacheHealth;
  #isTrusted = true;

  constructor(folder: string, version: string, room: CacheRoom, health: CacheHealth) {
    this.#folder = folder;
    this.#version = version;
    this.#room = room;
    this.#health = health;
  }

  /**
   * Checks that only this user can write recipes: unlike blobs they do not prove themselves, and decide what is published. In a
   * folder of another user, or one that others may write into, they are not used.
   */
  async checkOwner(): Promise<void> {
    const path = join(this.#folder, 'recipes');
    const found = await lstat(path).catch(() => null);
    const own = process.getuid === undefined || found?.uid === process.getuid();
    this.#isTrusted = found !== null && found.isDirectory() && own && (found.mode & 0o022) === 0;
    if (this.#isTrusted || found === null) return;
    this.#health.warn(`others can write into ${path}: what is remembered there is not used`);
  }

  /** Returns the result of a recipe, or null where it is unknown. */
  async recall(recipe: string, signal: AbortSignal): Promise<MadeLayer | null> {
    if (!this.#isTrusted) return null;
    const path = this.#pathOf(recipe);
    const bytes = await readSmallFile(path, maxFile, signal).catch(() => null);
    signal.throwIfAborted();
    if (bytes === null) return null;
    const made = parse(new TextDecoder().decode(bytes), this.#keyOf(recipe));
    if (made === null) await unlink(path).catch(() => {});
    else await utimes(path, new Date(), new Date()).catch(() => {});
    return made;
  }

  /** Keeps the result of a recipe. Never throws. */
  async remember(recipe: string, made: MadeLayer): Promise<void> {
    if (!this.#isTrusted || !this.#health.isGood) return;
    const text = format(this.#keyOf(recipe), made);
    const taken = Buffer.byteLength(text);
    if (!(await this.#room.take(taken))) return;
    const path = this.#pathOf(recipe);
    const temporary = join(this.#folder, 'partial', temporaryName('recipe'));
    this.#room.writing.add(temporary);
    let kept = false;
    try {
      await makeFolders(dirname(path), { mode: 0o700 });
      await writeFile(temporary, text, { flag: 'wx', mode: 0o600 });
      await rename(temporary, path);
      kept = true;
    } catch (error) {
      this.#health.fail(error);
      await unlink(temporary).catch(() => {});
    }
    this.#room.writing.delete(temporary);
    await this.#room.settle(taken, kept ? taken : 0);
  }

  #keyOf(recipe: string): string {
    return `${this.#version}\n${recipe}`;
  }

  #pathOf(recipe: string): string {
    const hex = hexOf(digestOf(Buffer.from(this.#keyOf(recipe))));
    return join(this.#folder, 'recipes', hex.slice(0, 2), `${hex}.json`);
  }
}

/** Writes a recipe with a hash over all of it, since the disk may change a digit. */
function format(key: string, { digest, size, diffId, tarBytes }: MadeLayer): string {
  const content = JSON.stringify({ key, digest, size, diffId, tarBytes });
  return `${content}\n${digestOf(Buffer.from(content))}\n`;
}

function parse(text: string, key: string): MadeLayer | null {
  const [content = '', check] = text.split('\n');
  const bytes = Buffer.from(content);
  if (check !== digestOf(bytes)) return null;
  let json: JsonObject;
  try {
    json = parseJsonObject(bytes, 'a recipe');
  } catch {
    return null;
  }
  const { digest, size, diffId, tarBytes } = json;
  if (json['key'] !== key || !isDigest(digest) || !isDigest(diffId)) return null;
  return Number.isSafeInteger(size) && Number.isSafeInteger(tarBytes)
    ? { digest, size: size as number, diffId, tarBytes: tarBytes as number }
    : null;
}
