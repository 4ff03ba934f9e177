/**
 * The attributes and content digests of the entries of a layer, in columns: an object for each of a million entries would take four times
 * the memory. `digestTar` fills a table, and comparisons of images read it.
 */
import { ascii, type ByteString, readByteString } from '../../bytes/bytes.ts';

/** All attributes that an entry gives to the file that it makes, in short texts that are equal for equal ones only. */
export interface Traits {
  readonly mode: number;
  /** JSON of uid, gid, uname and gname. */
  readonly owner: string;
  /** Seconds as a decimal. */
  readonly mtime: string;
  /** JSON of the PAX records that are attributes, as pairs: extended attributes above all. */
  readonly records: string;
  /** Length and digest of a file's contents, target of a symlink, numbers of a device. */
  readonly content: string;
  /** How a file is stored: `plain`, or the sparse format with the digest of its map. Empty for entries other than files. */
  readonly stored: string;
  /** The length of a file's contents in bytes, holes included; 0 for entries other than files. */
  readonly length: number;
}

/** What the contents of a file are known by: SHA-256, of all bytes or of those that are no hole. */
export interface ContentName {
  /** 32 bytes. */
  readonly hash: Uint8Array;
  readonly hasHoles: boolean;
}

/** Traits as they are added: the contents of a file as its name, everything else as text. */
export interface AddedTraits extends Omit<Traits, 'content'> {
  readonly content: string | ContentName;
}

const hashBytes = 32;
/** The number of an entry without traits. */
const absent = 0;

/** The traits of the entries of a layer, by entry. Those of hard links and global headers are null. */
export class TraitsTable {
  readonly #takeMemory: (bytes: number) => void;
  readonly #texts: string[] = [''];
  readonly #numbers = new Map<string, number>();
  #length = 0;
  #room = 64;
  /** One more than the number of the owner; `absent` for an entry without traits. */
  #owners = new Uint32Array(this.#room);
  #modes = new Uint16Array(this.#room);
  #mtimes = new Uint32Array(this.#room);
  #records = new Uint32Array(this.#room);
  #stored = new Uint32Array(this.#room);
  #lengths = new Float64Array(this.#room);
  /** For an entry other than a file, the number of its text, plus one. 0 for a file, whose contents `#hashes` has. */
  #contents = new Uint32Array(this.#room);
  #holes = new Uint8Array(this.#room);
  #hashes = new Uint8Array(this.#room * hashBytes);

  /** Calls `takeMemory` with the bytes of each text that is held; it may throw. */
  constructor(takeMemory: (bytes: number) => void = () => {}) {
    this.#takeMemory = takeMemory;
  }

  get length(): number {
    return this.#length;
  }

  /** Adds the traits of the next entry; null for one without. @throws what `takeMemory` throws */
  add(traits: AddedTraits | null): void {
    if (this.#length === this.#room) this.#grow();
    const at = this.#length++;
    if (traits === null) return;
    const { content } = traits;
    this.#owners[at] = this.#numberOf(traits.owner) + 1;
    this.#modes[at] = traits.mode;
    this.#mtimes[at] = this.#numberOf(traits.mtime);
    this.#records[at] = this.#numberOf(traits.records);
    this.#stored[at] = this.#numberOf(traits.stored);
    this.#lengths[at] = traits.length;
    if (typeof content === 'string') {
      this.#contents[at] = this.#numberOf(content) + 1;
      return;
    }
    this.#holes[at] = content.hasHoles ? 1 : 0;
    this.#hashes.set(content.hash, at * hashBytes);
  }

  /** Returns the traits of an entry; null for a hard link or a global header. */
  at(entry: number): Traits | null {
    if (!this.#has(entry)) return null;
    const text = (column: Uint32Array) => this.#texts[column[entry] as number] as string;
    return {
      mode: this.#modes[entry] as number,
      owner: this.#texts[(this.#owners[entry] as number) - 1] as string,
      mtime: text(this.#mtimes),
      records: text(this.#records),
      content: this.#contentOf(entry),
      stored: text(this.#stored),
      length: this.#lengths[entry] as number,
    };
  }

  /** Returns the length of a file's contents in bytes; 0 for any other entry. */
  lengthAt(entry: number): number {
    return this.#has(entry) ? (this.#lengths[entry] as number) : 0;
  }

  /** Returns a short name that the contents of two files share only if they are equal. */
  contentKey(entry: number): ByteString {
    // The bytes of both forms must not be taken for one another, so one of them is longer.
    const end = (entry + 1) * hashBytes;
    const key = readByteString(this.#hashes, entry * hashBytes, end);
    return this.#holes[entry] === 1 ? ascii`${key}+` : key;
  }

  #has(entry: number): boolean {
    return entry < this.#length && this.#owners[entry] !== absent;
  }

  #contentOf(entry: number): string {
    const text = this.#contents[entry] as number;
    if (text > 0) return this.#texts[text - 1] as string;
    const length = this.#lengths[entry] as number;
    const hash = Buffer.from(this.#hashes.subarray(entry * hashBytes, (entry + 1) * hashBytes)).toString(
      'hex',
    );
    return `${length} byte${length === 1 ? '' : 's'}, ${this.#holes[entry] === 1 ? 'holes:' : ''}${hash}`;
  }

  /** Returns the number of a text. Most entries share their owner, time or attributes with others. */
  #numberOf(text: string): number {
    const known = this.#numbers.get(text);
    if (known !== undefined) return known;
    this.#takeMemory(text.length);
    this.#numbers.set(text, this.#texts.length);
    this.#texts.push(text);
    return this.#texts.length - 1;
  }

  #grow(): void {
    this.#room *= 2;
    this.#owners = larger(this.#owners, new Uint32Array(this.#room));
    this.#modes = larger(this.#modes, new Uint16Array(this.#room));
    this.#mtimes = larger(this.#mtimes, new Uint32Array(this.#room));
    this.#records = larger(this.#records, new Uint32Array(this.#room));
    this.#stored = larger(this.#stored, new Uint32Array(this.#room));
    this.#lengths = larger(this.#lengths, new Float64Array(this.#room));
    this.#contents = larger(this.#contents, new Uint32Array(this.#room));
    this.#holes = larger(this.#holes, new Uint8Array(this.#room));
    this.#hashes = larger(this.#hashes, new Uint8Array(this.#room * hashBytes));
  }
}

function larger<Column extends Uint8Array | Uint16Array | Uint32Array | Float64Array>(
  column: Column,
  more: Column,
): Column {
  more.set(column);
  return more;
}
