/**
 * The rule for commands that no trace shows: the health check, those of `--keep-command`, and the command of the image where the traced run
 * had another one. `program.ts` lists it behind the rules that find their programs.
 */
import { ascii, type ByteString, utf8Bytes } from '../../bytes/bytes.ts';
import { baseOf, type Path } from '../../bytes/path.ts';
import { packageProbe } from '../../rootfs/packages/package-index.ts';
import { healthCommand } from '../checks/check.ts';
import { uses } from '../../trace/trace.ts';
import { commandNeeds, resolveProgram } from '../commands.ts';
import type { ClosureContext, ClosureRule, Need } from '../rule.ts';
import { packageNeeds } from './package.ts';
import { interpretersOf } from './script.ts';
import { standardLibraryOf } from './standard-library.ts';
import { treeNeeds } from './unpackaged.ts';

/** Sources of programs, by their names: a command names them as the arguments of an interpreter. */
const source = /\.(?:[cm]?js|py|rb|pl|php|sh|bash|lua|tcl|exs?|R)$/;

export const untracedRule: ClosureRule = {
  name: 'untraced',
  describe:
    'For the health check and the commands of `--keep-command`, which no trace shows, and for the command of an image with an entrypoint if the trace did not see it run: at every granularity, the packages of their programs and interpreters, the standard library of an interpreter (Python, Perl, Ruby), and for a source that belongs to no package its tree.',
  reads: packageProbe,
  *roots(context) {
    const commands = [
      { words: untracedCommand(context), detail: ascii`to run the command` },
      { words: healthCommand(context.runtime), detail: ascii`to run the health check` },
      ...context.keepCommands.map((words) => ({
        words,
        detail: ascii`to run ${utf8Bytes(words.join(' '))}`,
      })),
    ];
    for (const { words, detail } of commands)
      for (const need of commandNeeds(words, context, { detail })) {
        const { path } = context.fs.resolve(need.path);
        if (path !== null && isProgram(path, context)) yield* wholeNeeds(path, detail, context);
      }
  },
};

/** Returns the command of the image, where an entrypoint was traced with another one; none for one that was traced, or that names no program. */
function untracedCommand(context: ClosureContext): readonly string[] {
  const { entrypoint, command } = context.runtime;
  const program = entrypoint.length === 0 ? null : resolveProgram(command, context);
  if (program === null || !isProgram(program, context) || isTraced(program, context)) return [];
  return command;
}

/** Returns whether the trace shows that a program ran. A script may be named to its interpreter, which opens it. */
function isTraced(program: Path, context: ClosureContext): boolean {
  const { facts, trace } = context;
  const isElf = facts.elf(program) !== null;
  return (context.usesOf(program) & (isElf && trace.knowsExecs ? uses.exec : uses.exec | uses.open)) !== 0;
}

function isProgram(path: Path, { fs, facts }: ClosureContext): boolean {
  if (fs.kind(path) !== 'file') return false;
  return (fs.mode(path) & 0o111) !== 0 || facts.script(path) !== null || source.test(baseOf(path));
}

/** Yields all that a program may use: its package or tree, and what runs it. */
function* wholeNeeds(program: Path, detail: ByteString, context: ClosureContext): Generator<Need> {
  const line = context.facts.script(program);
  for (const path of [program, ...(line === null ? [] : interpretersOf(line, context))]) {
    yield* packageNeeds(path, context);
    yield* standardLibraryOf(path, context);
  }
  if (source.test(program)) yield* treeNeeds(program, detail, context);
}
