/** Reads sizes and shares. Callers: the options of a table, and plans. */
import { OcislimError } from '../errors.ts';
import { GiB, KiB, MiB } from '../units.ts';

const factors: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  k: 1e3,
  kb: 1e3,
  m: 1e6,
  mb: 1e6,
  g: 1e9,
  gb: 1e9,
  t: 1e12,
  tb: 1e12,
  kib: KiB,
  mib: MiB,
  gib: GiB,
  tib: 2 ** 40,
};

const advice = 'Write bytes (1000), or a unit: 512MiB and 2GiB count in 1024s, 500MB and 2GB in 1000s.';

/**
 * Reads whole bytes: `512MiB`, `2GB`, `1.5 GB`, `1000`. Case does not matter; `k`, `m`, `g`, `t` are decimal.
 * @throws USAGE naming the option.
 */
export function parseSize(text: string, option: string): number {
  const match = /^(\d{1,15}(?:\.\d{1,15})?)\s*([a-z]*)$/i.exec(text.trim());
  const factor = match === null ? undefined : own(factors, (match[2] as string).toLowerCase());
  const bytes = match === null || factor === undefined ? Number.NaN : Number(match[1]) * factor;
  if (!Number.isSafeInteger(Math.round(bytes))) {
    throw new OcislimError('USAGE', `${option}: ${JSON.stringify(text)} is not a size`, { advice });
  }
  if (factor === 1 && !Number.isInteger(bytes)) {
    throw new OcislimError('USAGE', `${option}: ${JSON.stringify(text)} is not a whole number of bytes`, {
      advice,
    });
  }
  return Math.round(bytes);
}

/** A share of a whole (0 to 1), or bytes. */
export type PercentOrSize =
  | { readonly kind: 'ratio'; readonly ratio: number }
  | { readonly kind: 'bytes'; readonly bytes: number };

/**
 * Reads `5%`, `2.5 %` or a size.
 * @throws USAGE naming the option; also beyond 100%.
 */
export function parsePercentOrSize(text: string, option: string): PercentOrSize {
  const match = /^(\d{1,3}(?:\.\d{1,15})?)\s*%$/.exec(text.trim());
  if (match === null) {
    if (text.includes('%')) {
      throw new OcislimError('USAGE', `${option}: ${JSON.stringify(text)} is not a percentage`, {
        advice: 'Write 5% or 2.5%.',
      });
    }
    return { kind: 'bytes', bytes: parseSize(text, option) };
  }
  const ratio = Number(match[1]) / 100;
  if (ratio > 1) throw new OcislimError('USAGE', `${option}: ${JSON.stringify(text)} is more than the whole`);
  return { kind: 'ratio', ratio };
}

/** Reads a percentage alone, as a share from 0 to 1. @throws USAGE naming the option */
export function parsePercent(text: string, option: string): number {
  const written = text.trim();
  if (written.endsWith('%')) {
    const read = parsePercentOrSize(written, option);
    if (read.kind === 'ratio') return read.ratio;
  }
  const isNumber = /^\d{1,2}(?:\.\d{1,15})?$/.test(written);
  throw new OcislimError('USAGE', `${option} takes a percentage, not ${JSON.stringify(text)}`, {
    advice: isNumber ? `Write ${written}%.` : 'Write 5% or 2.5%.',
  });
}

function own(table: Readonly<Record<string, number>>, key: string): number | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}
