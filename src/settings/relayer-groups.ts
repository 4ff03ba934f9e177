import { OcislimError } from '../errors.ts';
import type { RelayerGroup } from '../image/relayering.ts';
import { checkGlobs } from './rule-files.ts';

/** Reads `NAME=GLOB` texts; globs of one name are one group. @throws USAGE, RULES_INVALID */
export async function parseGroups(texts: readonly string[], where: string): Promise<readonly RelayerGroup[]> {
  const groups = new Map<string, string[]>();
  for (const text of texts) {
    const equals = text.indexOf('=');
    const [name, glob] = [text.slice(0, equals), text.slice(equals + 1)];
    if (equals < 1 || glob === '')
      throw new OcislimError('USAGE', `${where} takes NAME=GLOB, not ${JSON.stringify(text)}`);
    await checkGlobs([glob], where);
    const known = groups.get(name);
    if (known === undefined) groups.set(name, [glob]);
    else known.push(glob);
  }
  return [...groups].map(([name, globs]) => ({ name, globs }));
}
