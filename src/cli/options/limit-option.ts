import { OcislimError } from '../../errors.ts';
import { defaultLimits, isLimitName, limitTable, type LimitName, type Limits } from '../../limits.ts';
import { names, type Values } from './option.ts';
import { parseSize } from './sizes.ts';
import { parseDuration } from './tuning.ts';

/** What `--limit NAME=VALUE,…` says, over the defaults; `none` takes a limit away. @throws USAGE */
export function readLimits(values: Values): Limits {
  const limits: Record<LimitName, number> = { ...defaultLimits };
  for (const item of names(values, 'limit')) {
    const equals = item.indexOf('=');
    const name = item.slice(0, Math.max(0, equals)).trim();
    if (!isLimitName(name))
      throw new OcislimError(
        'USAGE',
        equals < 0
          ? `--limit takes NAME=VALUE, not ${JSON.stringify(item)}`
          : `--limit: there is no limit ${JSON.stringify(name)}`,
        { advice: `The limits are: ${Object.keys(limitTable).join(', ')}.` },
      );
    limits[name] = parseLimit(name, item.slice(equals + 1).trim());
  }
  return limits;
}

function parseLimit(name: LimitName, text: string): number {
  if (text === 'none') return Number.POSITIVE_INFINITY;
  const option = `--limit ${name}`;
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
