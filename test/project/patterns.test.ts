import { readdirSync, readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createContext, runInContext } from 'node:vm';
import { expect, test } from 'vitest';
import { parseAst } from 'vitest/node';

// T16: image contents, registries and traces choose the texts that regular expressions match. One that takes
// quadratic time hangs on a megabyte. Every literal of the sources is tried on texts made to hurt it. If it seems
// slow, it has to finish a much longer text, in a thousand times what a linear one needs.

const src = fileURLToPath(new URL('../../src', import.meta.url));
const screened = 10_000;
const confirmed = 300_000;
/**
 * Milliseconds of processor time that a linear expression does not need; then those that decide, for a much longer
 * text.
 */
const suspicious = 8;
const hung = 2000;

/** Expressions that only match short texts, and why they do. */
const short: Readonly<Record<string, string>> = {
  'rootfs/surface/programs.ts /[-.]?\\d[\\d.]*[dmt]?$/': 'names of at most 255 bytes',
  'closure/rules/web-server.ts /^load_module\\s+["\']?([^"\';]+?)["\']?\\s*;/': 'lines of at most 4 KiB',
  'closure/rules/pam.ts /(?<=\\s|\\])(?:\\/\\S+|[\\w.-]+)\\.so(?=\\s|$)/': 'lines of at most 4 KiB',
  'report/figures.ts /\\B(?=(?:\\d{3})+$)/g': 'the digits of one number',
};

interface Expression {
  readonly name: string;
  readonly pattern: string;
  readonly flags: string;
}

function expressionsIn(file: string): Expression[] {
  const found: Expression[] = [];
  const visit = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return;
    if ('regex' in node) {
      const { pattern, flags } = node.regex as { pattern: string; flags: string };
      found.push({ name: `${file} /${pattern}/${flags}`, pattern, flags });
    }
    for (const child of Object.values(node)) visit(child);
  };
  visit(parseAst(stripTypeScriptTypes(readFileSync(join(src, file), 'utf8'))));
  return found;
}

const expressions = readdirSync(src, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .sort()
  .flatMap(expressionsIn);

/** Many files have the same one. */
const distinct = new Map(expressions.map((each) => [`/${each.pattern}/${each.flags}`, each]));

/**
 * Yields texts that begin to match and go on with more of the same, in all the ways that the expression's own
 * characters allow.
 */
function* attacks({ pattern }: Expression): Iterable<(length: number) => string> {
  const plain = pattern
    .replace(/\\[sS]/g, ' ')
    .replace(/\\[dD]/g, '0')
    .replace(/\\[wWbB]/g, 'a')
    .replace(/\\[ux]\{?[0-9a-f]{2,5}\}?|\\p\{\w+\}|\(\?<?[:=!]/g, '')
    .replace(/\\n/g, '\n');
  const own = plain.replace(/[\\()|?+*{}^$]/g, '').split('');
  const marks = own.filter((letter) => !/\w/.test(letter));
  const letters = [...new Set([...marks, ' ', 'a', '/', ...own])].slice(0, 8);
  const pumps = [...letters, ...letters.flatMap((a) => letters.map((b) => a + b))];
  for (const pump of pumps) yield long('', pump, '\u0001');
  // Words of the expression that must stand before or between.
  const words = [...new Set(plain.split(/[\\()|?+*{}^$[\]]+/).filter((word) => word.length > 1))].slice(0, 3);
  for (const word of words) {
    yield long('', word, '\u0001');
    for (const letter of letters) {
      yield long(word, letter, '\u0001');
      yield long('', word + letter, '\u0001');
      yield long('', letter + word, '\u0001');
    }
  }
}

function long(before: string, pump: string, after: string): (length: number) => string {
  return (length) => before + pump.repeat(Math.floor(length / pump.length)) + after;
}

const context = createContext({});

/** Runs the expression over texts, to their ends where it has the flag `g`. Returns false where it hangs. */
function isDone({ pattern, flags }: Expression, ...texts: readonly string[]): boolean {
  Object.assign(context, { pattern, flags, texts });
  const one = flags.includes('g')
    ? 'text.replace(new RegExp(pattern, flags), "")'
    : 'new RegExp(pattern, flags).test(text)';
  const run = `for (const text of texts) ${one};`;
  // The timeout is one of the clock, of which a busy machine gives this process a part.
  for (let timeout = hung; ; timeout *= 2) {
    const before = process.cpuUsage().user;
    try {
      runInContext(run, context, { timeout });
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error;
      if (process.cpuUsage().user - before > hung * 500) return false;
    }
  }
}

test('the expressions were found, and those that are excused exist', () => {
  expect(expressions.length).toBeGreaterThan(300);
  const names = new Set(expressions.map(({ name }) => name));
  expect(Object.keys(short).filter((name) => !names.has(name))).toEqual([]);
});

/** Returns the expression with a text that it hangs on; nothing where it is quick. */
function slowOn(expression: Expression): string[] {
  const all = [...attacks(expression)];
  // A time limit is a thread, so all texts are tried under one, and one by one only where they took long together.
  if (!isSuspicious(expression, ...all)) return [];
  const found = all.find(
    (attack) => isSuspicious(expression, attack) && !isDone(expression, attack(confirmed)),
  );
  return found === undefined ? [] : [`${expression.name} on ${JSON.stringify(found(60))}`];
}

/** Returns whether short texts took longer, all together, than a linear expression needs for one of them. */
function isSuspicious(expression: Expression, ...tried: readonly ((length: number) => string)[]): boolean {
  const texts = tried.map((attack) => attack(screened));
  const before = process.cpuUsage().user;
  isDone(expression, ...texts);
  return process.cpuUsage().user - before >= suspicious * 1000;
}

test('a quadratic expression would be found', () => {
  expect(slowOn({ name: '', pattern: '0+$', flags: '' })).toHaveLength(1);
});

test('T16: no regular expression takes more than linear time', () => {
  const tried = [...distinct.values()].filter(({ name }) => short[name] === undefined);
  expect(tried.flatMap(slowOn)).toEqual([]);
});
