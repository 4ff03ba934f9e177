/**
 * Streams tars of invented files, half noise and half text, as real layers are. The benchmarks of size and memory
 * read them.
 */
/** The files of an invented layer. */
export interface Files {
  readonly count: number;
  /** The size of each file in bytes. */
  readonly size: number;
  /** The beginning of their names; a number follows. */
  readonly prefix: string;
  /** The first number. Default: 0. */
  readonly from?: number;
  /** The number of files in each directory, with entries for the directories. Default: all files are in the root. */
  readonly inDirectories?: number;
}

const chunk = 1024 * 1024;
const text = Buffer.from(
  'the quick brown fox jumps over the lazy dog, and the log says so again and again\n'.repeat(13_000),
).subarray(0, chunk);

/** Yields the tar. It is the same at every run. */
export async function* madeUpTar({
  count,
  size,
  prefix,
  from = 0,
  inDirectories,
}: Files): AsyncGenerator<Uint8Array> {
  const padding = new Uint8Array((512 - (size % 512)) % 512);
  // Small files are gathered to megabytes, so that chunks are not what is measured.
  let gathered: Uint8Array[] = [];
  let bytes = 0;
  const flush = (): Uint8Array => {
    const all = Buffer.concat(gathered, bytes);
    gathered = [];
    bytes = 0;
    return all;
  };
  const add = (part: Uint8Array): void => {
    gathered.push(part);
    bytes += part.length;
  };
  for (let i = from; i < from + count; i++) {
    const directory = inDirectories === undefined ? '' : `d${Math.floor(i / inDirectories)}/`;
    if (inDirectories !== undefined && (i === from || i % inDirectories === 0))
      add(head(directory, 0, '5', '0000755'));
    add(head(`${directory}${prefix}${i}`, size, '0', '0000644'));
    if (size <= chunk) {
      const half = size >> 1;
      add(new Uint8Array(noise(i, half)));
      add(text.subarray(0, size - half));
    } else {
      for (let at = 0; at < size; at += chunk) {
        const length = Math.min(chunk, size - at);
        add(
          (at / chunk) % 2 === 0
            ? new Uint8Array(noise(i * 4096 + at / chunk, length))
            : text.subarray(0, length),
        );
        if (bytes >= chunk) yield flush();
      }
    }
    add(padding);
    if (bytes >= chunk) yield flush();
  }
  add(new Uint8Array(1024));
  yield flush();
}

/** Returns the header of an entry in ustar. */
function head(name: string, size: number, type: string, mode: string): Uint8Array {
  const block = Buffer.alloc(512);
  const put = (at: number, text: string): number => block.write(text, at, 'latin1');
  put(0, name);
  put(100, `${mode}\0`);
  put(108, '0000000\0');
  put(116, '0000000\0');
  put(124, `${size.toString(8).padStart(11, '0')}\0`);
  put(136, `${(1_700_000_000).toString(8).padStart(11, '0')}\0`);
  put(148, '        ');
  put(156, type);
  put(257, 'ustar\x0000');
  put(
    148,
    `${block
      .reduce((sum, byte) => sum + byte, 0)
      .toString(8)
      .padStart(6, '0')}\0 `,
  );
  return block;
}

/** Returns cheap noise: a hash in counter mode would be slower than the disk. */
function noise(seed: number, length: number): ArrayBuffer {
  const words = new Uint32Array(Math.ceil(length / 4));
  let state = (seed * 2_654_435_761 + 1) >>> 0;
  for (let i = 0; i < words.length; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[i] = state;
  }
  return words.buffer.slice(0, length);
}
