/**
 * Reads the limits of gates: those of a file and those of options become the same plain data. Callers: `gate-file.ts` and the command
 * `check`.
 */
import type { GateLimits } from '../analyze/gates/all.ts';
import { sinNames } from '../analyze/gates/dockerfile.ts';
import { type PackageSpec, parsePackageSpec } from '../analyze/gates/packages.ts';
import type { Policy } from '../analyze/gates/verdict.ts';
import { OcislimError } from '../errors.ts';
import { parseReference } from '../oci/reference.ts';
import { parseRule } from '../rules/rules.ts';
import type { WrittenLimits } from './gate-schema.ts';
import { parsePercentOrSize, parseSize } from './sizes.ts';

/** What is checked where neither a file nor an option says it: dive's defaults and secrets, and hints. */
export const defaultPolicy: Policy = {
  check: { lowestEfficiency: 0.9, highestUserWastedPercent: 0.1, secrets: true },
  warn: { nonRoot: true, dockerfile: [...sinNames] },
};

/** Reads written limits. `read` names the key of each mistake. @throws whatever `read` makes of USAGE, REFERENCE_INVALID and RULES_INVALID */
export function limitsOf(written: WrittenLimits, read: <T>(key: string, parse: () => T) => T): GateLimits {
  const { transferSize, unpackedSize, layerSize, highestWastedBytes, reclaimable, duplicates } = written;
  const { setuid, forbiddenPaths, forbiddenPackages, baseImages, dockerfile, ...plain } = written;
  const sizes = { transferSize, unpackedSize, layerSize, highestWastedBytes };
  const shares = { reclaimable, duplicates };
  const checked = (key: string, texts: readonly string[] | undefined, parse: (text: string) => unknown) => {
    if (texts === undefined) return {};
    read(key, () => texts.forEach(parse));
    return { [key]: texts };
  };
  return {
    ...plain,
    ...mapped(sizes, (value, key) => read(key, () => parseSize(String(value), key))),
    ...mapped(shares, (value, key) => read(key, () => parsePercentOrSize(String(value), key))),
    ...checked('setuid', setuid, (glob) => parseRule(glob, 'setuid')),
    ...checked('forbiddenPaths', forbiddenPaths, (glob) => parseRule(glob, 'forbiddenPaths')),
    ...checked('baseImages', baseImages, parseReference),
    ...(forbiddenPackages === undefined
      ? {}
      : { forbiddenPackages: read('forbiddenPackages', () => parsePackages(forbiddenPackages)) }),
    ...(dockerfile === undefined ? {} : { dockerfile: dockerfile === true ? [...sinNames] : dockerfile }),
  } as GateLimits;
}

/** Reads specifications of packages. @throws USAGE */
export function parsePackages(texts: readonly string[], where = 'forbiddenPackages'): readonly PackageSpec[] {
  return texts.map((text) => {
    const spec = parsePackageSpec(text);
    if (spec !== null) return spec;
    throw new OcislimError('USAGE', `${where}: ${JSON.stringify(text)} names no package`, {
      advice: 'Write NAME, KIND:NAME, or with a version: openssl<3, node:left-pad, lib*-dev.',
    });
  });
}

/** Turns the members that are there by a function. */
function mapped<Key extends string, From, To>(
  members: Readonly<Record<Key, From | undefined>>,
  turn: (value: From, key: Key) => To,
): Partial<Record<Key, To>> {
  const entries = Object.entries(members) as [Key, From | undefined][];
  return Object.fromEntries(
    entries.flatMap(([key, value]) => (value === undefined ? [] : [[key, turn(value, key)]])),
  ) as Partial<Record<Key, To>>;
}

const factors: Readonly<Record<string, number>> = Object.fromEntries(
  ['', 'k', 'm', 'g', 't', 'p', 'e'].flatMap((letter, power) => [
    [letter, 1000 ** power],
    [`${letter}b`, 1000 ** power],
    ...(letter === ''
      ? []
      : [
          [`${letter}i`, 1024 ** power],
          [`${letter}ib`, 1024 ** power],
        ]),
  ]),
);

/** Reads bytes as dive does (its library humanize): `20MB`, `1,000 KiB`, `1.5G`. Null for a text that it refuses. */
export function parseDiveBytes(text: string): number | null {
  const [number = ''] = /^[0-9.,]*/.exec(text) ?? [];
  const unit = text.slice(number.length).toLowerCase().trim();
  const digits = number.replaceAll(',', '');
  const factor = Object.hasOwn(factors, unit) ? factors[unit] : undefined;
  if (factor === undefined || !/^(?:\d+(?:\.\d*)?|\.\d+)$/.test(digits)) return null;
  const bytes = Math.trunc(Number(digits) * factor);
  return bytes < 2 ** 64 ? bytes : null;
}

/** Reads a share as dive does: a number from 0 to 1. Null for a text that it refuses. */
export function parseDiveRatio(text: string): number | null {
  const number = /^\+?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i.test(text) ? Number(text) : Number.NaN;
  return number >= 0 && number <= 1 ? number : null;
}

/** Returns whether a text switches a rule of dive off. */
export function isDisabledForDive(text: string): boolean {
  return ['', 'disabled', 'off', 'false'].includes(text.toLowerCase().trim());
}
