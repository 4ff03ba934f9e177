import { quotePath } from '../../bytes/path.ts';
import { uses } from '../../trace/trace.ts';
import { resolveProgram } from '../commands.ts';
import type { Problem } from '../problem.ts';
import { type Check, mainCommand } from './check.ts';

/**
 * Checks that the trace saw the main program start. A hard link of it is the same program. A script may be opened by its
 * interpreter instead, and formats that do not tell executions show any other use.
 */
export function* checkExecution({ input, closure }: Check): Generator<Problem> {
  const { trace, runtime, fs, facts } = input;
  const program = resolveProgram(mainCommand(runtime), input);
  if (program === null || trace.paths.size === 0) return;
  const names = new Set([program, ...fs.names(program)]);
  const seen = [...names].reduce((bits, name) => bits | closure.usesOf(name), 0);
  if ((seen & uses.exec) !== 0) return;
  if ((seen & uses.open) !== 0 && facts.script(program) !== null) return;
  if (!trace.knowsExecs && seen !== 0) return;
  const what = trace.knowsExecs
    ? `has no execution of the entrypoint, ${quotePath(program)}`
    : `does not name the entrypoint, ${quotePath(program)}`;
  yield {
    kind: 'no-exec',
    path: program,
    sentence: `${trace.name} ${what}: the application did not start in it`,
  };
}
