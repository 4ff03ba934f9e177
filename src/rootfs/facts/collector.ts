/**
 * Gathers the facts of one layer while its tar streams by. The layer reader creates a collector for each layer, and a sink for each
 * file.
 */
import type { Path } from '../../bytes/path.ts';
import type { ByteString } from '../../bytes/bytes.ts';
import { readByteString } from '../../bytes/bytes.ts';
import { ElfProbe } from './elf.ts';
import { librariesOfSource, MentionScan } from './mentions.ts';
import type { ContentProbe, Elf, LayerFacts } from './facts.ts';
import { isOfShell, parseShebang, shebangBytes } from './shebang.ts';
import { KiB, MiB } from '../../units.ts';

const elfMagic = 0x7f454c46;
const shebangMagic = 0x2321;
/** The most bytes of contents that are kept of one layer. Package databases take a few MB, other wanted files less. */
const maxContents = 256 * MiB;

/** Sources that may name libraries, and the largest one that is read, in bytes. */
const source = /\.(?:py|rb)$/;
const largestSource = 512 * KiB;
/** The largest script of a shell whose contents are kept, in bytes. */
const largestScript = 64 * KiB;

/** Takes the body of one file. */
export interface FileSink {
  /** Takes the next bytes. Returns false where the rest is not wanted. */
  write(chunk: Uint8Array): boolean;
  /** Ends the file. Called after the last bytes, also if the sink wanted no more of them. */
  end(): void;
}

/** Holds the contents that it keeps, and the parts of at most one ELF file. */
export class FactCollector {
  readonly #probe: ContentProbe;
  readonly #elf = new Map<number, Elf>();
  readonly #scripts = new Map<number, ByteString>();
  readonly #contents = new Map<number, Uint8Array>();
  readonly #mentions = new Map<number, readonly ByteString[]>();
  #held = 0;

  constructor(probe: ContentProbe) {
    this.#probe = probe;
  }

  /** Returns a sink for a regular file; null for a file that is too small. `size` is that of the stored body, in bytes. */
  open(entry: number, path: Path, size: number): FileSink | null {
    if (size < 3) return null;
    const wanted = this.#probe(path);
    if (wanted >= size && this.#held + size <= maxContents) {
      this.#held += size;
      return this.#collectContents(entry, size);
    }
    if (source.test(path) && size <= largestSource) return this.#readSource(entry, size);
    return size <= largestScript ? this.#readScript(entry, size) : this.#look(entry, size);
  }

  /** Keeps the contents of a script of a shell, and looks into any other file. */
  #readScript(entry: number, size: number): FileSink {
    const look = this.#look(entry, size);
    let kept: Uint8Array | null = new Uint8Array(size);
    let filled = 0;
    return {
      write: (chunk) => {
        const part = chunk.subarray(0, size - filled);
        kept?.set(part, filled);
        filled += part.length;
        if (kept !== null && filled >= 2 && numberAt(kept, 2) !== shebangMagic) kept = null;
        const isWanted = look.write(part);
        return kept === null ? isWanted : filled < size;
      },
      end: () => {
        look.end();
        const line = this.#scripts.get(entry);
        if (kept === null || line === undefined || !isOfShell(line)) return;
        if (filled < size || this.#held + size > maxContents) return;
        this.#held += size;
        this.#contents.set(entry, kept);
      },
    };
  }

  /** Looks into a source of a program for the libraries that it loads. */
  #readSource(entry: number, size: number): FileSink {
    return this.#whole(entry, size, (bytes) =>
      this.#mention(entry, librariesOfSource(readByteString(bytes))),
    );
  }

  #mention(entry: number, names: readonly ByteString[]): void {
    if (names.length > 0) this.#mentions.set(entry, names);
  }

  /** Returns the facts of all files so far. */
  facts(): LayerFacts {
    return {
      elf: this.#elf,
      scripts: this.#scripts,
      contents: this.#contents,
      mentions: this.#mentions,
      digests: new Map(),
      twins: new Map(),
    };
  }

  /** Keeps the contents of a file, and looks at them when they are complete. */
  #collectContents(entry: number, size: number): FileSink {
    return this.#whole(entry, size, (bytes) => void this.#contents.set(entry, bytes));
  }

  /** Hands the whole body of a file to `take`, and then looks at it as at any other. */
  #whole(entry: number, size: number, take: (bytes: Uint8Array) => void): FileSink {
    const bytes = new Uint8Array(size);
    let filled = 0;
    return {
      write: (chunk) => {
        const part = chunk.subarray(0, size - filled);
        bytes.set(part, filled);
        filled += part.length;
        return filled < size;
      },
      end: () => {
        take(bytes);
        const sink = this.#look(entry, size);
        sink.write(bytes);
        sink.end();
      },
    };
  }

  /** Finds out by the first bytes whether a file is ELF or a script, and reads no more of any other. */
  #look(entry: number, size: number): FileSink {
    let head = new Uint8Array(0);
    let elf: ElfProbe | null = null;
    const mentions = new MentionScan();
    let left = size;
    const isUndecided = () => head.length < Math.min(size, 4);
    return {
      write: (chunk) => {
        const part = chunk.subarray(0, left);
        left -= part.length;
        if (elf !== null) {
          elf.write(part);
          mentions.write(part);
          return left > 0;
        }
        const grown = new Uint8Array(Math.min(head.length + part.length, shebangBytes));
        grown.set(head);
        grown.set(part.subarray(0, grown.length - head.length), head.length);
        const before = head;
        head = grown;
        if (isUndecided()) return true;
        if (before.length < 4 && numberAt(head, 4) === elfMagic) {
          elf = new ElfProbe(size);
          // The bytes before this piece were too few to tell.
          elf.write(before);
          elf.write(part);
          mentions.write(part);
          return left > 0;
        }
        return numberAt(head, 2) === shebangMagic && head.length < Math.min(size, shebangBytes);
      },
      end: () => {
        const found = elf?.finish() ?? null;
        if (found !== null) {
          this.#elf.set(entry, found);
          this.#mention(entry, mentions.finish());
        }
        const script = elf === null ? parseShebang(head) : null;
        if (script !== null) this.#scripts.set(entry, script);
      },
    };
  }
}

/** Reads the number at the start of a file, big endian. */
function numberAt(bytes: Uint8Array, length: number): number {
  let number = 0;
  for (let i = 0; i < length; i++) number = number * 256 + (bytes[i] ?? 0);
  return number;
}
