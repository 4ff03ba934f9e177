import { utf8Bytes } from '../../bytes/bytes.ts';
import { quotePath } from '../../bytes/path.ts';
import { commandNeeds, findProgram } from '../commands.ts';
import { bare, type Problem, showDetail } from '../problem.ts';
import { type Check, fateOf, mainCommand, namedCommands } from './check.ts';

/** Checks that the image has its main program, and that the programs and files that its config names stay. */
export function* checkCommands(check: Check): Generator<Problem> {
  const { entrypoint } = check.input.runtime;
  const name = utf8Bytes(mainCommand(check.input.runtime)[0] ?? '');
  if (name !== '' && findProgram(name, check.input) === null) {
    const what = entrypoint.length > 0 ? 'entrypoint' : 'command';
    yield {
      kind: 'entrypoint',
      path: name,
      sentence: `the ${what} ${quotePath(name)} is not a program in the image`,
    };
  }
  for (const { words, what } of namedCommands(check.input.runtime)) {
    for (const { path, detail } of commandNeeds(words, check.input, { detail: what })) {
      if (fateOf(path, check) !== 'gone') continue;
      yield {
        kind: 'entrypoint',
        path: bare(path),
        sentence: `${quotePath(bare(path))} would be gone (${showDetail(detail)})`,
      };
    }
  }
}
