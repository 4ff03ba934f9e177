/**
 * Packs the files of an image into bytes, column by column, so that deflate finds like beside like. Names are front-coded: each is
 * told by the length of what it shares with the sibling before it. `unpack.ts` is the inverse.
 */
import { itemsPerStep, type Steps } from '../../../steps.ts';
import { BitWriter, ByteWriter } from './bytes.ts';
import type { FileTable } from './file-table.ts';
import { bitLength, clearedBits, exactRows, rounded } from './sizes.ts';

/** Packs a table. Sizes are rounded where it has more than `exactRows` rows. */
export function* packSteps(table: FileTable): Steps<Uint8Array> {
  const tree = yield* packTree(table);
  const rows = yield* packRows(table);
  const whole = new ByteWriter();
  whole.count(table.names.length);
  whole.count(table.nodes.length);
  const columns = [...tree, ...rows];
  for (const column of columns) whole.count(column.length);
  for (const column of columns) {
    whole.all(column);
    yield;
  }
  return whole.finish();
}

/** Packs the tree: how many levels up each node lies from the one before, and the names without their endings, and the endings. */
function* packTree({ names, parents }: FileTable): Steps<Uint8Array[]> {
  const [ups, shared, rests] = [new ByteWriter(), new ByteWriter(), new ByteWriter()];
  const endings = new Endings();
  const utf8 = new TextEncoder();
  const depths = new Int32Array(names.length);
  /** The stem of the last name met at each depth. */
  const last: string[] = [];
  for (let node = 1; node < names.length; node++) {
    const depth = (depths[parents[node] as number] as number) + 1;
    depths[node] = depth;
    const before = depths[node - 1] as number;
    ups.count(before + 1 - depth);
    const stem = endings.take(names[node] as string);
    const common = depth <= before ? sharedLength(last[depth] as string, stem) : 0;
    shared.count(common);
    last[depth] = stem;
    rests.all(utf8.encode(`${stem.slice(common)}\n`));
    if (node % itemsPerStep === 0) yield;
  }
  const { numbers, list } = endings.finish();
  return [ups.finish(), shared.finish(), rests.finish(), numbers, utf8.encode(list.join('\n'))];
}

/** The most characters of an ending. */
const longestEnding = 20;

/** Takes the endings off names, `.py` or `.cpython-311.pyc`, and numbers them by how often they occur. */
class Endings {
  readonly #met: string[] = [];
  readonly #counts = new Map<string, number>();

  /** Takes the ending of the next name. Returns the stem. */
  take(name: string): string {
    const dot = name.indexOf('.', 1);
    const isEnding = dot > 0 && name.length - dot <= longestEnding;
    const ending = isEnding ? name.slice(dot) : '';
    this.#met.push(ending);
    this.#counts.set(ending, (this.#counts.get(ending) ?? 0) + 1);
    return isEnding ? name.slice(0, dot) : name;
  }

  finish(): { readonly numbers: Uint8Array; readonly list: readonly string[] } {
    const list = [...this.#counts].sort(([, a], [, b]) => b - a).map(([ending]) => ending);
    const numberOf = new Map(list.map((ending, i) => [ending, i]));
    const numbers = new ByteWriter();
    for (const ending of this.#met) numbers.count(numberOf.get(ending) as number);
    return { numbers: numbers.finish(), list };
  }
}

/** Returns how many UTF-16 units two names begin with alike, never half a surrogate pair. */
function sharedLength(a: string, b: string): number {
  let length = 0;
  while (length < a.length && length < b.length && a[length] === b[length]) length++;
  const last = b.charCodeAt(length - 1);
  return length > 0 && last >= 0xd800 && last < 0xdc00 ? length - 1 : length;
}

/** Packs the rows: nodes and layers by their differences, sizes as their lengths in bits and the bits below the highest. */
function* packRows({ nodes, sizes, layers, fates, kinds }: FileTable): Steps<Uint8Array[]> {
  const [steps, lengths, levels, what] = [
    new ByteWriter(),
    new ByteWriter(),
    new ByteWriter(),
    new ByteWriter(),
  ];
  const mantissas = new BitWriter();
  const rounds = nodes.length > exactRows;
  for (let row = 0; row < nodes.length; row++) {
    steps.count((nodes[row] as number) - (row === 0 ? 0 : (nodes[row - 1] as number)));
    levels.count(zigzag((layers[row] as number) - (row === 0 ? 0 : (layers[row - 1] as number))));
    what.count((fates[row] as number) * 8 + (kinds[row] as number));
    const size = rounds ? rounded(sizes[row] as number) : (sizes[row] as number);
    const bits = bitLength(size);
    lengths.byte(bits);
    const [value, count] = belowHighest(size, bits, rounds);
    mantissas.bits(value, count);
    if (row % itemsPerStep === itemsPerStep - 1) yield;
  }
  return [steps.finish(), lengths.finish(), mantissas.finish(), levels.finish(), what.finish()];
}

/** Returns what is stored of a size beside its length: the bits below the highest, without those that rounding has cleared. */
function belowHighest(size: number, bits: number, rounds: boolean): readonly [value: number, count: number] {
  if (bits < 2) return [0, 0];
  const rest = size - 2 ** (bits - 1);
  const cut = clearedBits(bits, rounds);
  return [Math.floor(rest / 2 ** cut), bits - 1 - cut];
}

function zigzag(value: number): number {
  return value < 0 ? -2 * value - 1 : 2 * value;
}
