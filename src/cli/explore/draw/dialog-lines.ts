/** Draws what lies over the panes: help, presets, notes, and the viewer of files. `frame.ts` calls it while such a dialog is open. */
import { findPreset } from '../../../slim/presets.ts';
import { escapeText } from '../../../report/escape.ts';
import { formatSize } from '../../../units.ts';
import { dialogRows, presetsTop } from '../dialogs.ts';
import { helpLines } from '../help.ts';
import { removingPresets } from '../marks.ts';
import type { Dialog, State } from '../state.ts';
import { line, type Piece } from './line.ts';
import { broken, fit, fitRight } from './text.ts';
import type { Theme } from './theme.ts';

/** A dialog that takes the place of both panes. */
type Overlay = Extract<Dialog, { readonly kind: 'help' | 'presets' | 'note' | 'viewer' }>;

/** Returns the dialog, if it lies over the panes; null for one that takes a line. */
export function overlayOf({ dialog }: State): Overlay | null {
  return dialog === null || dialog.kind === 'prompt' || dialog.kind === 'confirm' ? null : dialog;
}

/** Draws the title of a dialog, and its rows. */
export function overlayLines(state: State, dialog: Overlay, theme: Theme): readonly string[] {
  const { columns } = state.size;
  const height = dialogRows(state.size);
  const [title, rows] = textOf(state, dialog, { theme, height });
  return [
    line(theme, columns, [['focus', ` ${title}`]]),
    ...Array.from({ length: height }, (_, i) => rows[i] ?? ' '.repeat(columns)),
  ];
}

function textOf(
  state: State,
  dialog: Overlay,
  { theme, height }: { readonly theme: Theme; readonly height: number },
): readonly [title: string, rows: readonly string[]] {
  const { columns } = state.size;
  const plain = (texts: readonly string[]): readonly string[] =>
    texts.map((text) => line(theme, columns, [` ${text}`]));
  switch (dialog.kind) {
    case 'help':
      return [
        `Keys (keymap ${state.keymap})`,
        plain(helpLines(state.keymap).slice(dialog.top, dialog.top + height)),
      ];
    case 'presets':
      return ['Presets: Space marks, Esc closes', presetRows(state, dialog.cursor, { theme, height })];
    case 'viewer': {
      const { viewed, top } = dialog;
      const titles = viewed.pages.map(({ title }, i) => (i === viewed.page ? `[${title}]` : title)).join(' ');
      const lines = viewed.pages[viewed.page]?.lines ?? [];
      return [
        `${viewed.name}  ${formatSize(viewed.size)}${viewed.isCut ? ', its beginning' : ''}  ${titles}`,
        plain(lines.slice(top, top + height)),
      ];
    }
    case 'note':
      return [dialog.title, plain(dialog.lines.flatMap((text) => broken(escapeText(text), columns - 2)))];
  }
}

function presetRows(
  { marks, presetEntries, size: { columns } }: State,
  cursor: number,
  { theme, height }: { readonly theme: Theme; readonly height: number },
): readonly string[] {
  const top = presetsTop(cursor, height);
  return removingPresets.slice(top, top + height).map((name, i) => {
    const { risk, title } = findPreset(name);
    const taking = presetEntries.get(name);
    const bytes = taking === undefined ? '…' : taking.ids.length === 0 ? '-' : formatSize(taking.bytes);
    const isCursor = top + i === cursor;
    const pieces: readonly Piece[] = [
      isCursor ? theme.glyphs.pointer : ' ',
      ['mark', marks.presets.includes(name) ? 'D' : ' '],
      `${fitRight(bytes, 10)}  `,
      ['strong', fit(name, 20)],
      ` ${fit(risk === 'none' ? 'safe' : `${risk} risk`, 12)}`,
      ['dim', title],
    ];
    return line(theme, columns, pieces, isCursor ? 'cursor' : undefined);
  });
}
