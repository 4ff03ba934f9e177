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

/** All formats, in the order of the command line: those that pack, then `none`. */
export const formatNames = Object.keys(formats) as readonly Compression[];

/** The formats that have levels. */
export const packedFormats = formatNames.filter(isPackedFormat);

export function isPackedFormat(format: Compression): format is PackedFormat {
  return Object.keys(formats[format].engines).length > 0;
}

/** The engines of a format, the default first. */
export function engineNames<F extends PackedFormat>(format: F): readonly [EngineName<F>, ...EngineName<F>[]] {
  return Object.keys(formats[format].engines) as [EngineName<F>, ...EngineName<F>[]];
}

/** The engine of a format where the user names none. */
export function defaultEngine<F extends PackedFormat>(format: F): EngineName<F> {
  return engineNames(format)[0];
}

/** The engine that the user prefers for each format; the default engine where none is given. */
export type EngineChoice = { readonly [F in PackedFormat]?: EngineName<F> | undefined };

/** The levels of a format with the engine chosen for it. */
export function levelsOf(format: PackedFormat, engines: EngineChoice = {}): EngineLevels {
  return engineIn(format, engines[format] ?? defaultEngine(format)).levels;
}

/** The highest level of all engines; all levels run from 1. */
export const highestLevel = Math.max(
  ...packedFormats.flatMap((format) =>
    engineNames(format).map((engine) => engineIn(format, engine).levels.highest),
  ),
);

/** The levels of the default engines for texts: `gzip 1–12, zstd 1–22`. */
export function levelRanges(): string {
  return packedFormats.map((format) => `${format} 1–${levelsOf(format).highest}`).join(', ');
}

/** As `levelRanges`, with the engines that have other levels: `gzip 1–12 (zlib and pako 1–9), zstd 1–22`. */
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

/** The encoding of a format at a level, by default its usual one. Not yet validated. */
export function encodingWith(
  format: PackedFormat,
  { level, engines = {} }: { readonly level?: number | undefined; readonly engines?: EngineChoice } = {},
): BlockEncoding {
  const packing = { kind: format, level: level ?? levelsOf(format, engines).usual };
  const engine = engines[format] ?? defaultEngine(format);
  return (formats[format].namesEngine ? { ...packing, engine } : packing) as BlockEncoding;
}

/** The encoding of a layer that only had to be rewritten: its own format at the usual level. */
export function usualEncoding(format: Compression): PackedEncoding {
  return isPackedFormat(format) ? encodingWith(format) : { kind: format };
}

/** The same encoding without other properties of the object, such as a threshold. */
export function plainEncoding(encoding: PackedEncoding): PackedEncoding {
  if (!isPacked(encoding)) return { kind: encoding.kind };
  const { kind, level } = encoding;
  return encodingWith(kind, { level, engines: { [kind]: engineNameOf(encoding) } });
}

export function isPacked(encoding: PackedEncoding): encoding is BlockEncoding {
  return isPackedFormat(encoding.kind);
}

/** The name of the engine that writes an encoding, stated or implied. */
export function engineNameOf(encoding: BlockEncoding): EngineName<PackedFormat> {
  return 'engine' in encoding ? encoding.engine : defaultEngine(encoding.kind);
}

/** @throws USAGE for an engine that the format does not have */
export function engineOf(encoding: BlockEncoding): Engine {
  return engineIn(encoding.kind, engineNameOf(encoding));
}

/** The warning that an encoding deserves, or null. */
export function caveatOf(encoding: PackedEncoding): Caveat | null {
  return isPacked(encoding) ? engineOf(encoding).caveat(encoding.level) : null;
}

/** @throws USAGE with the engines or the range allowed. */
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

/** Bytes of tar that a client unpacks per second in one thread; hardly any level makes a difference. */
export function unpackingSpeed(format: Compression): number {
  return formats[format].unpackingSpeed;
}

/** The clients that read a format, as the subject of a sentence. */
export function readersOf(format: Compression): string {
  return formats[format].readers;
}
