/**
 * The rule for interpreters of scripts, and the reading of `#!` lines. `program.ts` lists the rule; the check of needed files reads
 * lines with it too.
 */
import { baseOf, type Path } from '../../bytes/path.ts';
import { type ByteString, ascii, noBytes } from '../../bytes/bytes.ts';
import { uses } from '../../trace/trace.ts';
import { findProgram } from '../commands.ts';
import type { ClosureContext, ClosureRule, Need } from '../rule.ts';
import { PerClosure } from './spreading.ts';

/** An interpreter may be a script itself: the closure follows it like every file that stays. */
export const scriptRule: ClosureRule = {
  name: 'script',
  describe:
    'The interpreter in the first line of an executable script, and the program that env looks up for it.',
  *follow(path, context) {
    const line = context.facts.script(path);
    if (line === null || !isRun(path, context)) return;
    // What stays only beside something used needs its interpreter whole: no trace shows what it uses of it.
    if (context.strengthOf(path) === 'whole')
      for (const interpreter of interpretersOf(line, context)) lent.of(context).add(interpreter);
    yield* interpreterNeeds(line, context);
  },
};

/** Interpreters that stay for scripts which are not needed themselves. The rule for packages brings their packages. */
export const lent = new PerClosure<Path>();

/** Programs that run scripts with nothing else: no modules, no library of their own. */
const shells = /^(?:sh|ash|dash|bash|ksh|mksh|zsh|busybox|toybox|env)$/;

/** Returns what runs a script, apart from shells and env, with symlinks followed; empty for what the image does not have. */
export function interpretersOf(
  line: ByteString,
  context: Pick<ClosureContext, 'fs' | 'runtime'>,
): readonly Path[] {
  const { interpreter, program } = readInterpreter(line);
  const found = program === null ? interpreter : findProgram(program, context);
  const path = found === null ? null : context.fs.resolve(found).path;
  return path === null || shells.test(baseOf(path)) ? [] : [path];
}

/** Returns whether the kernel runs a script: it is executable, or was executed. Modules may begin with `#!` although they are not. */
export function isRun(path: Path, { fs, usesOf }: Pick<ClosureContext, 'fs' | 'usesOf'>): boolean {
  return (fs.mode(path) & 0o111) !== 0 || (usesOf(path) & uses.exec) !== 0;
}

function* interpreterNeeds(line: ByteString, context: ClosureContext): Generator<Need> {
  const { interpreter, program, argument } = readInterpreter(line);
  yield { path: interpreter, detail: ascii`the interpreter (#!${line})` };
  if (program !== null) {
    const found = findProgram(program, context);
    if (found !== null) yield { path: found, detail: ascii`the interpreter (#!${line})` };
  }
  // As in `#!/bin/sh /lib/init/init-d-script`.
  if (argument?.startsWith('/') === true)
    yield { path: argument, detail: ascii`an argument of the interpreter` };
}

/** The parts of the first line of a script. */
export interface Interpreter {
  /** The program that the kernel executes. */
  readonly interpreter: ByteString;
  /** The program that env looks up. Null for another interpreter. */
  readonly program: ByteString | null;
  /** The rest of the line, which the kernel passes as one argument. Null for env. */
  readonly argument: ByteString | null;
}

/** Reads what follows `#!`. The kernel splits it once (execve(2)), `env -S` splits it further (env(1)). */
export function readInterpreter(line: ByteString): Interpreter {
  const [, interpreter = noBytes, rest = noBytes] = line.match(/^([^ \t]+)[ \t]*(.*)$/s) ?? [];
  if (baseOf(interpreter) !== 'env')
    return { interpreter, program: null, argument: rest === '' ? null : rest };
  // Without -S, env takes the whole rest as one name, but some kernels split it already.
  const words = rest
    .split(/[ \t]+/)
    .map((word) => word.replace(/^(?:--split-string=|-[iv0]*S)/, '').replace(/^(["'])(.*)\1$/s, ascii`$2`))
    .filter((word) => word !== '');
  for (let i = 0; i < words.length; i++) {
    const word = words[i] as ByteString;
    if (/^(?:-[uC]|--unset|--chdir|--argv0|-a)$/.test(word)) i++;
    else if (!word.startsWith('-') && !/^\w+=/.test(word))
      return { interpreter, program: word, argument: null };
  }
  return { interpreter, program: null, argument: null };
}
