/**
 * Unpacks what `pack.ts` has packed. The script of the page calls it, so it names nothing of Node.
 */
import { BitReader, ByteReader } from './bytes.ts';
import type { FileTable } from './file-table.ts';
import { clearedBits, exactRows } from './sizes.ts';

/** The number of columns behind the head. */
const columnCount = 10;

/** Unpacks the bytes of a table. */
export function unpack(bytes: Uint8Array): FileTable {
  const whole = new ByteReader(bytes);
  const [nodeCount, rowCount] = [whole.count(), whole.count()];
  const lengths = Array.from({ length: columnCount }, () => whole.count());
  const columns = lengths.map((length) => whole.take(length));
  return { ...unpackTree(nodeCount, columns), ...unpackRows(rowCount, columns.slice(5)) };
}

function unpackTree(count: number, columns: readonly Uint8Array[]): Pick<FileTable, 'names' | 'parents'> {
  const [ups, shared] = columns.map((column) => new ByteReader(column)) as [ByteReader, ByteReader];
  const rests = textsOf(columns[2]);
  const endingNumbers = new ByteReader(columns[3] as Uint8Array);
  const endings = textsOf(columns[4]);
  const names = [''];
  const parents = new Int32Array(count).fill(-1, 0, 1);
  /** The last node met at each depth, and its name without the ending. */
  const path = [0];
  const stems = [''];
  let depth = 0;
  for (let node = 1; node < count; node++) {
    const before = depth;
    depth = before + 1 - ups.count();
    const sibling = depth <= before ? (stems[depth] as string) : '';
    const stem = sibling.slice(0, shared.count()) + (rests[node - 1] as string);
    stems[depth] = stem;
    names.push(stem + (endings[endingNumbers.count()] as string));
    parents[node] = path[depth - 1] as number;
    path[depth] = node;
  }
  return { names, parents };
}

function textsOf(column: Uint8Array | undefined): readonly string[] {
  return new TextDecoder().decode(column).split('\n');
}

function unpackRows(
  count: number,
  columns: readonly Uint8Array[],
): Pick<FileTable, 'nodes' | 'sizes' | 'layers' | 'fates' | 'kinds'> {
  const reader = (i: number) => new ByteReader(columns[i] as Uint8Array);
  const [steps, lengths, levels, what] = [reader(0), reader(1), reader(3), reader(4)];
  const mantissas = new BitReader(columns[2] as Uint8Array);
  const rounds = count > exactRows;
  const [nodes, layers, fates] = [new Int32Array(count), new Int32Array(count), new Int32Array(count)];
  const sizes = new Float64Array(count);
  const kinds = new Uint8Array(count);
  for (let row = 0, node = 0, layer = 0; row < count; row++) {
    nodes[row] = node += steps.count();
    const step = levels.count();
    layers[row] = layer += step % 2 === 0 ? step / 2 : -(step + 1) / 2;
    const word = what.count();
    fates[row] = Math.floor(word / 8);
    kinds[row] = word % 8;
    const bits = lengths.byte();
    const cut = clearedBits(bits, rounds);
    sizes[row] = bits < 2 ? bits : 2 ** (bits - 1) + mantissas.bits(bits - 1 - cut) * 2 ** cut;
  }
  return { nodes, sizes, layers, fates, kinds };
}
