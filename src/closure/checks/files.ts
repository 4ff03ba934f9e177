/**
 * Checks that needed files keep what runs them: interpreters, loaders and libraries. `checkClosure` calls it with the other
 * checks.
 */
import type { ByteString } from '../../bytes/bytes.ts';
import { baseOf, type Path, quotePath } from '../../bytes/path.ts';
import type { Elf } from '../../rootfs/facts/facts.ts';
import { uses } from '../../trace/trace.ts';
import { findProgram, resolveProgram } from '../commands.ts';
import { librarySearch } from '../libraries/search.ts';
import { bare, type Problem } from '../problem.ts';
import { isRun, readInterpreter } from '../rules/script.ts';
import { type Check, fateOf, mainCommand } from './check.ts';

/** A needed file. */
interface Needed {
  readonly path: Path;
  /** Whether it is the main program, or the trace saw its execution: what it lacks in the image is a problem too. */
  readonly isExecuted: boolean;
}

/** Yields what needed files lose. What they lacked in the image already is a problem only if they were executed. */
export function* checkFiles(check: Check): Generator<Problem> {
  const { fs, facts } = check.input;
  const main = resolveProgram(mainCommand(check.input.runtime), check.input);
  const files = new FileChecks(check);
  for (const path of check.closure.paths()) {
    if (check.closure.strengthOf(path) !== 'needed' || fs.kind(path) !== 'file' || check.isGone(path))
      continue;
    const file = { path, isExecuted: path === main || (check.closure.usesOf(path) & uses.exec) !== 0 };
    const elf = facts.elf(path);
    if (elf !== null && elf.interpreter !== null) yield* files.interpreter(file, elf.interpreter);
    const script = facts.script(path);
    if (script !== null) yield* files.script(file, script);
    if (elf !== null) for (const name of elf.needed) yield* files.library(file, elf, name);
  }
}

class FileChecks {
  readonly #check: Check;
  #libraries: ReadonlySet<ByteString> | undefined;

  constructor(check: Check) {
    this.#check = check;
  }

  /** Checks the interpreter of a script, and the program behind `/usr/bin/env`. */
  *script(file: Needed, line: ByteString): Generator<Problem> {
    const { input, closure } = this.#check;
    if (!isRun(file.path, { fs: input.fs, usesOf: (path) => closure.usesOf(path) })) return;
    const { interpreter, program } = readInterpreter(line);
    yield* this.interpreter(file, interpreter);
    if (program === null) return;
    const found = findProgram(program, input);
    if (found !== null || file.isExecuted) yield* this.interpreter(file, found ?? program);
  }

  /** Checks the interpreter of a script or the loader of an ELF file. Examples may name one that the image never had. */
  *interpreter({ path, isExecuted }: Needed, interpreter: ByteString): Generator<Problem> {
    const fate = fateOf(interpreter, this.#check);
    if (fate === 'stays' || (fate === 'absent' && !isExecuted)) return;
    const what = fate === 'gone' ? 'would be gone' : 'is not in the image';
    yield {
      kind: 'interpreter',
      path: bare(interpreter),
      sentence: `${quotePath(bare(interpreter))}, which runs ${quotePath(path)}, ${what}`,
    };
  }

  /** Checks a library that an ELF file needs: all places where its loader would find it must stay. */
  *library({ path, isExecuted }: Needed, elf: Elf, name: ByteString): Generator<Problem> {
    const places = librarySearch(this.#check.input).find(name, { path, elf, loaders: [] });
    const gone = places.find((place) => fateOf(place, this.#check) === 'gone');
    if (gone !== undefined) {
      yield {
        kind: 'library',
        path: bare(gone),
        sentence: `${quotePath(bare(gone))}, which ${quotePath(path)} needs, would be gone`,
      };
    } else if (places.length === 0 && isExecuted && !this.#stays(name)) {
      yield {
        kind: 'library',
        path: name,
        sentence: `${quotePath(path)} was executed and needs ${quotePath(name)}, which the image does not have`,
      };
    }
  }

  /** Returns whether a library of this name stays anywhere. A loader does not search for one that the process has loaded already. */
  #stays(name: ByteString): boolean {
    this.#libraries ??= this.#collectLibraries();
    return this.#libraries.has(baseOf(name));
  }

  /** Collects the file names of everything that stays, and the names that libraries give themselves (DT_SONAME). */
  #collectLibraries(): ReadonlySet<ByteString> {
    const { closure, input, isGone } = this.#check;
    const names = new Set<ByteString>();
    for (const path of closure.paths()) {
      if (isGone(path)) continue;
      names.add(baseOf(path));
      const soname = input.facts.elf(path)?.soname ?? null;
      if (soname !== null) names.add(soname);
    }
    return names;
  }
}
