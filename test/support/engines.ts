import { findNative, loadNative, type NativeEngine } from '../../src/codec/native.ts';

/** An engine of this machine that unpacks gzip. */
export interface Engine {
  readonly name: string;
  /** The file of the native engine; null for node:zlib and WebAssembly. */
  readonly path: string | null;
  readonly native: NativeEngine | null;
}

const found = findNative();

/** The native engine, where there is one and OCISLIM_NATIVE does not forbid it. */
export const nativeEngines: readonly (Engine & { readonly path: string; readonly native: NativeEngine })[] =
  found.kind === 'found' ? [{ name: 'native', path: found.path, native: loadNative(found.path) }] : [];

/** The engines to test: without the native one, tests of "each engine" test what there is. */
export const engines: readonly Engine[] = [{ name: 'node:zlib', path: null, native: null }, ...nativeEngines];
