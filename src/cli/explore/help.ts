/** The text of the help, made of the keymap. `docs/explore.md` has the same table. */
import { type Binding, type KeymapName, keymaps } from './keymap.ts';

const shown: Readonly<Record<string, string>> = {
  up: '↑',
  down: '↓',
  left: '←',
  right: '→',
  pageup: 'PgUp',
  pagedown: 'PgDn',
  home: 'Home',
  end: 'End',
  enter: 'Enter',
  escape: 'Esc',
  space: 'Space',
  tab: 'Tab',
  f1: 'F1',
  'C-space': 'Ctrl-Space',
};

/** Writes a key as people know it: `C-a` as `Ctrl-A`. */
function keyLabel(key: string): string {
  return shown[key] ?? key.replace(/^C-(.)$/, (_, letter: string) => `Ctrl-${letter.toUpperCase()}`);
}

/** Returns the keys and the meaning of a binding. */
export function bindingText({ keys, does, in: pane }: Binding): readonly [keys: string, does: string] {
  const where = pane === undefined ? '' : ` (${pane})`;
  return [keys.map(keyLabel).join(' '), `${does}${where}`];
}

/** Returns the lines of the help, in two columns. */
export function helpLines(keymap: KeymapName): readonly string[] {
  const rows = keymaps[keymap].map(bindingText);
  const width = rows.reduce((most, [keys]) => Math.max(most, keys.length), 0);
  return [
    ...rows.map(([keys, does]) => `${keys.padEnd(width)}  ${does}`),
    '',
    'Marks: D goes whole, d in part. What was added shows as +, changed as ~, removed as -.',
    'Layers: █ only here, ▓ a copy of other files, ░ hidden by layers above.',
    'Filter words must all hold: name, *.pyc, usr/share/**, >10M, is:added, is:shadowed, !word.',
  ];
}
