/** Keys within dialogs: lines that are typed, lists, questions and the viewer. `update.ts` calls it while a dialog is open. */
import { OcislimError } from '../../errors.ts';
import { helpLines } from './help.ts';
import { parseFilter } from './filter.ts';
import { layoutOf, scrolled } from './layout.ts';
import { removingPresets, togglePreset } from './marks.ts';
import { type Dialog, fileAtCursor, type Prompt, type State } from './state.ts';

/** Makes the state after a key in the dialog that is open. */
export function dialogKey(state: State, key: string): State {
  const { dialog } = state;
  switch (dialog?.kind) {
    case undefined:
      return state;
    case 'prompt':
      return promptKey(state, dialog, key);
    case 'confirm':
      if (key === 'y' || key === 'Y' || (key === 'C-c' && dialog.effect.kind === 'quit'))
        return { ...state, dialog: null, effect: dialog.effect };
      return key === 'n' || key === 'N' || key === 'q' || isAway(key) ? { ...state, dialog: null } : state;
    case 'presets':
      if (key === 'p' || key === 'q' || key === 'left' || key === 'h' || isAway(key)) return away(state);
      if (key === 'space' || key === 'enter' || key === 'd' || key === 'm') {
        const name = removingPresets[dialog.cursor];
        return name === undefined ? state : { ...state, marks: togglePreset(state.marks, name) };
      }
      return moveDialog(state, steps(state, key));
    case 'note':
      return key === 'enter' || key === 'q' || key === 'space' || isAway(key) ? away(state) : state;
    case 'viewer':
      return viewerKey(state, dialog, key);
    case 'help':
      return key === '?' || key === 'q' || key === 'enter' || isAway(key)
        ? away(state)
        : moveDialog(state, steps(state, key));
  }
}

function viewerKey(state: State, dialog: Extract<Dialog, { readonly kind: 'viewer' }>, key: string): State {
  if (key === 'q' || key === 'v' || key === 'left' || key === 'h' || isAway(key)) return away(state);
  if (key !== 'tab') return moveDialog(state, steps(state, key));
  const { viewed } = dialog;
  const page = (viewed.page + 1) % viewed.pages.length;
  return { ...state, dialog: { ...dialog, viewed: { ...viewed, page }, top: 0 } };
}

function away(state: State): State {
  return { ...state, dialog: null };
}

function isAway(key: string): boolean {
  return key === 'escape' || key === 'C-c';
}

/** Returns by how many rows a key moves in a list. */
function steps({ size }: State, key: string): number {
  const page = Math.max(1, dialogRows(size) - 1);
  const known: Readonly<Record<string, number>> = {
    up: -1,
    k: -1,
    down: 1,
    j: 1,
    pageup: -page,
    'C-b': -page,
    pagedown: page,
    'C-f': page,
    space: page,
    home: Number.NEGATIVE_INFINITY,
    g: Number.NEGATIVE_INFINITY,
    end: Number.POSITIVE_INFINITY,
    G: Number.POSITIVE_INFINITY,
  };
  return known[key] ?? 0;
}

/** Returns the rows of text that a dialog over the panes has. */
export function dialogRows(size: State['size']): number {
  const { bodyRows, detailRows } = layoutOf(size);
  return bodyRows + detailRows + 1;
}

/** Moves within a list or text. */
export function moveDialog(state: State, by: number): State {
  const { dialog, size } = state;
  if (dialog === null || by === 0) return state;
  switch (dialog.kind) {
    case 'presets': {
      const cursor = Math.max(0, Math.min(dialog.cursor + by, removingPresets.length - 1));
      return { ...state, dialog: { ...dialog, cursor } };
    }
    case 'help': {
      const top = Math.max(0, Math.min(dialog.top + by, helpLines(state.keymap).length - dialogRows(size)));
      return { ...state, dialog: { ...dialog, top } };
    }
    case 'viewer': {
      const lines = dialog.viewed.pages[dialog.viewed.page]?.lines.length ?? 0;
      const top = Math.max(0, Math.min(dialog.top + by, lines - dialogRows(size)));
      return { ...state, dialog: { ...dialog, top } };
    }
    case 'prompt':
    case 'confirm':
    case 'note':
      return state;
  }
}

/** Returns the first row of the list of presets that is on the screen. */
export function presetsTop(cursor: number, height: number): number {
  return scrolled(Math.max(0, cursor - Math.floor(height / 2)), cursor, height, removingPresets.length);
}

function promptKey(state: State, prompt: Prompt, key: string): State {
  if (isAway(key)) return away(state);
  if (key === 'enter') return answered(state, prompt);
  const next = edited(prompt, key);
  return next === prompt ? state : { ...state, dialog: { ...next, error: null } };
}

/** Edits a line. Places are those of code points, so that no pair of surrogates is cut. */
function edited(prompt: Prompt, key: string): Prompt {
  const characters = Array.from(prompt.text);
  const at = Array.from(prompt.text.slice(0, prompt.at)).length;
  const put = (left: readonly string[], right: readonly string[]): Prompt => {
    const before = left.join('');
    return { ...prompt, text: before + right.join(''), at: before.length };
  };
  switch (key) {
    case 'backspace':
    case 'C-h':
      return put(characters.slice(0, Math.max(0, at - 1)), characters.slice(at));
    case 'delete':
    case 'C-d':
      return put(characters.slice(0, at), characters.slice(at + 1));
    case 'left':
    case 'C-b':
      return put(characters.slice(0, Math.max(0, at - 1)), characters.slice(Math.max(0, at - 1)));
    case 'right':
    case 'C-f':
      return put(characters.slice(0, at + 1), characters.slice(at + 1));
    case 'home':
    case 'C-a':
      return put([], characters);
    case 'end':
    case 'C-e':
      return put(characters, []);
    case 'C-u':
      return put([], characters.slice(at));
    case 'C-w':
      return put(characters.slice(0, wordBefore(characters, at)), characters.slice(at));
    default: {
      const typed = key === 'space' ? ' ' : key;
      if (Array.from(typed).length !== 1 || /\p{Cc}/u.test(typed) || prompt.text.length > 1000) return prompt;
      return put([...characters.slice(0, at), typed], characters.slice(at));
    }
  }
}

/** Returns where the word before a place begins. */
function wordBefore(characters: readonly string[], at: number): number {
  let start = at;
  while (start > 0 && characters[start - 1] === ' ') start--;
  while (start > 0 && characters[start - 1] !== ' ') start--;
  return start;
}

/** Takes the line that was typed. */
function answered(state: State, prompt: Prompt): State {
  const text = prompt.text.trim();
  if (prompt.purpose === 'filter') return filtered(state, prompt, text);
  if (text === '') return { ...state, dialog: { ...prompt, error: 'a file needs a name' } };
  if (prompt.purpose === 'rules')
    return { ...state, dialog: null, effect: { kind: 'write-rules', file: text, isForced: false } };
  const change = fileAtCursor(state);
  if (change === null) return away(state);
  return {
    ...state,
    dialog: null,
    message: 'reading…',
    effect: { kind: 'extract', change, file: text, isForced: false },
  };
}

function filtered(state: State, prompt: Prompt, text: string): State {
  try {
    const words = parseFilter(text);
    if (words === null) return { ...state, dialog: null, words: null };
    return { ...state, dialog: null, pending: { kind: 'filter', words } };
  } catch (error) {
    if (!(error instanceof OcislimError)) throw error;
    const dialog: Dialog = { ...prompt, error: error.message };
    return { ...state, dialog };
  }
}
