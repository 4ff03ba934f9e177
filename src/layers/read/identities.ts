/**
 * Names entries by what they are, without the noise of a rebuild: contents, extended attributes, link target, device; not times, names of
 * owners, or the time of its source in a compiled module of Python. The gatherer keeps a name of 16 bytes for each entry of a layer.
 */
import { createHash, hash, type Hash } from 'node:crypto';
import type { Path } from '../../bytes/path.ts';
import type { FileSink } from '../../rootfs/facts/collector.ts';
import {
  clearTime,
  type CompiledStamp,
  isCompiledName,
  largestCompiled,
} from '../../rootfs/facts/compiled.ts';
import type { Identities } from '../../rootfs/facts/identities.ts';
import { headBytes } from '../../rootfs/facts/prints.ts';
import { readAttributes } from '../../tar/attributes.ts';
import type { TarEntry } from '../../tar/entry.ts';
import { LargeBody, PrintColumn } from './print-column.ts';

/**
 * How the contents of large files count. `quick`: by their beginning, size and a checksum of all bytes, which costs a quarter of the time and
 * tells files apart unless they were made to mislead. `whole`: by a hash of all bytes, too, so that equal identities mean equal contents.
 */
export type IdentityKind = 'quick' | 'whole';

/** Takes the entries of a layer, one after the other. */
export class IdentityGatherer {
  readonly #kind: IdentityKind;
  readonly #stamps = new Map<number, CompiledStamp>();
  readonly #whole = new Map<number, string>();
  readonly #names = new PrintColumn();

  constructor(kind: IdentityKind) {
    this.#kind = kind;
  }

  /**
   * Takes an entry that has no body. Returns a sink for the body of any other, which passes it on to `other`, too.
   */
  take(number: number, entry: TarEntry, path: Path, other: FileSink | null): FileSink | null {
    if (entry.kind === 'global' || entry.kind === 'link') return other;
    const about = aboutOf(entry);
    if (entry.kind !== 'file' || entry.size === 0) {
      this.#put(number, about, '');
      return other;
    }
    const content = this.#contentOf(number, entry, path);
    let [left, isWanted] = [entry.size, other !== null];
    return {
      write: (chunk) => {
        if (isWanted) isWanted = other?.write(chunk) === true;
        const part = chunk.length > left ? chunk.subarray(0, left) : chunk;
        left -= part.length;
        content.write(part);
        return left > 0;
      },
      end: () => {
        this.#put(number, about, content.end());
        other?.end();
      },
    };
  }

  /** Returns the names of a layer with so many entries. */
  finish(entries: number): Identities {
    return { names: this.#names.finish(entries), whole: this.#whole, stamps: this.#stamps };
  }

  #contentOf(number: number, entry: TarEntry, path: Path): Content {
    if (isCompiledName(path) && entry.size <= largestCompiled && !entry.sparse)
      return new CompiledContent(entry.size, (stamp) => void this.#stamps.set(number, stamp));
    if (entry.size <= headBytes) return new WholeContent();
    const quick = new QuickContent(entry.size);
    if (this.#kind === 'quick') return quick;
    const whole = new WholeContent();
    return {
      write: (part) => {
        quick.write(part);
        whole.write(part);
      },
      end: () => {
        this.#whole.set(number, whole.end());
        return quick.end();
      },
    };
  }

  #put(number: number, about: string, content: string): void {
    this.#names.put(number, hash('sha256', `${content}\n${about}`, 'buffer'));
  }
}

/** Returns what an entry says of its file beside mode, owner and size, which an index has. */
function aboutOf(entry: TarEntry): string {
  const { records, device, sparse } = readAttributes(entry);
  const target = entry.kind === 'symlink' ? entry.link : '';
  return JSON.stringify([entry.kind, [...records], device, target, sparse]);
}

/** Digests the contents of one file. */
interface Content {
  write(part: Uint8Array): void;
  /** Returns the digest in hex. */
  end(): string;
}

class WholeContent implements Content {
  readonly #hash: Hash = createHash('sha256');

  write(part: Uint8Array): void {
    this.#hash.update(part);
  }

  end(): string {
    return this.#hash.digest('hex');
  }
}

class QuickContent implements Content {
  readonly #body = new LargeBody();
  readonly #size: number;

  constructor(size: number) {
    this.#size = size;
  }

  write(part: Uint8Array): void {
    this.#body.write(part);
  }

  end(): string {
    return this.#body.hash.update(` ${this.#size} ${this.#body.checksum}`).digest('hex');
  }
}

/** Holds a compiled module, and leaves the time of its source out. */
class CompiledContent implements Content {
  readonly #bytes: Uint8Array;
  readonly #onStamp: (stamp: CompiledStamp) => void;
  #filled = 0;

  constructor(size: number, onStamp: (stamp: CompiledStamp) => void) {
    this.#bytes = new Uint8Array(size);
    this.#onStamp = onStamp;
  }

  write(part: Uint8Array): void {
    this.#bytes.set(part, this.#filled);
    this.#filled += part.length;
  }

  end(): string {
    const stamp = clearTime(this.#bytes);
    if (stamp === null) return hash('sha256', this.#bytes, 'hex');
    this.#onStamp(stamp);
    // Apart from the plain digest of a module whose time is 0.
    return `stamped ${hash('sha256', this.#bytes, 'hex')}`;
  }
}
