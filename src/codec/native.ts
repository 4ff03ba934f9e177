/**
 * Finds and loads the native engine, which packs and unpacks gzip faster than WebAssembly and node:zlib, to the same bytes and with
 * the same verdicts. The encoder pool finds it once; its calls run on Node's thread pool.
 *
 * What may be loaded: the file that OCISLIM_NATIVE names, or one of the files that `native-places.ts` lists. Nothing of the working
 * directory or of an image.
 */
import { isAbsolute } from 'node:path';
import { OcislimError } from '../errors.ts';
import type { Algorithm } from '../oci/digest.ts';
import { nativePlaces, type NoPlace, type Place } from './native-places.ts';
import { packageVersion } from './package-version.ts';

/** The exports of the native module: `native/src/lib.rs` has their contracts. */
export interface NativeEngine {
  readonly Deflater: { new (): NativeDeflater; room(size: number): number };
  readonly Inflater: new (hash: Algorithm) => NativeInflater;
  readonly BlockInflater: new () => NativeBlockInflater;
}

/** Packs on Node's thread pool. The memory of both arrays must be left alone until the promise settles. */
export interface NativeDeflater {
  deflate(
    level: number,
    bytes: Uint8Array,
    room: Uint8Array,
    last: boolean,
  ): Promise<{ readonly size: number; readonly crc: number }>;
}

/** What one call of an inflater has done. */
interface Inflated {
  /** Bytes of the input that were used. */
  readonly read: number;
  /** Bytes of the room that were filled. */
  readonly written: number;
  /** Whether bytes for another room are waiting. */
  readonly more: boolean;
  readonly place: number;
}

/** Unpacks and hashes one gzip stream on Node's thread pool. The next call may follow when the promise of the last has settled. */
export interface NativeInflater {
  fill(input: Uint8Array, room: Uint8Array): Promise<Inflated>;
  digest(): string;
}

/** Unpacks one gzip stream in the same way, without hashing it, and finds its deflate blocks: `more` may mean more of them, too. */
export interface NativeBlockInflater {
  fill(
    input: Uint8Array,
    room: Uint8Array,
  ): Promise<
    Inflated & {
      /** Three numbers for each block: `bit`, `byte` and `member` of `GzipBlock`, the last of which is -1 for null. */
      readonly blocks: Float64Array;
    }
  >;
}

/** The version of the interface that this file knows. */
const abi = 3;

/** The version of libdeflate in each version of the npm package: the same version gives the same bytes. */
const libdeflateIn: Readonly<Record<string, string>> = { '0.1.0': '1.26' };

/** The result of a search: a file that was loaded and checked, or the reasons why nothing was. */
export type NativeSearch =
  | { readonly kind: 'found'; readonly path: string; readonly origin: string }
  | { readonly kind: 'none'; readonly reason: string };

/**
 * Finds the native engine as OCISLIM_NATIVE says: `0` takes none, `1` demands one, an absolute path demands that file. Default: the
 * local build, then the package for this platform, then none. A file that does not fit counts as missing.
 * @throws USAGE for another value; UNSUPPORTED where one is demanded and missing
 */
export function findNative(choice = process.env['OCISLIM_NATIVE']): NativeSearch {
  switch (choice) {
    case '0':
      return { kind: 'none', reason: 'OCISLIM_NATIVE=0' };
    case '1':
      return demanded(search(nativePlaces()));
    case undefined:
    case '':
      return search(nativePlaces());
    default:
      if (!isAbsolute(choice)) throw unknownChoice(choice);
      return demanded(search([{ origin: 'OCISLIM_NATIVE', path: choice }]));
  }
}

/** Says in one line which engine runs, and why. */
export function describeNative(search: NativeSearch): string {
  return search.kind === 'found'
    ? `native engine for gzip: ${search.path} (${search.origin})`
    : `no native engine: WebAssembly and node:zlib pack and unpack gzip, to the same bytes (${search.reason})`;
}

/** Loads the native engine into this thread. Throws an Error that says what does not fit. */
export function loadNative(path: string): NativeEngine {
  const loaded: { exports: unknown } = { exports: {} };
  process.dlopen(loaded, path);
  const { ABI, LIBDEFLATE, ...classes } = loaded.exports as Readonly<Record<string, unknown>>;
  if (ABI !== abi) throw new Error(`its interface is version ${String(ABI)}, not ${abi}`);
  const wanted = libdeflateIn[packageVersion('libdeflate')];
  if (LIBDEFLATE !== wanted)
    throw new Error(`it packs with libdeflate ${String(LIBDEFLATE)}, not ${wanted ?? 'a known version'}`);
  for (const name of ['Deflater', 'Inflater', 'BlockInflater'])
    if (typeof classes[name] !== 'function') throw new Error(`it has no ${name}`);
  return loaded.exports as NativeEngine;
}

/** Loads the engine that was found; null without one. */
export function loadFound(path: string | null): NativeEngine | null {
  if (path === null) return null;
  try {
    return loadNative(path);
  } catch {
    // The file has changed since it was found. The other engines give the same bytes.
    return null;
  }
}

/** Tries the candidates in their order. */
function search(candidates: readonly (Place | NoPlace)[]): NativeSearch {
  const reasons: string[] = [];
  for (const candidate of candidates) {
    if ('missing' in candidate) {
      reasons.push(candidate.missing);
      continue;
    }
    try {
      loadNative(candidate.path);
      return { kind: 'found', ...candidate };
    } catch (error) {
      reasons.push(withPath(candidate.path, error));
    }
  }
  return { kind: 'none', reason: reasons.join('; ') };
}

/** Returns the words of an error, in one line, behind the path that they are about. */
function withPath(path: string, error: unknown): string {
  const [words = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
  return words.startsWith(path) ? words : `${path}: ${words}`;
}

function demanded(found: NativeSearch): NativeSearch {
  if (found.kind === 'found') return found;
  throw new OcislimError('UNSUPPORTED', `OCISLIM_NATIVE demands the native engine: ${found.reason}`, {
    advice: 'Without OCISLIM_NATIVE, other engines do the same work, to the same bytes.',
  });
}

function unknownChoice(choice: string): OcislimError {
  return new OcislimError(
    'USAGE',
    `OCISLIM_NATIVE takes 0, 1 or an absolute path, not ${JSON.stringify(choice)}`,
  );
}
