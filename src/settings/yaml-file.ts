/**
 * Reads a file in YAML by a schema. Every mistake is reported with its file and line; plans and the gates of `check` are read by it.
 */
import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  LineCounter,
  type Node,
  parseDocument,
  type Scalar,
  visit,
  type YAMLMap,
} from 'yaml';
import type { core, ZodType } from 'zod';
import { type ErrorCode, OcislimError } from '../errors.ts';
import { PlanLines } from './plan-lines.ts';

/** What a file must be. */
export interface YamlForm<Data> {
  /** What messages call it: "plan". */
  readonly what: string;
  readonly code: ErrorCode;
  readonly schema: ZodType<Data>;
  /** The advice for an empty file; null where a file may be empty. */
  readonly emptyAdvice: string | null;
}

/** A file whose form is right. */
export interface YamlFile<Data> {
  readonly data: Data;
  /** Knows the lines of its keys, for mistakes of meaning. */
  readonly places: PlanLines;
  readonly document: Document.Parsed;
}

/** Makes an error for a line. */
type Refuse = (line: number, message: string, advice?: string) => OcislimError;

/** Reads the text of a file. @throws the form's error, naming file and line */
export function readYaml<Data>(text: string, file: string, form: YamlForm<Data>): YamlFile<Data> {
  const { what, code, schema, emptyAdvice } = form;
  const refuse: Refuse = (line, message, advice) => yamlInvalid(code, { file, line, message, advice });
  const lines = new LineCounter();
  const document = parse(text, lines, refuse, what);
  const [broken] = document.errors;
  if (broken !== undefined) throw refuse(lines.linePos(broken.pos[0]).line, reasonOf(broken, what));
  if (document.contents === null && emptyAdvice !== null)
    throw refuse(1, `the ${what} is empty`, emptyAdvice);
  const parsed = schema.safeParse(valueOf(document, lines, refuse, what));
  const places = new PlanLines(document, lines);
  if (parsed.success) return { data: parsed.data, places, document };
  const [first] = parsed.error.issues;
  const issue = first === undefined ? undefined : innermost(first);
  const unknown = issue?.code === 'unrecognized_keys' ? issue.keys[0] : undefined;
  const path = [...(issue?.path ?? []), ...(unknown === undefined ? [] : [unknown])];
  // The parser's own message lists all unknown keys.
  const why =
    unknown === undefined ? reasonOfIssue(issue?.message ?? `not a ${what}`) : 'there is no such key';
  const advice = /expected a text, received (?:a number|true or false)/.test(why)
    ? 'Put it in quotes.'
    : undefined;
  throw refuse(places.lineOf(path), `${path.length > 0 ? `${path.join('.')}: ` : ''}${why}`, advice);
}

/** What the parser of schemas calls the types of values, in the words of YAML. */
const typeWords: Readonly<Record<string, string>> = {
  array: 'a list',
  boolean: 'true or false',
  number: 'a number',
  record: 'names with values (NAME: VALUE)',
  string: 'a text',
  null: 'nothing',
};

function reasonOfIssue(message: string): string {
  const word = (type: string): string => typeWords[type] ?? type;
  return message.replace(
    /^Invalid input: expected (\w+), received (\w+)$/,
    (_, expected: string, received: string) => `expected ${word(expected)}, received ${word(received)}`,
  );
}

/** Makes the error for a mistake in a line of a file. */
export function yamlInvalid(
  code: ErrorCode,
  mistake: {
    readonly file: string;
    readonly line: number;
    readonly message: string;
    readonly advice: string | undefined;
  },
): OcislimError {
  const { file, line, message, advice } = mistake;
  return new OcislimError(code, `${file}:${line}: ${message}`, advice === undefined ? {} : { advice });
}

/** @throws the form's error for nesting deeper than the parser's stack */
function parse(text: string, lineCounter: LineCounter, refuse: Refuse, what: string): Document.Parsed {
  try {
    // No plan has a list for a key; told of one, the parser would warn on standard error by itself.
    return parseDocument(text, {
      lineCounter,
      prettyErrors: false,
      stringKeys: true,
      uniqueKeys: false,
      logLevel: 'error',
    });
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw refuse(1, reasonOf(cause, what));
  }
}

/** Replaces V8's words where the parser ran out of stack. */
function reasonOf({ message }: Error, what: string): string {
  return /call stack/.test(message)
    ? `the ${what} has lists or maps in each other, too deep to be read`
    : message;
}

/** @throws the form's error for what `breachIn` finds, and for so many aliases of aliases that they would fill the memory */
function valueOf(document: Document.Parsed, lines: LineCounter, refuse: Refuse, what: string): unknown {
  const breach = breachIn(document, what);
  if (breach !== null) throw refuse(lines.linePos(breach.at?.[0] ?? 0).line, breach.why);
  try {
    return document.toJS();
  } catch (cause) {
    throw refuse(1, reasonOf(cause as Error, what));
  }
}

/** Aliases of a file. The parser searches the whole document for each. */
const mostAliases = 1000;

interface Breach {
  readonly at: Node['range'];
  readonly why: string;
}

/**
 * Finds, in one pass, what the parser takes quadratic time for: a key that a map has twice, an alias without an anchor before it, and
 * too many aliases. Returns the first; null for none.
 */
function breachIn(document: Document.Parsed, what: string): Breach | null {
  const anchors = new Set<string>();
  let aliases = 0;
  let breach: Breach | null = null;
  visit(document, {
    Node(_, node) {
      if (isAlias(node)) {
        aliases++;
        if (!anchors.has(node.source))
          breach = { at: node.range, why: `unresolved alias *${node.source}: it has no anchor before it` };
        else if (aliases > mostAliases)
          breach = { at: node.range, why: `the ${what} has more than ${mostAliases} aliases` };
      } else {
        if (node.anchor !== undefined) anchors.add(node.anchor);
        const key = isMap(node) ? repeatedKey(node) : null;
        if (key !== null)
          breach = { at: key.range, why: `keys must be unique, and ${String(key.value)} is given twice` };
      }
      return breach === null ? undefined : visit.BREAK;
    },
  });
  return breach;
}

function repeatedKey({ items }: YAMLMap): Scalar | null {
  const seen = new Set<unknown>();
  for (const { key } of items) {
    if (!isScalar(key)) continue;
    if (seen.has(key.value)) return key;
    seen.add(key.value);
  }
  return null;
}

/** Chooses the mistake to report where a value fits none of several forms: the deepest one, in the form that was meant. */
function innermost(issue: core.$ZodIssue): core.$ZodIssue {
  if (issue.code !== 'invalid_union') return issue;
  const [deepest] = issue.errors
    .flatMap(([first]) => first ?? [])
    .toSorted((a, b) => b.path.length - a.path.length || Number(isUnknownKey(b)) - Number(isUnknownKey(a)));
  return deepest === undefined ? issue : innermost({ ...deepest, path: [...issue.path, ...deepest.path] });
}

function isUnknownKey({ code }: core.$ZodIssue): boolean {
  return code === 'unrecognized_keys';
}
