import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import {
  beginsWithTwoSentences,
  breachesOf,
  riddlesInMarkdown,
  sourceRules,
  supportRules,
  testRules,
} from '../support/english/rules.ts';
import { parseSource, readSource } from '../support/english/source.ts';

// The rules of CONTRIBUTING.md for English, as far as a program can hold them. A room is a folder of src or test, the
// files directly in src or test, or all of scripts, bench or fuzz. Every room is tested, also a new one.

const root = fileURLToPath(new URL('../../', import.meta.url));

const files = ['src', 'test', 'scripts', 'bench', 'fuzz'].flatMap((top) =>
  readdirSync(join(root, top), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => `${top}/${name}`),
);

function roomOf(file: string): string {
  const [top = '', folder = '', ...rest] = file.split('/');
  return (top === 'src' || top === 'test') && rest.length > 0 ? `${top}/${folder}` : top;
}

function breachesIn(room: string): string[] {
  return files
    .filter((file) => roomOf(file) === room)
    .flatMap((file) => {
      const rules = file.startsWith('src/')
        ? sourceRules
        : file.endsWith('.test.ts')
          ? testRules
          : supportRules;
      const found = breachesOf(readSource(join(root, file)), rules);
      return found.map(({ line, rule, text }) => `${file}:${line}: ${rule}: ${text}`);
    });
}

const rooms = [...new Set(files.map(roomOf))].sort();

test.each(rooms)('the English of %s keeps the rules', (room) => {
  expect(breachesIn(room)).toEqual([]);
});

const documents = [
  ...readdirSync(root).filter((name) => name.endsWith('.md')),
  ...['bench', 'docs', 'fuzz', 'spec-notes'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.md'))
      .map((name) => `${folder}/${name}`),
  ),
];

test.each(documents)('the English of %s has no riddles', (document) => {
  expect(riddlesInMarkdown(readFileSync(join(root, document), 'utf8'))).toEqual([]);
});

/** The face of a room is `index.ts`, or the file of its main noun. Rooms whose face says what they are for; the list only grows. */
const faces: Readonly<Record<string, string>> = {
  bytes: 'bytes.ts',
  closure: 'closure.ts',
  commands: 'index.ts',
  compress: 'index.ts',
  place: 'place.ts',
  registry: 'index.ts',
  report: 'report.ts',
  rootfs: 'filesystem.ts',
  slim: 'index.ts',
  store: 'index.ts',
  trace: 'trace.ts',
};

test.each(Object.entries(faces))('the room %s is introduced in two sentences by %s', (room, face) => {
  expect(beginsWithTwoSentences(readSource(join(root, 'src', room, face)))).toBe(true);
});

describe('the rules', () => {
  const found = (code: string) => {
    const rules = { ...sourceRules, ...testRules };
    return breachesOf(parseSource('a.ts', code), rules).map(({ line, rule }) => `${line}: ${rule}`);
  };
  const riddles = 'speaks in riddles (who, nobody, is no, anew, …)';

  test.each([
    ['a question', '// Is it so?', ['1: no comment is a question']],
    ['a question of two lines', '\n// Is it\n// so?', ['2: no comment is a question']],
    ['an actor without a name', '/** Nobody asks. */', [`1: no comment ${riddles}`]],
    ['a relative clause without a noun', '// Who asks waits.', [`1: no comment ${riddles}`]],
    ['a clumsy negation', '// It is no file.', [`1: no comment ${riddles}`]],
    ['a clumsy message', 'throw new Error("it is none of those");', [`1: no message ${riddles}`]],
    ['a clumsy template', 'say(`read anew: ${name}`);', [`1: no message ${riddles}`]],
    [
      'a function told as a noun',
      '/** The length. */\nexport function f(): void {}',
      ['1: the comment of an exported function begins with a verb'],
    ],
    [
      'a boolean told as a noun',
      'interface A {\n  /** The state. */\n  readonly isOpen: boolean;\n}',
      ['2: the comment of a boolean begins with "Whether"'],
    ],
    [
      'a title of a number and a name',
      "test.each([])('T1: %s', f);",
      ['1: no title of a test is only the name of its row'],
    ],
    [
      'a title of a name alone',
      "it.each([])('%s: $name', f);",
      ['1: no title of a test is only the name of its row'],
    ],
    [
      'a long file without an opening',
      '// One. Two.\n'.repeat(61),
      ['1: a file over 60 lines begins with a block comment of two sentences'],
    ],
  ])('find %s', (_, code, expected) => {
    expect(found(code)).toEqual(expected);
  });

  test.each([
    'const a = b ? c : d; // The `?` operator.',
    '// A user who asks waits; it is no longer "anew".',
    '/** Returns the length. */\nexport const f = () => 1;',
    'interface A {\n  /** Whether it is open. */\n  readonly isOpen: boolean;\n}',
    "test.each([])('reads %s', f);",
    `/** Reads files. The commands call it. */\n${'f();\n'.repeat(61)}`,
  ])('find nothing in %j', (code) => {
    expect(found(code)).toEqual([]);
  });

  test('find riddles in the paragraphs, list items and rows of documents, but not in code', () => {
    const text = 'Nobody asks.\n\n```\nwho\n```\n\n- `who`, *who*, "who"\n- who asks\n| a | made anew |\n';
    expect(riddlesInMarkdown(text)).toEqual([
      '"Nobody" in: Nobody asks.',
      '"- who asks" in: - who asks',
      '"anew" in: | a | made anew |',
    ]);
  });
});
