/**
 * The face of the codec room, which packs and unpacks streams of bytes (`encode.ts`, `decode.ts`) and says here what formats,
 * engines and levels there are. It knows nothing of tar, of layers, or of which packing is the better one: see `compress`.
 */
import { OcislimError } from '../errors.ts';
import type { Compression } from '../oci/media-type.ts';
import {
  type BlockEncoding,
  type Caveat,
  type Engine,
  type EngineLevels,
  type EngineName,
  type Format,
  formats,
  type PackedEncoding,
  type PackedFormat,
} from './formats.ts';

export type { BlockEncoding, Effort, GzipEngine, PackedEncoding, PackedFormat } from './formats.ts';

/** All formats in the order of the command line: those that pack, then `none`. */
export const formatNames = Object.keys(formats) as readonly Compression[];

/** The formats that have levels. */
export const packedFormats = formatNames.filter(isPackedFormat);

export function isPackedFormat(format: Compression): format is PackedFormat {
  return Object.keys(formats[format].engines).length > 0;
}

/** Lists the engines of a format, the default first. */
export function engineNames<F extends PackedFormat>(format: F): readonly [EngineName<F>, ...EngineName<F>[]] {
  return Object.keys(formats[format].engines) as [EngineName<F>, ...EngineName<F>[]];
}

/** Returns the engine of a format for users that name none. */
export function defaultEngine<F extends PackedFormat>(format: F): EngineName<F> {
  return engineNames(format)[0];
}

/** The engine that the user prefers for each format; the default engine where none is given. */
export type EngineChoice = { readonly [F in PackedFormat]?: EngineName<F> | undefined };

/** Returns the levels of a format with the engine chosen for it. @throws USAGE for an engine that it does not have */
export function levelsOf(format: PackedFormat, engines: EngineChoice = {}): EngineLevels {
  return engineIn(format, engines[format] ?? defaultEngine(format)).levels;
}

/** The highest level of all engines; all levels run from 1. */
export const highestLevel = Math.max(
  ...packedFormats.flatMap((format) =>
    engineNames(format).map((engine) => engineIn(format, engine).levels.highest),
  ),
);

/** Writes the levels of the default engines: `gzip 1–12, zstd 1–22`. */
export function levelRanges(): string {
  return packedFormats.map((format) => `${format} 1–${levelsOf(format).highest}`).join(', ');
}

/** Writes the levels of all engines: `gzip 1–12 (zlib and pako 1–9), zstd 1–22`. */
export function levelRangesByEngine(): string {
  return packedFormats
    .map((format) => `${format} 1–${levelsOf(format).highest}${exceptions(format)}`)
    .join(', ');
}

function exceptions(format: PackedFormat): string {
  const highestOf = (name: string) => engineIn(format, name).levels.highest;
  const others = engineNames<PackedFormat>(format).filter(
    (name) => highestOf(name) !== levelsOf(format).highest,
  );
  if (others.length === 0) return '';
  const groups = [...Map.groupBy(others, highestOf)];
  return ` (${groups.map(([highest, names]) => `${names.join(' and ')} 1–${highest}`).join(', ')})`;
}

/** Builds the encoding of a format at a level. Default: its usual level and its default engine. Does not validate the level. */
export function encodingWith(
  format: PackedFormat,
  { level, engines = {} }: { readonly level?: number | undefined; readonly engines?: EngineChoice } = {},
): BlockEncoding {
  const packing = { kind: format, level: level ?? levelsOf(format, engines).usual };
  const engine = engines[format] ?? defaultEngine(format);
  return (formats[format].namesEngine ? { ...packing, engine } : packing) as BlockEncoding;
}

/** Returns the encoding for a layer that had to be rewritten and keeps its format: the usual level. */
export function usualEncoding(format: Compression): PackedEncoding {
  return isPackedFormat(format) ? encodingWith(format) : { kind: format };
}

/** Returns the same encoding without other properties of the object, such as a threshold. */
export function plainEncoding(encoding: PackedEncoding): PackedEncoding {
  if (!isPacked(encoding)) return { kind: encoding.kind };
  const { kind, level } = encoding;
  return encodingWith(kind, { level, engines: { [kind]: engineNameOf(encoding) } });
}

export function isPacked(encoding: PackedEncoding): encoding is BlockEncoding {
  return isPackedFormat(encoding.kind);
}

/** Returns the name of the engine that writes an encoding, stated or implied. */
function engineNameOf(encoding: BlockEncoding): EngineName<PackedFormat> {
  return 'engine' in encoding ? encoding.engine : defaultEngine(encoding.kind);
}

/** Returns the engine that writes an encoding. @throws USAGE for an engine that the format does not have */
export function engineOf(encoding: BlockEncoding): Engine {
  return engineIn(encoding.kind, engineNameOf(encoding));
}

/** Returns the warning that an encoding deserves, or null. */
export function caveatOf(encoding: PackedEncoding): Caveat | null {
  return isPacked(encoding) ? engineOf(encoding).caveat(encoding.level) : null;
}

/** Checks the engine and the level. @throws USAGE with the engines or the range allowed */
export function validateEncoding(encoding: PackedEncoding): void {
  if (!isPacked(encoding)) return;
  const { kind, level } = encoding;
  const { highest } = engineOf(encoding).levels;
  if (Number.isInteger(level) && level >= 1 && level <= highest) return;
  const what = formats[kind].namesEngine ? `${kind} with ${engineNameOf(encoding)}` : kind;
  throw new OcislimError('USAGE', `${what} has no level ${level}: levels run from 1 to ${highest}`);
}

function engineIn(format: PackedFormat, name: string): Engine {
  const { engines }: Format = formats[format];
  const engine = Object.hasOwn(engines, name) ? engines[name] : undefined;
  if (engine !== undefined) return engine;
  const known = Object.keys(engines);
  throw new OcislimError('USAGE', `${format} has no engine ${JSON.stringify(name)}`, {
    advice: `Use ${known.slice(0, -1).join(', ')} or ${known.at(-1)}.`,
  });
}

/** Returns how many bytes of tar a client unpacks per second in one thread. The level makes next to no difference. */
export function unpackingSpeed(format: Compression): number {
  return formats[format].unpackingSpeed;
}

/** Returns how many bytes a packed byte of a format can unpack to, at most. */
export function highestRatio(format: Compression): number {
  return formats[format].highestRatio;
}

/** Returns the clients that read a format, as the subject of a sentence. */
export function readersOf(format: Compression): string {
  return formats[format].readers;
}

/** Returns whether layers of a format may lie in a docker-archive, for `docker load`. */
export function fitsDockerArchive(format: Compression): boolean {
  return formats[format].inDockerArchive;
}

/** Returns the clients that stop behind the first member or frame of a format; null where they read all of it. */
export function partialReadersOf(format: Compression): string | null {
  return formats[format].partialReaders;
}
