/**
 * The model of `explore`: makes a new state of a state and an event. It does no I/O; what the shell must do stands in `effect` and
 * `pending` of the new state. `session.ts` calls it for every key.
 */
import { escapeText } from '../../report/escape.ts';
import { commands } from './commands.ts';
import { dialogKey, moveDialog } from './dialogs.ts';
import type { Filter } from './filter.ts';
import { commandOf } from './keymap.ts';
import { layoutOf } from './layout.ts';
import { remark, withPreset } from './marking.ts';
import type { PresetTaking } from './marks.ts';
import { fold, move, retree, select, settle } from './moves.ts';
import type { Effect, Size, State } from './state.ts';
import type { Viewed } from './viewed.ts';

/** Something that happened: outside of the model, or in answer to an effect. */
export type Event =
  | { readonly kind: 'key'; readonly key: string }
  | { readonly kind: 'press'; readonly column: number; readonly row: number }
  | { readonly kind: 'wheel'; readonly by: number; readonly column: number }
  | { readonly kind: 'resize'; readonly size: Size }
  | { readonly kind: 'filtered'; readonly filter: Filter }
  | { readonly kind: 'preset'; readonly name: string; readonly taking: PresetTaking }
  | { readonly kind: 'exists'; readonly file: string; readonly effect: Effect }
  | { readonly kind: 'wrote'; readonly file: string | null; readonly lines: readonly string[] }
  | { readonly kind: 'viewed'; readonly viewed: Viewed }
  | { readonly kind: 'told'; readonly message: string };

/** Makes the state after an event. */
export function update(before: State, event: Event): State {
  const state: State = { ...before, effect: null, message: event.kind === 'key' ? null : before.message };
  switch (event.kind) {
    case 'key':
      return state.dialog === null ? paneKey(state, event.key) : withDialogKey(state, event.key);
    case 'press':
      return press(state, event);
    case 'wheel':
      return state.dialog === null ? wheel(state, event) : moveDialog(state, event.by);
    case 'resize':
      return settle({ ...state, size: event.size });
    case 'filtered':
      return retree({ ...state, filter: event.filter, words: wordsOf(state), pending: null });
    case 'preset':
      return withPreset(state, event.name, event.taking);
    case 'exists':
      return {
        ...state,
        dialog: {
          kind: 'confirm',
          question: `${escapeText(event.file)} exists. Replace it?`,
          effect: event.effect,
        },
      };
    case 'wrote':
      return {
        ...state,
        written: event.file ?? '',
        dialog: {
          kind: 'note',
          title: event.file === null ? 'Presets need no file' : `Written to ${escapeText(event.file)}`,
          lines: event.lines,
        },
      };
    case 'viewed':
      // What is being typed by then is not taken away.
      if (state.dialog !== null) return { ...state, message: null };
      return { ...state, message: null, dialog: { kind: 'viewer', viewed: event.viewed, top: 0 } };
    case 'told':
      return { ...state, message: event.message };
  }
}

function wordsOf({ pending, words }: State): State['words'] {
  return pending?.kind === 'filter' ? pending.words : words;
}

/** Gives a key to the dialog, and computes again what its answer changed. */
function withDialogKey(state: State, key: string): State {
  const next = dialogKey(state, key);
  if (next.marks !== state.marks) return remark(next, next.marks);
  if (next.words !== state.words && next.words === null)
    return retree({ ...next, filter: null, pending: null });
  return next;
}

function paneKey(state: State, key: string): State {
  const command = commandOf(state.keymap, state.focus, key);
  return command === null ? state : commands[command](state);
}

function press(state: State, { column, row }: { readonly column: number; readonly row: number }): State {
  if (state.dialog !== null) return state;
  const { left, bodyTop, bodyRows } = layoutOf(state.size);
  if (row < bodyTop || row >= bodyTop + bodyRows) return state;
  const offset = row - bodyTop;
  if (column < left)
    return { ...select({ ...state, focus: 'layers' }, state.layersTop + offset), focus: 'layers' };
  const cursor = state.top + offset;
  if (cursor >= state.rows.length) return { ...state, focus: 'tree' };
  const isAgain = state.focus === 'tree' && cursor === state.cursor;
  const next: State = { ...state, focus: 'tree', cursor };
  return isAgain ? fold(next) : settle(next);
}

function wheel(state: State, { by, column }: { readonly by: number; readonly column: number }): State {
  const focus = column < layoutOf(state.size).left ? 'layers' : 'tree';
  return { ...move({ ...state, focus }, by), focus: state.focus };
}
