/**
 * The keys of `explore`, as tables. The model looks commands up in them, and the help screen and `docs/explore.md` are written from them.
 */

/** What a key may ask for in the two panes. */
export type Command =
  | 'up'
  | 'down'
  | 'page-up'
  | 'page-down'
  | 'first'
  | 'last'
  | 'open'
  | 'close'
  | 'fold'
  | 'fold-all'
  | 'other-pane'
  | 'mark'
  | 'presets'
  | 'clear-marks'
  | 'by-size'
  | 'by-name'
  | 'turn-order'
  | 'filter'
  | 'clear-filter'
  | 'aggregate'
  | 'layer-alone'
  | 'layer-merged'
  | 'added'
  | 'changed'
  | 'removed'
  | 'unchanged'
  | 'view'
  | 'extract'
  | 'write'
  | 'next-layer'
  | 'previous-layer'
  | 'help'
  | 'redraw'
  | 'quit';

/** Keys with one meaning. `in`: the pane that must have the focus; both if left out. */
export interface Binding {
  /** As `keyName` writes them. */
  readonly keys: readonly string[];
  readonly command: Command;
  readonly does: string;
  readonly in?: 'layers' | 'tree';
}

export const keymapNames = ['ncdu', 'dive'] as const;
export type KeymapName = (typeof keymapNames)[number];

/** What both keymaps have. */
const common: readonly Binding[] = [
  { keys: ['up', 'k'], command: 'up', does: 'go up one row' },
  { keys: ['down', 'j'], command: 'down', does: 'go down one row' },
  { keys: ['right', 'l'], command: 'open', does: 'open a directory; from the layers, go to the tree' },
  {
    keys: ['left', 'h'],
    command: 'close',
    does: 'close a directory, or go to the one above; then to the layers',
  },
  { keys: ['home', 'g'], command: 'first', does: 'go to the first row' },
  { keys: ['end', 'G'], command: 'last', does: 'go to the last row' },
  { keys: ['tab'], command: 'other-pane', does: 'go to the other pane' },
  { keys: ['p'], command: 'presets', does: 'mark presets' },
  { keys: ['v'], command: 'view', does: 'look into a file: text, bytes, what ELF needs', in: 'tree' },
  { keys: ['w'], command: 'write', does: 'write the marks as rules for prune' },
  { keys: ['?', 'f1'], command: 'help', does: 'show the keys' },
];

const ncdu: readonly Binding[] = [
  { keys: ['d'], command: 'mark', does: 'mark for pruning, or take back', in: 'tree' },
  { keys: ['D'], command: 'clear-marks', does: 'forget all marks' },
  { keys: ['pageup', 'C-b'], command: 'page-up', does: 'go up one page' },
  { keys: ['pagedown', 'C-f'], command: 'page-down', does: 'go down one page' },
  { keys: ['enter', 'space'], command: 'fold', does: 'open or close a directory', in: 'tree' },
  { keys: ['enter'], command: 'open', does: 'go to the tree of the layer', in: 'layers' },
  { keys: ['-'], command: 'fold-all', does: 'close all directories, or open them' },
  { keys: ['s'], command: 'by-size', does: 'sort by size' },
  { keys: ['n'], command: 'by-name', does: 'sort by name' },
  { keys: ['/'], command: 'filter', does: 'filter by name, rule, size or state' },
  { keys: ['escape'], command: 'clear-filter', does: 'drop the filter' },
  { keys: ['a'], command: 'aggregate', does: 'show the layer alone, or all layers up to it' },
  { keys: [']', '}'], command: 'next-layer', does: 'select the layer above' },
  { keys: ['[', '{'], command: 'previous-layer', does: 'select the layer below' },
  { keys: ['A'], command: 'added', does: 'show or hide what was added' },
  { keys: ['C'], command: 'changed', does: 'show or hide what was changed' },
  { keys: ['R'], command: 'removed', does: 'show or hide what was removed' },
  { keys: ['U'], command: 'unchanged', does: 'show or hide what was not changed' },
  { keys: ['x'], command: 'extract', does: 'extract a file into the working directory', in: 'tree' },
  { keys: ['C-l'], command: 'redraw', does: 'draw the screen again' },
  { keys: ['q', 'C-c'], command: 'quit', does: 'quit' },
];

/** The keys of dive (wagoodman/dive, README "KeyBindings"), and ours for what it cannot do. */
const dive: readonly Binding[] = [
  { keys: ['m'], command: 'mark', does: 'mark for pruning, or take back', in: 'tree' },
  { keys: ['M'], command: 'clear-marks', does: 'forget all marks' },
  { keys: ['pageup', 'u'], command: 'page-up', does: 'go up one page' },
  { keys: ['pagedown', 'd'], command: 'page-down', does: 'go down one page' },
  { keys: ['space'], command: 'fold', does: 'open or close a directory', in: 'tree' },
  { keys: ['C-space'], command: 'fold-all', does: 'close all directories, or open them', in: 'tree' },
  { keys: ['C-o'], command: 'turn-order', does: 'sort by size or by name', in: 'tree' },
  { keys: ['C-f', '/'], command: 'filter', does: 'filter by name, rule, size or state' },
  { keys: ['escape'], command: 'clear-filter', does: 'drop the filter' },
  { keys: ['C-a'], command: 'layer-merged', does: 'show all layers up to the selected one', in: 'layers' },
  { keys: ['C-l'], command: 'layer-alone', does: 'show the changes of the selected layer', in: 'layers' },
  { keys: ['C-a'], command: 'added', does: 'show or hide what was added', in: 'tree' },
  { keys: ['C-r'], command: 'removed', does: 'show or hide what was removed', in: 'tree' },
  { keys: ['C-m', 'enter'], command: 'changed', does: 'show or hide what was changed', in: 'tree' },
  { keys: ['C-u'], command: 'unchanged', does: 'show or hide what was not changed', in: 'tree' },
  { keys: ['C-e', 'x'], command: 'extract', does: 'extract a file into the working directory', in: 'tree' },
  { keys: ['q', 'C-c'], command: 'quit', does: 'quit' },
];

/** The bindings of each keymap, in the order of the help. A key of the second table wins over one of the first. */
export const keymaps: Readonly<Record<KeymapName, readonly Binding[]>> = {
  ncdu: [...ncdu, ...common],
  dive: [...dive, ...common],
};

/** Finds what a key asks for in a pane; null where it means nothing. */
export function commandOf(keymap: KeymapName, pane: 'layers' | 'tree', key: string): Command | null {
  const fits = ({ keys, in: own = pane }: Binding): boolean => own === pane && keys.includes(key);
  return keymaps[keymap].find(fits)?.command ?? null;
}

/** A key as Node's `readline.emitKeypressEvents` tells it. */
export interface Keypress {
  readonly name?: string | undefined;
  readonly sequence?: string | undefined;
  readonly ctrl?: boolean;
  readonly meta?: boolean;
}

/** Names a key as the tables write it: `up`, `C-a`, or the character itself. */
export function keyName({ name, sequence = '', ctrl = false }: Keypress): string {
  if (sequence === '\0') return 'C-space';
  if (name === 'return' || name === 'enter') return 'enter';
  if (name === 'escape' || name === 'space' || name === 'tab' || name === 'backspace') return name;
  if (ctrl && name !== undefined) return `C-${name}`;
  // A letter has its name in lower case; what was typed tells capitals apart.
  if (Array.from(sequence).length === 1) return sequence;
  return name ?? sequence;
}
