/**
 * The state of `explore`: what is selected, open, marked and asked, as plain data beside the contents of the image. `update.ts` makes one
 * state of another, and the files in `draw` make lines of it.
 */
import type { Contents } from './contents.ts';
import type { Filter, FilterWords } from './filter.ts';
import type { KeymapName } from './keymap.ts';
import { type Marks, noMarks, type PresetEntries, type Saving, savingOf } from './marks.ts';
import { childrenOf, type Order, type Scope, type ScopeTree, type Shown, treeOf } from './scope.ts';
import type { Viewed } from './viewed.ts';

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

/** A line that is being typed. `at`: the place of the cursor, in UTF-16 units. */
export interface Prompt {
  readonly kind: 'prompt';
  readonly purpose: 'filter' | 'rules' | 'extract';
  readonly text: string;
  readonly at: number;
  readonly error: string | null;
}

/** What lies over the panes. */
export type Dialog =
  | Prompt
  | { readonly kind: 'help'; readonly top: number }
  | { readonly kind: 'presets'; readonly cursor: number }
  | { readonly kind: 'confirm'; readonly question: string; readonly effect: Effect }
  | { readonly kind: 'note'; readonly title: string; readonly lines: readonly string[] }
  | { readonly kind: 'viewer'; readonly viewed: Viewed; readonly top: number };

/** What the shell must do outside of the model. It answers with an event. */
export type Effect =
  | { readonly kind: 'quit' }
  | { readonly kind: 'redraw' }
  | { readonly kind: 'view'; readonly change: number }
  | { readonly kind: 'extract'; readonly change: number; readonly file: string; readonly isForced: boolean }
  | { readonly kind: 'write-rules'; readonly file: string; readonly isForced: boolean };

/** Work that takes longer than a key may. The shell does it in steps, and a newer one takes its place. */
export type Pending =
  | { readonly kind: 'filter'; readonly words: FilterWords }
  | { readonly kind: 'preset'; readonly name: string };

export interface State {
  readonly contents: Contents;
  /** The reference of the image, for the command that is shown. */
  readonly source: string;
  readonly keymap: KeymapName;
  readonly size: Size;
  readonly focus: 'layers' | 'tree';
  readonly scope: Scope;
  /** Statuses that are shown for the whole image, and for a layer. */
  readonly shown: { readonly image: Shown; readonly layer: Shown };
  readonly order: Order;
  readonly words: FilterWords | null;
  readonly filter: Filter | null;
  readonly tree: ScopeTree;
  /** By path: 1 for a directory that is open. It is copied to be changed. */
  readonly open: Uint8Array;
  /** The paths of the tree's rows, in order. */
  readonly rows: Int32Array;
  /** The row under the cursor, and the first one on the screen. */
  readonly cursor: number;
  readonly top: number;
  readonly layersTop: number;
  readonly marks: Marks;
  readonly saving: Saving;
  readonly presetEntries: PresetEntries;
  /** The file to which the marks as they are were written; empty for presets alone, which need none; null for marks that were not. */
  readonly written: string | null;
  readonly dialog: Dialog | null;
  readonly message: string | null;
  readonly pending: Pending | null;
  readonly effect: Effect | null;
}

const everything: Shown = { unchanged: true, added: true, changed: true, removed: true };

/** Makes the first state: the whole image, by size. */
export function startState(
  contents: Contents,
  { source, keymap, size }: Pick<State, 'source' | 'keymap' | 'size'>,
): State {
  const shown = { image: { ...everything, removed: false }, layer: everything };
  const scope: Scope = { layer: 0, isAlone: true };
  const tree = treeOf(contents, scope, shown.image, null);
  const order: Order = keymap === 'dive' ? 'name' : 'size';
  const open = new Uint8Array(tree.node.length);
  return {
    contents,
    source,
    keymap,
    size,
    scope,
    shown,
    tree,
    order,
    focus: 'tree',
    words: null,
    filter: null,
    open,
    rows: rowsOf({ contents, tree, open, order }),
    cursor: 0,
    top: 0,
    layersTop: 0,
    marks: noMarks,
    saving: savingOf(contents, noMarks, new Map()),
    presetEntries: new Map(),
    written: null,
    dialog: null,
    message: null,
    pending: null,
    effect: null,
  };
}

/** What decides which rows a tree has. */
type RowsInput = Pick<State, 'contents' | 'tree' | 'open' | 'order'>;

/** Lists the rows below a directory, or with 0 of the tree: what lies in it, and in every open directory below an open one. */
export function rowsOf(input: RowsInput, directory = 0): Int32Array {
  return input.order === 'name' ? rowsByName(input, directory) : rowsBySize(input, directory);
}

/** Lists rows in the order of their numbers, which is that of names: a directory that is closed is passed by. */
function rowsByName({ contents: { table }, tree, open }: RowsInput, directory: number): Int32Array {
  const { end } = table;
  const last = end[directory] as number;
  const rows = new Int32Array(last - directory);
  let count = 0;
  for (let at = directory + 1; at < last; ) {
    if (tree.shown[at] === 1) rows[count++] = at;
    at = tree.shown[at] === 1 && open[at] === 1 ? at + 1 : (end[at] as number);
  }
  return rows.slice(0, count);
}

function rowsBySize({ contents, tree, open }: RowsInput, directory: number): Int32Array {
  const rows = new Int32Array((contents.table.end[directory] as number) - directory);
  let count = 0;
  /** Children still ahead: lists, and the place in each. */
  const lists = [childrenOf(contents, tree, directory)];
  const places = [0];
  while (lists.length > 0) {
    const last = lists.length - 1;
    const list = lists[last] as Int32Array;
    const place = places[last] as number;
    if (place === list.length) {
      lists.pop();
      places.pop();
      continue;
    }
    places[last] = place + 1;
    const path = list[place] as number;
    rows[count++] = path;
    if (open[path] === 0) continue;
    lists.push(childrenOf(contents, tree, path));
    places.push(0);
  }
  return rows.slice(0, count);
}

/** Returns the path under the cursor; null for a tree without rows. */
export function pathAtCursor({ rows, cursor }: State): number | null {
  return rows[cursor] ?? null;
}

/** Returns the change with the data of the regular file under the cursor; null for everything else. */
export function fileAtCursor(state: State): number | null {
  const { changes } = state.contents;
  const node = state.tree.node[pathAtCursor(state) ?? 0] ?? 0;
  const change = node > 0 ? (changes.file[node - 1] as number) : -1;
  return changes.all[change]?.kind === 'file' ? change : null;
}

/** Returns which statuses the scope of a state shows. */
export function shownOf({ scope, shown }: Pick<State, 'scope' | 'shown'>): Shown {
  return scope.layer === 0 ? shown.image : shown.layer;
}
