/** Marks paths and presets, and computes what they save. `commands.ts` and `update.ts` call it; each function makes a new state. */
import type { Path } from '../../bytes/path.ts';
import { type Marks, type PresetTaking, removingPresets, savingOf, toggle } from './marks.ts';
import { move } from './moves.ts';
import { whyNoRule } from './rules-file.ts';
import { ruleOfPath } from '../../rules/glob-of-path.ts';
import { pathAtCursor, type State } from './state.ts';

/** Marks the path under the cursor, or takes its mark back, and goes on to the next row. */
export function mark(state: State): State {
  const path = pathAtCursor(state);
  if (path === null) return state;
  const name = state.contents.table.paths[path] as Path;
  if (ruleOfPath(name) === null) return { ...state, message: whyNoRule(name) };
  const marks = toggle(state.contents, state.marks, state.saving.degree, path);
  return move(remark(state, marks), 1);
}

/** Computes what marks save. */
export function remark(state: State, marks: Marks): State {
  const saving = savingOf(state.contents, marks, state.presetEntries);
  return nextPreset({ ...state, marks, saving, written: null });
}

/** Asks for what the next preset takes: first those that are marked, then all while their list is open. */
export function nextPreset(state: State): State {
  if (state.pending !== null) return state;
  const wanted = [...state.marks.presets, ...(state.dialog?.kind === 'presets' ? removingPresets : [])];
  const name = wanted.find((each) => !state.presetEntries.has(each));
  return name === undefined ? state : { ...state, pending: { kind: 'preset', name } };
}

/** Takes note of what a preset takes. */
export function withPreset(state: State, name: string, taking: PresetTaking): State {
  const presetEntries = new Map(state.presetEntries).set(name, taking);
  const next = { ...state, presetEntries, pending: null };
  if (!state.marks.presets.includes(name)) return nextPreset(next);
  return nextPreset({ ...next, saving: savingOf(state.contents, state.marks, presetEntries) });
}

/** Tells whether nothing is marked. */
export function isUnmarked({ paths, presets }: Marks): boolean {
  return paths.size === 0 && presets.length === 0;
}
