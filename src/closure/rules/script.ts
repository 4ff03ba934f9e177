import { baseOf, type Path } from '../../bytes/path.ts';
import { type ByteString, ascii, noBytes } from '../../bytes/bytes.ts';
import { uses } from '../../trace/trace.ts';
import { findProgram } from '../commands.ts';
import type { ClosureContext, ClosureRule, Need } from '../rule.ts';

/** What runs scripts. That it may be a script itself needs nothing more: it stays, so it is followed. */
export const script: ClosureRule = {
  name: 'script',
  describe:
    'The interpreter in the first line of an executable script, and the program that env is to look up for it.',
  *follow(path, context) {
    const line = context.facts.script(path);
    if (line === null) return;
    if (isRun(path, context)) yield* interpreterNeeds(line, context);
  },
};

/** Does the kernel run this script? Modules often begin with a line for when they are run by hand. */
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
  // "#!/bin/sh /lib/init/init-d-script"
  if (argument?.startsWith('/') === true)
    yield { path: argument, detail: ascii`an argument of the interpreter` };
}

/** What the first line of a script names. */
export interface Interpreter {
  /** What the kernel executes. */
  readonly interpreter: ByteString;
  /** What env looks for; null where the interpreter is not env. */
  readonly program: ByteString | null;
  /** All else, which the kernel passes as one word. */
  readonly argument: ByteString | null;
}

/** Reads what follows `#!`: the kernel splits it once (execve(2)), `env -S` does so again. */
export function readInterpreter(line: ByteString): Interpreter {
  const [, interpreter = noBytes, rest = noBytes] = line.match(/^([^ \t]+)[ \t]*(.*)$/s) ?? [];
  if (baseOf(interpreter) !== 'env')
    return { interpreter, program: null, argument: rest === '' ? null : rest };
  // Without -S, env would take all of the rest as one name; runtimes that split it nevertheless exist (busybox does not).
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
