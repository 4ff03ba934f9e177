/** Reads --limit. The limits themselves, their defaults and their reasons stand in `src/limits.ts`. */
import { OcislimError } from '../errors.ts';
import { defaultLimits, isLimitName, type LimitName, type Limits, limitTable } from '../limits.ts';
import { parseDuration } from './duration.ts';
import { splitNames } from './option.ts';
import { parseSize } from './sizes.ts';

/** The limits that differ from their defaults. `none` stands for no limit, since JSON has no infinity. */
export type LimitOverrides = Readonly<Partial<Record<LimitName, number | 'none'>>>;

/** Reads `NAME=VALUE,…` texts; a later one replaces an earlier one of its name. @throws USAGE */
export function parseLimits(texts: readonly string[], option = '--limit'): LimitOverrides {
  const overrides: Partial<Record<LimitName, number | 'none'>> = {};
  for (const item of splitNames(texts)) {
    const equals = item.indexOf('=');
    const name = item.slice(0, Math.max(0, equals)).trim();
    if (!isLimitName(name))
      throw new OcislimError(
        'USAGE',
        equals < 0
          ? `${option} takes NAME=VALUE, not ${JSON.stringify(item)}`
          : `${option}: the limit ${JSON.stringify(name)} is not known`,
        { advice: `The limits are: ${Object.keys(limitTable).join(', ')}.` },
      );
    overrides[name] = parseLimit(name, item.slice(equals + 1).trim(), `${option} ${name}`);
  }
  return overrides;
}

/** Returns all limits of a run: the defaults with the overrides in their place. */
export function limitsOf(overrides: LimitOverrides): Limits {
  const limits: Record<LimitName, number> = { ...defaultLimits };
  for (const [name, value] of Object.entries(overrides))
    limits[name as LimitName] = value === 'none' ? Number.POSITIVE_INFINITY : value;
  return limits;
}

/** Reads a value in the unit of its limit. @throws USAGE naming the option */
function parseLimit(name: LimitName, text: string, option: string): number | 'none' {
  if (text === 'none') return text;
  const { unit } = limitTable[name];
  switch (unit) {
    case 'bytes':
      return parseSize(text, option);
    case 'seconds':
      return parseDuration(text, option);
    case 'times':
    case 'count':
      if (/^\d{1,15}$/.test(text)) return Number(text);
      throw new OcislimError('USAGE', `${option} takes a whole number or none, not ${JSON.stringify(text)}`);
  }
}
