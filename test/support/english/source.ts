/** A TypeScript file as its comments and its syntax tree. The rules for English look at these. */
import { readFileSync } from 'node:fs';
import { parseSync } from 'rolldown/utils';

/** A comment of a source, with its text free of stars and slashes. Lines of `//` that follow each other are one comment. */
export interface Comment {
  readonly isBlock: boolean;
  /** Whether it stands alone, not behind code. */
  readonly isAlone: boolean;
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

/** A node of the syntax tree. */
export interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [key: string]: unknown;
}

/** A TypeScript file, parsed. */
export interface Source {
  readonly code: string;
  readonly comments: readonly Comment[];
  /** All nodes, parents before their children. */
  readonly nodes: readonly Node[];
  /** Returns the number of the line at an offset; the first is 1. */
  readonly lineAt: (offset: number) => number;
}

export function readSource(path: string): Source {
  return parseSource(path, readFileSync(path, 'utf8'));
}

export function parseSource(path: string, code: string): Source {
  const { program, comments, errors } = parseSync(path, code);
  if (errors.length > 0) throw new Error(`${path}: ${errors[0]?.message}`);
  return {
    code,
    comments: joinLines(code, comments),
    nodes: [...nodesIn(program)],
    lineAt: (offset) => code.slice(0, offset).split('\n').length,
  };
}

function joinLines(
  code: string,
  comments: readonly { type: string; value: string; start: number; end: number }[],
): Comment[] {
  const joined: Comment[] = [];
  for (const { type, value, start, end } of comments) {
    const isBlock = type === 'Block';
    const isAlone = /(?:^|\n)[ \t]*$/.test(code.slice(0, start));
    const text = isBlock
      ? value
          .replace(/^\*/, '')
          .replace(/^[ \t]*\* ?/gm, '')
          .trim()
      : value.trim();
    const last = joined.at(-1);
    const continues = !isBlock && isAlone && last?.isBlock === false && last.isAlone;
    if (
      continues &&
      /^\s*\n?\s*$/.test(code.slice(last.end, start)) &&
      !/\n\s*\n/.test(code.slice(last.end, start))
    )
      joined[joined.length - 1] = { ...last, text: `${last.text} ${text}`, end };
    else joined.push({ isBlock, isAlone, text, start, end });
  }
  return joined;
}

function* nodesIn(value: unknown): Generator<Node> {
  if (typeof value !== 'object' || value === null) return;
  if ('type' in value && 'start' in value) yield value as Node;
  for (const child of Object.values(value)) yield* nodesIn(child);
}

/** Returns the block comment right before a node. */
export function commentBefore(source: Source, node: Node): Comment | undefined {
  return source.comments.find(
    ({ isBlock, end }) => isBlock && end <= node.start && /^\s*$/.test(source.code.slice(end, node.start)),
  );
}
