/**
 * Reads what a compiled module of Python states of its source. Scans leave its time out of what they know a file by, and the noise of
 * rebuilds is told from changes by it.
 */
import { baseOf, type Path, parentOf, rootPath } from '../../bytes/path.ts';
import { MiB } from '../../units.ts';

/** What Python compares with the source before it takes a compiled module. */
export interface CompiledStamp {
  /** The time of the source, in seconds since 1970, the lowest 32 bits. */
  readonly time: number;
  /** The size of the source in bytes, the lowest 32 bits. */
  readonly size: number;
}

/** Where a compiled module states the time of its source (PEP 552). */
const timePlace = 8;
const timeBytes = 4;

/** The bytes of a compiled module before its code. */
const stampedHead = 16;

/** The size up to which a compiled module is held to be looked at. All bytes of a larger one count. */
export const largestCompiled = 8 * MiB;

/** Numbers of CPython's formats: the first one with this head, of 3.7, and an end that none has reached. */
const [firstFormat, lastFormat] = [3392, 19_999];

/** Tells whether a name is that of a compiled module. */
export function isCompiledName(path: Path): boolean {
  return path.endsWith('.pyc');
}

/**
 * Reads the stamp of a compiled module from its beginning. Returns null for modules that are known by a hash of their source, which state
 * no time, for those of older and other Pythons, and for anything else.
 */
function stampOf(head: Uint8Array): CompiledStamp | null {
  if (head.length < stampedHead) return null;
  const view = new DataView(head.buffer, head.byteOffset, stampedHead);
  const format = view.getUint16(0, true);
  const isFormat = format >= firstFormat && format <= lastFormat && view.getUint16(2, false) === 0x0d0a;
  if (!isFormat || view.getUint32(4, true) !== 0) return null;
  return { time: view.getUint32(timePlace, true), size: view.getUint32(12, true) };
}

/** Reads the stamp of a whole compiled module as `stampOf` does, and clears the time in it. Bytes without a stamp stay as they are. */
export function clearTime(module: Uint8Array): CompiledStamp | null {
  const stamp = stampOf(module);
  if (stamp !== null) module.fill(0, timePlace, timePlace + timeBytes);
  return stamp;
}

/** Returns the source of a compiled module (PEP 3147): of `a/__pycache__/m.cpython-311.pyc` it is `a/m.py`. */
export function sourceOf(path: Path): Path {
  const directory = parentOf(path);
  const module = baseOf(path).split('.', 1)[0] ?? baseOf(path);
  const home = baseOf(directory) === '__pycache__' ? parentOf(directory) : directory;
  return rootPath`${home}/${module}.py`;
}

/** Tells whether Python would take a compiled module for that of a source with this time, in seconds since 1970, and this size. */
export function isUpToDate(
  stamp: CompiledStamp,
  { mtime, size }: { readonly mtime: number; readonly size: number },
): boolean {
  return stamp.time === lowBits(Math.floor(mtime)) && stamp.size === lowBits(size);
}

/** Returns the lowest 32 bits of a whole number. */
function lowBits(number: number): number {
  const rest = number % 2 ** 32;
  return rest < 0 ? rest + 2 ** 32 : rest;
}
