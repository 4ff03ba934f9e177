import { readdirSync, readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createContext, runInContext } from 'node:vm';
import { sample, stringMatching } from 'fast-check';
import { expect, test } from 'vitest';
import { parseAst } from 'vitest/node';

// T16: image contents, registries and traces choose what regular expressions look at. One that takes the square of a text's
// length hangs on a megabyte. Every literal of the sources is tried on long texts made to hurt it; it hangs if it is not done
// in ten thousand times what a linear one takes.

const src = fileURLToPath(new URL('../../src', import.meta.url));
const length = 100_000;
const hung = 8000;

/** Those that only ever see short texts, and why. */
const short: Readonly<Record<string, string>> = {
  'cli/main.ts /\\s*\\n\\s*/g': "yargs' words about the command line",
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

/** Texts that begin to match and then go on with more of the same, in all the ways that the expression's own characters allow. */
function* attacks({ pattern, flags }: Expression): Iterable<string> {
  const plain = pattern
    .replace(/\\[sS]/g, ' ')
    .replace(/\\[dD]/g, '0')
    .replace(/\\[wWbB]/g, 'a')
    .replace(/\\[ux]\{?[0-9a-f]{2,5}\}?|\\p\{\w+\}|\(\?<?[:=!]/g, '')
    .replace(/\\n/g, '\n');
  const own = [...plain.replace(/[\\()|?+*{}^$]/g, '')];
  const marks = own.filter((letter) => !/\w/.test(letter));
  const letters = [...new Set([...marks, ' ', 'a', '/', ...own])].slice(0, 8);
  const pumps = [...letters, ...letters.flatMap((a) => letters.map((b) => a + b))];
  for (const pump of pumps) yield long('', pump, '\u0001');
  for (const text of matching(pattern, flags))
    for (let at = 0; at <= Math.min(text.length, 8); at++)
      for (const pump of new Set([text.slice(at, at + 1), text.slice(at, at + 2), ' ']))
        if (pump !== '') yield long(text.slice(0, at), pump, '\u0001');
}

/** A few texts that match; none for what fast-check cannot read. */
function matching(pattern: string, flags: string): readonly string[] {
  try {
    return sample(stringMatching(new RegExp(pattern, flags.replace(/[gyi]/g, ''))), { numRuns: 2, seed: 16 });
  } catch {
    return [];
  }
}

function long(before: string, pump: string, after: string): string {
  return before + pump.repeat(length / pump.length) + after;
}

const context = createContext({});

/** Runs it over the text, over all of it where it is meant to be found everywhere. */
function isDone({ pattern, flags }: Expression, text: string): boolean {
  Object.assign(context, { pattern, flags, text });
  const run = flags.includes('g')
    ? 'text.replace(new RegExp(pattern, flags), "").length'
    : 'new RegExp(pattern, flags).test(text)';
  try {
    runInContext(run, context, { timeout: hung });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') return false;
    throw error;
  }
}

test('the ones to try were found, and those that are excused exist', () => {
  expect(expressions.length).toBeGreaterThan(300);
  const names = new Set(expressions.map(({ name }) => name));
  expect(Object.keys(short).filter((name) => !names.has(name))).toEqual([]);
});

test('a quadratic one would be found', () => {
  const quadratic = { name: '', pattern: '0+$', flags: '' };
  expect([...attacks(quadratic)].some((text) => !isDone(quadratic, text.repeat(3)))).toBe(true);
}, 120_000);

test('T16: no regular expression takes more than linear time', () => {
  const slow: string[] = [];
  for (const expression of distinct.values()) {
    if (short[expression.name] !== undefined) continue;
    for (const text of attacks(expression)) {
      if (isDone(expression, text)) continue;
      slow.push(`${expression.name} on ${JSON.stringify(text.slice(0, 60))}`);
      break;
    }
  }
  expect(slow).toEqual([]);
}, 600_000);
