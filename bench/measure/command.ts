/** A program with its arguments. */
export type Argv = readonly string[];

/** Programs joined by pipes. The first one's input and the last one's output may be files. */
export interface Pipeline {
  readonly stages: readonly Argv[];
  readonly input?: string;
  readonly output?: string;
}

/** A contender's command: pipelines one after the other, each only if the one before succeeded. */
export interface Command {
  readonly pipelines: readonly Pipeline[];
  readonly env?: Readonly<Record<string, string>>;
}

/** Makes a command of one program. */
export function program(...argv: Argv): Command {
  return { pipelines: [{ stages: [argv] }] };
}

/** Makes a command of programs one after the other. */
export function sequence(...argvs: readonly Argv[]): Command {
  return { pipelines: argvs.map((argv) => ({ stages: [argv] })) };
}

/**
 * Renders the command as a script of bash. Each program runs below GNU time, which writes "user system maximum-RSS"
 * (seconds, kB) into `FOLDER/PIPELINE.STAGE`.
 */
export function renderScript({ pipelines }: Command, folder: string, time = '/usr/bin/time'): string {
  const lines = pipelines.map(({ stages, input, output }, i) => {
    const programs = stages.map((argv, j) => {
      const timed = [time, '-q', '-f', '%U %S %M', '-o', `${folder}/${i}.${j}`, ...argv];
      return timed.map(quote).join(' ');
    });
    if (input !== undefined) programs[0] += ` <${quote(input)}`;
    programs[programs.length - 1] += output === undefined ? ' >/dev/null' : ` >${quote(output)}`;
    return programs.join(' | ');
  });
  return ['set -e -o pipefail', ...lines].join('\n');
}

/** Renders the command as a person would type it. */
export function describeCommand({ pipelines }: Command): string {
  return pipelines
    .map(({ stages }) => stages.map((argv) => argv.map(quote).join(' ')).join(' | '))
    .join('; ');
}

function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
