/**
 * Moves through layers and tree: the cursor, open directories, scopes, orders. `commands.ts` and `update.ts` call them; each makes a new
 * state of a state.
 */
import { asksForRemoved } from './filter.ts';
import { layoutOf, scrolled } from './layout.ts';
import { hasChildren, type Order, type Scope, type Status, treeOf } from './scope.ts';
import { pathAtCursor, rowsOf, shownOf, type State } from './state.ts';

/** Moves the cursor of the pane with the focus. */
export function move(state: State, by: number): State {
  if (state.focus === 'layers') return select(state, state.scope.layer + by);
  const cursor = Math.max(0, Math.min(state.cursor + by, state.rows.length - 1));
  return settle({ ...state, cursor });
}

/** Keeps cursors within their lists, and on the screen. */
export function settle(state: State): State {
  const { bodyRows } = layoutOf(state.size);
  const cursor = Math.max(0, Math.min(state.cursor, state.rows.length - 1));
  const { length } = state.contents.layers;
  return {
    ...state,
    cursor,
    top: scrolled(state.top, cursor, bodyRows, state.rows.length),
    layersTop: scrolled(state.layersTop, state.scope.layer, bodyRows, length + 1),
  };
}

/** Selects a layer, or with 0 the whole image. */
export function select(state: State, layer: number): State {
  const within = Math.max(0, Math.min(layer, state.contents.layers.length));
  return rescope(state, { ...state.scope, layer: within });
}

/** Shows another scope. */
export function rescope(state: State, scope: Scope): State {
  const { layer, isAlone } = state.scope;
  if (scope.layer === layer && (scope.isAlone === isAlone || layer === 0)) return { ...state, scope };
  return retree({ ...state, scope });
}

/** Shows or hides what has a status. */
export function turnStatus(state: State, status: Status): State {
  const key = state.scope.layer === 0 ? 'image' : 'layer';
  const shown = { ...state.shown[key], [status]: !state.shown[key][status] };
  return retree({ ...state, shown: { ...state.shown, [key]: shown } });
}

/** Computes the tree after a change of scope, statuses or filter. */
export function retree(state: State): State {
  const wanted = shownOf(state);
  const shown = asksForRemoved(state.words) ? { ...wanted, removed: true } : wanted;
  const { contents, scope, filter } = state;
  return reflow({ ...state, tree: treeOf(contents, scope, shown, filter) }, pathAtCursor(state));
}

/** Lists the rows again, with the cursor at a path, or at the nearest directory above it that is shown. */
function reflow(state: State, at: number | null): State {
  const { contents } = state;
  const rows = rowsOf(state);
  let path = at ?? 0;
  let cursor = rows.indexOf(path);
  while (cursor < 0 && path > 0) {
    path = contents.table.parent[path] as number;
    cursor = rows.indexOf(path);
  }
  return settle({ ...state, rows, cursor: Math.max(0, cursor) });
}

/** Sorts the tree. */
export function sorted(state: State, order: Order): State {
  return reflow({ ...state, order }, pathAtCursor(state));
}

/** Opens the directory under the cursor, or goes to the first row in one that is open. */
export function open(state: State): State {
  const path = pathAtCursor(state);
  if (path === null || !hasChildren(state.contents, state.tree, path)) return state;
  if (state.open[path] === 1) return move(state, 1);
  return fold(state);
}

/** Closes the directory under the cursor, or goes to that above, or at the root to the layers. */
export function close(state: State): State {
  const path = pathAtCursor(state);
  if (path === null) return { ...state, focus: 'layers' };
  if (state.open[path] === 1) return fold(state);
  const above = state.contents.table.parent[path] as number;
  return above <= 0 ? { ...state, focus: 'layers' } : reflow(state, above);
}

/** Opens or closes the directory under the cursor. */
export function fold(state: State): State {
  const path = pathAtCursor(state);
  if (path === null || !hasChildren(state.contents, state.tree, path)) return state;
  const isOpen = state.open[path] === 1;
  const opened = state.open.slice();
  opened[path] = isOpen ? 0 : 1;
  const { rows, cursor, contents } = state;
  // Of many rows only those below the directory come or go.
  const last = contents.table.end[path] as number;
  let after = cursor + 1;
  while (after < rows.length && (rows[after] as number) > path && (rows[after] as number) < last) after++;
  const inserted = isOpen ? new Int32Array() : rowsOf({ ...state, open: opened }, path);
  const next = new Int32Array(cursor + 1 + inserted.length + rows.length - after);
  next.set(rows.subarray(0, cursor + 1));
  next.set(inserted, cursor + 1);
  next.set(rows.subarray(after), cursor + 1 + inserted.length);
  return settle({ ...state, open: opened, rows: next });
}

/** Closes all directories; where all are closed, opens those that are shown. */
export function foldAll(state: State): State {
  const { contents, tree } = state;
  const opened = new Uint8Array(tree.shown.length);
  if (!state.open.includes(1))
    for (let path = 1; path < opened.length; path++)
      if (tree.shown[path] === 1 && contents.table.end[path] !== path + 1) opened[path] = 1;
  return reflow({ ...state, open: opened }, pathAtCursor(state));
}
