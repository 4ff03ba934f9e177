/** Reads lengths of time and points in time. */
import { OcislimError } from '../errors.ts';

/** Reads seconds: `45s`, `2m`, `1m30s`, `1h`. @throws USAGE naming the option */
export function parseDuration(text: string, option: string): number {
  const match = /^(?:(\d{1,4})h)?(?:(\d{1,6})m)?(?:(\d{1,6}(?:\.\d{1,3})?)s)?$/.exec(text);
  if (match === null || text === '') {
    throw new OcislimError('USAGE', `${option}: ${JSON.stringify(text)} is not a length of time`, {
      advice: 'Write 45s, 2m, 1m30s or 1h.',
    });
  }
  const [, hours = '0', minutes = '0', seconds = '0'] = match;
  const total = Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds);
  if (total > 0) return total;
  throw new OcislimError('USAGE', `${option}: a length of time must be above 0, not ${JSON.stringify(text)}`);
}

/** Reads seconds since 1970, at most 11 digits, as SOURCE_DATE_EPOCH has them. @throws USAGE naming the variable */
export function parseEpoch(text: string, variable: string): number {
  if (!/^[0-9]{1,11}$/.test(text))
    throw new OcislimError('USAGE', `${variable} is not a number of seconds: ${JSON.stringify(text)}`);
  return Number(text);
}
