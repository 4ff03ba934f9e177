/** What each command of the keymaps does to a state. `update.ts` looks it up. */
import { baseOf, type Path } from '../../bytes/path.ts';
import type { Command } from './keymap.ts';
import { layoutOf } from './layout.ts';
import { isUnmarked, mark, nextPreset, remark } from './marking.ts';
import { noMarks } from './marks.ts';
import { close, fold, foldAll, move, open, rescope, retree, select, sorted, turnStatus } from './moves.ts';
import { fileAtCursor, pathAtCursor, type Prompt, type State } from './state.ts';

const pageOf = ({ size }: State): number => layoutOf(size).bodyRows - 1;

/** The commands, each as a function from state to state. */
export const commands: Readonly<Record<Command, (state: State) => State>> = {
  up: (state) => move(state, -1),
  down: (state) => move(state, 1),
  'page-up': (state) => move(state, -pageOf(state)),
  'page-down': (state) => move(state, pageOf(state)),
  first: (state) => move(state, Number.NEGATIVE_INFINITY),
  last: (state) => move(state, Number.POSITIVE_INFINITY),
  'other-pane': (state) => ({ ...state, focus: state.focus === 'tree' ? 'layers' : 'tree' }),
  open: (state) => (state.focus === 'layers' ? { ...state, focus: 'tree' } : open(state)),
  close: (state) => (state.focus === 'layers' ? state : close(state)),
  fold,
  'fold-all': foldAll,
  'by-size': (state) => sorted(state, 'size'),
  'by-name': (state) => sorted(state, 'name'),
  'turn-order': (state) => sorted(state, state.order === 'size' ? 'name' : 'size'),
  'next-layer': (state) => select(state, state.scope.layer + 1),
  'previous-layer': (state) => select(state, state.scope.layer - 1),
  aggregate: (state) => rescope(state, { ...state.scope, isAlone: !state.scope.isAlone }),
  'layer-alone': (state) => rescope(state, { ...state.scope, isAlone: true }),
  'layer-merged': (state) => rescope(state, { ...state.scope, isAlone: false }),
  added: (state) => turnStatus(state, 'added'),
  changed: (state) => turnStatus(state, 'changed'),
  removed: (state) => turnStatus(state, 'removed'),
  unchanged: (state) => turnStatus(state, 'unchanged'),
  mark,
  'clear-marks': (state) => ({ ...remark(state, noMarks), message: 'nothing is marked any more' }),
  presets: (state) => nextPreset({ ...state, dialog: { kind: 'presets', cursor: 0 } }),
  filter: (state) => ({ ...state, dialog: prompt('filter', state.words?.text ?? '') }),
  'clear-filter': clearFilter,
  write: (state) =>
    isUnmarked(state.marks)
      ? { ...state, message: 'nothing is marked yet: see the keys below' }
      : { ...state, dialog: prompt('rules', 'rules.txt') },
  view: (state) =>
    withFile(state, (change) => ({ ...state, message: 'reading…', effect: { kind: 'view', change } })),
  extract: (state) => withFile(state, () => ({ ...state, dialog: prompt('extract', nameAtCursor(state)) })),
  help: (state) => ({ ...state, dialog: { kind: 'help', top: 0 } }),
  redraw: (state) => ({ ...state, effect: { kind: 'redraw' } }),
  quit,
};

function prompt(purpose: Prompt['purpose'], text: string): Prompt {
  return { kind: 'prompt', purpose, text, at: text.length, error: null };
}

/** Passes the file under the cursor on; of anything else, says that it has no contents. */
function withFile(state: State, use: (change: number) => State): State {
  const change = fileAtCursor(state);
  return change === null ? { ...state, message: 'only regular files have contents' } : use(change);
}

/** Makes a name for the file under the cursor in the working directory: harmless characters, no dot or dash in front. */
function nameAtCursor(state: State): string {
  const path = state.contents.table.paths[pathAtCursor(state) ?? 0] as Path;
  const base = Buffer.from(baseOf(path), 'latin1').toString('utf8');
  const name = base.replace(/[^\p{L}\p{M}\p{N}._+@=,~-]/gu, '_').replace(/^[.~-]+/, '');
  return name === '' ? 'file' : name.slice(0, 120);
}

function clearFilter(state: State): State {
  if (state.words === null && state.pending?.kind !== 'filter') return state;
  return retree({ ...state, words: null, filter: null, pending: null });
}

/** Quits, after a question where marks would be lost. */
function quit(state: State): State {
  const effect = { kind: 'quit' } as const;
  if (isUnmarked(state.marks) || state.written !== null) return { ...state, effect };
  return { ...state, dialog: { kind: 'confirm', question: 'The marks are not written. Quit?', effect } };
}
