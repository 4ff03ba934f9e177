/** Reads the lists of sources that `fleet plan --from` names. The option calls it where files are given. */
import { type FleetSource, parseFleetList } from '../fleet/index.ts';
import type { Door } from './option.ts';
import { readText } from './rule-files.ts';

/** Reads files of sources, in order; `-` is standard input. @throws USAGE naming the file and line, LIMIT */
export async function readFleetLists(
  files: readonly string[],
  _where: string,
  { limits, signal }: Pick<Door, 'limits' | 'signal'>,
): Promise<readonly FleetSource[]> {
  const found: FleetSource[] = [];
  for (const file of files) {
    const bound = { what: 'list of sources', limit: 'rule-bytes', limits } as const;
    const text = await readText(file === '-' ? '/dev/stdin' : file, bound, signal);
    for (const source of parseFleetList(text, file === '-' ? 'stdin' : file)) found.push(source);
  }
  return found;
}
