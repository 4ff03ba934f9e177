/**
 * Reads what `apparmor_parser --stdout` writes, and asks its automaton for files as the kernel does: which rights a path has. Sources:
 * security/apparmor/policy_unpack.c (the packed form), include/match.h and match.c (tables and their walk) of Linux.
 */
import { bytesOf, type ByteString } from '../../../src/bytes/bytes.ts';

/** The letters of the rights of other users than the owner, by their bits in an accepting state. */
const otherRights = { x: 1 << 14, w: 2 << 14, r: 4 << 14, l: 0x10 << 14, k: 0x20 << 14, m: 0x40 << 14 };

interface Automaton {
  readonly accept: readonly number[];
  readonly base: readonly number[];
  readonly fallback: readonly number[];
  readonly next: readonly number[];
  readonly check: readonly number[];
  /** The class of each byte; null where each byte is one of its own. */
  readonly classes: readonly number[] | null;
}

const magic = 0x1b5e783d;
/** In `base`: the state has only the transitions that differ from those of its fallback. */
const isDifferential = 0x80000000;

/** Returns a function from a path to its rights, "rw", sorted by letter. */
export function rightsBy(policy: Uint8Array): (path: ByteString) => string {
  const automaton = readAutomaton(fileAutomaton(policy));
  return (path) => {
    let state = 1;
    for (const byte of bytesOf(path)) state = step(automaton, state, byte);
    const bits = automaton.accept[state] ?? 0;
    const letters = Object.entries(otherRights).filter(([, bit]) => (bits & bit) !== 0);
    return letters
      .map(([letter]) => letter)
      .sort()
      .join('');
  };
}

function step({ base, check, next, fallback, classes }: Automaton, from: number, byte: number): number {
  const column = classes?.[byte] ?? byte;
  for (let state = from; ; ) {
    const entry = base[state] ?? 0;
    const at = (entry & 0xffffff) + column;
    if (check[at] === state) return next[at] ?? 0;
    state = fallback[state] ?? 0;
    if ((entry & isDifferential) === 0) return state;
  }
}

/** Finds the automaton for files: the last blob named `aadfa`. Another one is for network, signals and the like. */
function fileAutomaton(policy: Uint8Array): DataView {
  const all = Buffer.from(policy);
  const at = all.lastIndexOf(Buffer.from('\x04\x06\0aadfa\0\x06', 'latin1'));
  if (at < 0) throw new Error('the policy has no rules for files');
  const begin = at + 10;
  const size = all.readUInt32LE(begin);
  const blob = all.subarray(begin + 4, begin + 4 + size);
  const start = blob.indexOf(Buffer.from([0x1b, 0x5e, 0x78, 0x3d]));
  return new DataView(blob.buffer, blob.byteOffset + start, size - start);
}

/** Reads the tables: numbers in the order of the network, each table filled up to a multiple of eight bytes. */
function readAutomaton(view: DataView): Automaton {
  if (view.getUint32(0) !== magic) throw new Error('this is not an automaton');
  const tables = new Map<number, number[]>();
  const length = view.getUint32(8);
  for (let at = view.getUint32(4); at + 12 <= length; ) {
    const id = view.getUint16(at);
    const width = view.getUint16(at + 2);
    const count = view.getUint32(at + 8);
    const read = (i: number): number =>
      width === 1 ? view.getUint8(i) : width === 2 ? view.getUint16(i) : view.getUint32(i);
    tables.set(
      id,
      Array.from({ length: count }, (_, i) => read(at + 12 + i * width)),
    );
    at = Math.ceil((at + 12 + count * width) / 8) * 8;
  }
  const table = (id: number): readonly number[] => tables.get(id) ?? [];
  return {
    accept: table(1),
    base: table(2),
    check: table(3),
    fallback: table(4),
    classes: tables.get(5) ?? null,
    next: table(8),
  };
}
