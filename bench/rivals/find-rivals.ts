import { execFile } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { Rival } from '../works/work.ts';

/** The rivals that are installed, with their versions, and those that are not, with the reason. */
export interface Found {
  readonly present: readonly Rival[];
  readonly versions: Readonly<Record<string, string>>;
  readonly missing: Readonly<Record<string, string>>;
}

/** Returns the file of a program in a PATH; undefined where it is missing. */
export function findProgram(program: string, path: string): string | undefined {
  return path
    .split(delimiter)
    .map((folder) => join(folder, program))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

export async function findRivals(
  rivals: readonly Rival[],
  env: Readonly<Record<string, string>>,
): Promise<Found> {
  const present: Rival[] = [];
  const versions: Record<string, string> = {};
  const missing: Record<string, string> = {};
  for (const rival of rivals) {
    const lacks = rival.programs.filter((program) => findProgram(program, env['PATH'] ?? '') === undefined);
    if (lacks.length > 0) {
      missing[rival.name] = `not installed: ${lacks.join(', ')}`;
      continue;
    }
    present.push(rival);
    for (const [name, argv] of Object.entries(rival.versions)) versions[name] = await askVersion(argv, env);
  }
  return { present, versions, missing };
}

/** Returns the word of a program's output that looks most like a version. */
export function askVersion(
  [program = '', ...args]: readonly string[],
  env: Readonly<Record<string, string>>,
) {
  return new Promise<string>((resolve) => {
    execFile(program, args, { env, timeout: 20_000 }, (_, stdout, stderr) => {
      const said = `${stdout}${stderr}`;
      resolve(/v?\d+\.\d+[^\s,*)]*/.exec(said)?.[0].replace(/^v/, '') ?? 'unknown');
    });
  });
}
