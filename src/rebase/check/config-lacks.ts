/**
 * What the config needs and the result does not have: programs and files of its commands, its user. The check calls it with the image before and
 * after.
 */
import { ascii, readByteString, utf8Bytes } from '../../bytes/bytes.ts';
import { type Path, quotePath, rootPath } from '../../bytes/path.ts';
import { namedCommands } from '../../closure/checks/check.ts';
import { checkUser } from '../../closure/checks/user.ts';
import { commandNeeds, findProgram } from '../../closure/commands.ts';
import { bare, showDetail } from '../../closure/problem.ts';
import type { Lack } from '../findings.ts';
import type { View } from './view.ts';

/** Yields what the config of the result names and the result lacks. What the image lacked already is left out. */
export function* configLacks(source: View, result: View): Generator<Lack> {
  yield* commandLacks(source, result);
  yield* userLacks(source, result);
}

function* commandLacks(source: View, result: View): Generator<Lack> {
  const before = new Map(namedCommands(source.runtime).map(({ what, words }) => [what, words]));
  for (const { words, what } of namedCommands(result.runtime)) {
    const [first = ''] = words;
    const isOld = JSON.stringify(before.get(what)) === JSON.stringify(words);
    // An argument of an entrypoint need not be a program.
    const isRun = what !== 'the command' || result.runtime.entrypoint.length === 0;
    const program = utf8Bytes(first);
    const isLost = findProgram(program, result) === null && !(isOld && findProgram(program, source) === null);
    if (isRun && first !== '' && isLost) {
      yield {
        kind: 'program',
        missing: bare(program),
        neededBy: [],
        sentence: `${what} of the config, ${quotePath(program)}, is not a program in the result`,
        advice: 'Choose a base that has it, or set another with --entrypoint, --cmd or --healthcheck.',
      };
      continue;
    }
    if (!isOld) continue;
    for (const { path, detail } of commandNeeds(words, source, { detail: what })) {
      if (source.fs.resolve(path).path === null || result.fs.resolve(path).path !== null) continue;
      if (findProgram(path, result) !== null) continue;
      const sentence = `${quotePath(bare(path))} is not there (${showDetail(detail)})`;
      yield { kind: 'file', missing: bare(path), neededBy: [], sentence, advice: choose };
    }
  }
}

const choose = 'Choose a base that has it, or add it to the image: "ocislim append".';

function* userLacks(source: View, result: View): Generator<Lack> {
  const problems = (view: View) => [...checkUser({ input: view, isGone: () => false })];
  const isOld = source.runtime.user === result.runtime.user;
  const advice = 'Choose a base that has it, or give a number: --user UID:GID.';
  const found = problems(result);
  const known = isOld ? new Set(problems(source).map(({ sentence }) => sentence)) : new Set();
  for (const { sentence } of found) {
    if (known.has(sentence)) continue;
    yield { kind: 'user', missing: utf8Bytes(result.runtime.user), neededBy: [], sentence, advice };
  }
  if (found.length > 0 || !isOld) return;
  for (const [name, file, what] of namesOf(result)) {
    const [before, after] = [numberOf(name, file, source), numberOf(name, file, result)];
    if (before === null || after === null || before === after) continue;
    yield {
      kind: 'user',
      missing: utf8Bytes(name),
      neededBy: [],
      sentence: `the ${what} ${quotePath(utf8Bytes(name))} of the config was number ${before}, by which its files are owned, and is ${after} on the new base`,
      advice: `Set the number: --user ${before}, or build the image again.`,
    };
  }
}

/** Returns the names in the config's user that are no numbers, each with its database. */
function namesOf({ runtime: { user } }: View): readonly (readonly [string, Path, string])[] {
  const [name = '', group = ''] = user.split(':');
  const rows = [
    [name, rootPath`etc/passwd`, 'user'],
    [group, rootPath`etc/group`, 'group'],
  ] as const;
  return rows.filter(([text]) => text !== '' && !/^\d+$/.test(text));
}

/** Returns the number of a name, in the third field of its row (passwd(5), group(5)). */
function numberOf(name: string, file: Path, { fs, facts }: View): string | null {
  const { path } = fs.resolve(file);
  const contents = path === null ? null : facts.contents(path);
  if (contents === null) return null;
  const rows = readByteString(contents).split('\n');
  const row = rows.find((each) => each.startsWith(ascii`${utf8Bytes(name)}:`));
  return row?.split(':')[2] ?? null;
}
