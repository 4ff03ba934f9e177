import { parseArgs } from 'node:util';
import { randomInt } from 'node:crypto';
import { availableParallelism } from 'node:os';

export interface Options {
  readonly targets: readonly string[];
  readonly seconds: number;
  readonly seed: number;
  readonly jobs: number;
  /** A file with an input to run once; null for fuzzing. */
  readonly input: string | null;
}

export const usage = `npm run fuzz -- [--target NAME]… [--seconds N] [--seed S] [--jobs N]
npm run fuzz -- --target NAME --input FILE

  --target NAME  a module of fuzz/targets; all of them if there is none
  --seconds N    for all targets together (120)
  --seed S       the same seed makes the same inputs as long as coverage and time are the same (a fresh one, printed)
  --jobs N       threads (as many as there are processors)
  --input FILE   run one input once: how a finding is repeated`;

/** Parses the command line. @throws Error with a sentence for the person at the terminal */
export function parseOptions(args: readonly string[], known: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      target: { type: 'string', multiple: true },
      seconds: { type: 'string' },
      seed: { type: 'string' },
      jobs: { type: 'string' },
      input: { type: 'string' },
    },
  });
  const targets = values.target ?? known;
  const unknown = targets.find((name) => !known.includes(name));
  if (unknown !== undefined) throw new Error(`there is no target ${unknown}; known: ${known.join(', ')}`);
  if (values.input !== undefined && targets.length !== 1)
    throw new Error('--input needs the one --target that it is for');
  return {
    targets,
    seconds: number('seconds', values.seconds, 120),
    seed: number('seed', values.seed, 1 + randomInt(2 ** 31)),
    jobs: number('jobs', values.jobs, availableParallelism()),
    input: values.input ?? null,
  };
}

function number(name: string, text: string | undefined, otherwise: number): number {
  const value = text === undefined ? otherwise : Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new Error(`--${name} wants a number from 1 on`);
  return value;
}
