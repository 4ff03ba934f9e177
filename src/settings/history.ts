import { OcislimError } from '../errors.ts';

/** Which earlier versions of an image tell how often its components change. */
export interface HistorySetting {
  /** How many of the newest earlier images of its repository; 0 for none. */
  readonly newest: number;
  /** References to further ones, in any order. */
  readonly references: readonly string[];
}

/** Reads the texts of `--history`: a number stands for the newest earlier images, everything else is a reference. @throws USAGE */
export function parseHistory(texts: readonly string[], where: string): HistorySetting {
  const counts = texts.filter((text) => /^[0-9]+$/.test(text));
  if (counts.length > 1)
    throw new OcislimError('USAGE', `${where} takes one number, not ${counts.join(' and ')}`);
  const newest = Number(counts[0] ?? 0);
  if (counts.length > 0 && (newest < 1 || !Number.isSafeInteger(newest)))
    throw new OcislimError('USAGE', `${where} takes a number of images from 1 on, or references`);
  return { newest, references: texts.filter((text) => !/^[0-9]+$/.test(text)) };
}

/** Tells whether no earlier version is asked for. */
export function asksNoHistory({ newest, references }: HistorySetting): boolean {
  return newest === 0 && references.length === 0;
}
