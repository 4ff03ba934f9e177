/** The pane of the tree: marks, sizes with bars, what a layer did, and names. `frame.ts` puts it beside the layers. */
import { baseOf } from '../../../bytes/path.ts';
import type { Path } from '../../../bytes/path.ts';
import { displayPath } from '../../../report/escape.ts';
import { formatSize } from '../../../units.ts';
import { layoutOf } from '../layout.ts';
import { degrees } from '../marks.ts';
import { hasChildren, isDirectory, statusNames } from '../scope.ts';
import type { State } from '../state.ts';
import { bar, line, type Piece } from './line.ts';
import { fitRight } from './text.ts';
import type { Role, Theme } from './theme.ts';

/** Draws the rows of the tree that are on the screen. */
export function treeLines(state: State, theme: Theme): readonly string[] {
  const { rows, top, cursor, focus, size } = state;
  const { right, bodyRows } = layoutOf(size);
  const most = largest(state);
  return Array.from({ length: bodyRows }, (_, i) => {
    const path = rows[top + i];
    if (path === undefined)
      return i === 0 ? line(theme, right, [['dim', '  nothing to show']]) : ' '.repeat(right);
    const isCursor = top + i === cursor;
    const pieces = [isCursor ? theme.glyphs.pointer : ' ', ...rowOf(state, path, { theme, most, right })];
    return line(theme, right, pieces, isCursor && focus === 'tree' ? 'cursor' : undefined);
  });
}

/** Returns the bytes that a full bar stands for: those of the largest row in the root. */
function largest({ contents, tree }: State): number {
  const { end } = contents.table;
  let most = 1;
  for (let at = 1; at < tree.total.length; at = end[at] as number)
    most = Math.max(most, tree.total[at] as number);
  return most;
}

const signs = { unchanged: ' ', added: '+', changed: '~', removed: '-' } as const;

function rowOf(
  state: State,
  path: number,
  { theme, most, right }: { readonly theme: Theme; readonly most: number; readonly right: number },
): readonly Piece[] {
  const { tree, saving, scope } = state;
  const bytes = tree.total[path] as number;
  const degree = saving.degree[path];
  const status = statusNames[tree.status[path] as number] ?? 'unchanged';
  const width = right < 44 ? 4 : right < 60 ? 6 : right < 90 ? 10 : 16;
  return [
    ['mark', degree === degrees.whole ? 'D' : degree === degrees.partly ? 'd' : ' '],
    `${fitRight(formatSize(bytes), 9)} `,
    ['bar', bar(theme, bytes / most, width)],
    ' ',
    status === 'unchanged' || (scope.layer === 0 && status !== 'removed') ? ' ' : [status, signs[status]],
    ...nameOf(state, path, { theme, room: right - width - 14 }),
  ];
}

function nameOf(
  { contents, tree, open }: State,
  path: number,
  { theme: { glyphs }, room }: { readonly theme: Theme; readonly room: number },
): readonly Piece[] {
  const { table, changes, indexes } = contents;
  let depth = -1;
  for (let at = path; at > 0; at = table.parent[at] as number) depth++;
  const indent = ' '.repeat(Math.min(2 * depth, Math.max(0, room - 14)));
  const fold = !hasChildren(contents, tree, path) ? ' ' : open[path] === 1 ? glyphs.opened : glyphs.closed;
  const change = changes.all[(tree.node[path] as number) - 1];
  const isFolder = isDirectory(contents, tree, path);
  const name = displayPath(baseOf(table.paths[path] as Path)) + (isFolder ? '/' : '');
  const isRemoved = statusNames[tree.status[path] as number] === 'removed';
  const role: Role | null = isRemoved
    ? 'removed'
    : isFolder
      ? 'directory'
      : change?.kind === 'symlink'
        ? 'link'
        : null;
  const target =
    change?.kind === 'symlink' ? indexes.get(change.layer)?.symlinks.get(change.entry) : undefined;
  return [
    `${indent}${fold} `,
    role === null ? name : [role, name],
    ...(target === undefined ? [] : [['dim', ` ${glyphs.arrow} ${displayPath(target)}`] as const]),
  ];
}
