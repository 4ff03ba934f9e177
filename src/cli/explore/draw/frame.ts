/**
 * The whole screen as lines: a title, layers and tree side by side, details, marks, keys. A pure function of the state; the shell writes
 * the lines that changed.
 */
import { escapeText } from '../../../report/escape.ts';
import { formatSize } from '../../../units.ts';
import type { KeymapName } from '../keymap.ts';
import { layoutOf, smallest } from '../layout.ts';
import { statusNames } from '../scope.ts';
import { shownOf, type State } from '../state.ts';
import { detailLines } from './details.ts';
import { overlayLines, overlayOf } from './dialog-lines.ts';
import { layerLines } from './layers-pane.ts';
import { line, type Piece } from './line.ts';
import { columnsOf, countOf, fit } from './text.ts';
import type { Theme } from './theme.ts';
import { treeLines } from './tree-pane.ts';

/** Draws a state: as many lines as the screen has rows, each of its width. */
export function frameOf(state: State, theme: Theme): readonly string[] {
  const { columns, rows } = state.size;
  if (columns < 40 || rows < 10) return tooSmall(state, theme);
  const overlay = overlayOf(state);
  const middle = overlay === null ? panes(state, theme) : overlayLines(state, overlay, theme);
  return [titleLine(state, theme), ...middle, statusLine(state, theme), keyLine(state, theme)];
}

function tooSmall({ size: { columns, rows } }: State, theme: Theme): readonly string[] {
  const text = `at least ${smallest.columns}×${smallest.rows}, please`;
  return Array.from({ length: rows }, (_, i) =>
    i === 0 ? line(theme, columns, [text]) : ' '.repeat(columns),
  );
}

function titleLine({ contents: { title, layers }, size: { columns } }: State, theme: Theme): string {
  const packed = layers.reduce((sum, { transferBytes }) => sum + transferBytes, 0);
  const facts = [title.platform ?? '', `${layers.length} layers`, `${formatSize(packed)} to pull`].filter(
    (fact) => fact !== '',
  );
  const name = escapeText(title.name);
  // The name comes first: what does not fit beside it is left out.
  while (facts.length > 0 && columnsOf(name) + facts.join(' · ').length + 4 > columns) facts.shift();
  const right = facts.length === 0 ? '' : `${facts.join(' · ')} `;
  const room = columns - right.length;
  const program = columnsOf(name) + 19 > room ? '' : 'ocislim explore  ';
  return line(theme, columns, [fit(` ${program}${name}`, room), right], 'title');
}

function panes(state: State, theme: Theme): readonly string[] {
  const { left, right, detailRows } = layoutOf(state.size);
  const layers = [paneTitle(state, 'layers', { theme, width: left }), ...layerLines(state, theme)];
  const tree = [paneTitle(state, 'tree', { theme, width: right }), ...treeLines(state, theme)];
  const details = detailLines(state).slice(0, detailRows);
  const { columns } = state.size;
  return [
    ...layers.map((each, i) => `${each}${theme.paint('dim', theme.glyphs.upright)}${tree[i] ?? ''}`),
    theme.paint('dim', theme.glyphs.level.repeat(columns)),
    ...Array.from({ length: detailRows }, (_, i) => line(theme, columns, [' ', ...(details[i] ?? [])])),
  ];
}

function paneTitle(
  state: State,
  pane: 'layers' | 'tree',
  { theme, width }: { readonly theme: Theme; readonly width: number },
): string {
  const text = pane === 'layers' ? ' Layers' : ` ${treeTitle(state)}`;
  return line(theme, width, [[state.focus === pane ? 'focus' : 'pane', fit(text, width)]]);
}

/** Says what the tree shows: which layers, how much, in which order, through which filter. */
function treeTitle(state: State): string {
  const { scope, tree, order, words, pending } = state;
  const what =
    scope.layer === 0
      ? 'Whole image'
      : scope.isAlone
        ? `Layer ${scope.layer} alone`
        : scope.layer === 1
          ? 'Layer 1'
          : `Layers 1 to ${scope.layer}`;
  const shown = shownOf(state);
  const hidden = statusNames.filter((name) => !shown[name] && !(scope.layer === 0 && name === 'removed'));
  const typed = pending?.kind === 'filter' ? pending.words : words;
  return [
    `${what}: ${formatSize(tree.total[0] ?? 0)}`,
    `by ${order}`,
    ...(hidden.length === 0 ? [] : [`without ${hidden.join(', ')}`]),
    ...(scope.layer === 0 && shown.removed ? ['with removed'] : []),
    ...(typed === null ? [] : [`/${escapeText(typed.text)}${pending?.kind === 'filter' ? ' …' : ''}`]),
  ].join(' · ');
}

/** Draws the line of marks, or what there is to tell. */
function statusLine(state: State, theme: Theme): string {
  const { dialog, message, size } = state;
  const { columns } = size;
  if (dialog?.kind === 'prompt' && dialog.error !== null)
    return line(theme, columns, [' ', ['error', escapeText(dialog.error)]]);
  if (message !== null) return line(theme, columns, [' ', ['message', escapeText(message)]]);
  return line(theme, columns, marksText(state, theme));
}

function marksText({ marks, saving, presetEntries, written }: State, { glyphs }: Theme): readonly Piece[] {
  const { paths, presets } = marks;
  if (paths.size === 0 && presets.length === 0) return [['dim', ' nothing is marked']];
  const dropped = [...paths.values()].filter((choice) => choice === 'drop').length;
  const kept = paths.size - dropped;
  const parts = [
    ...(dropped === 0 ? [] : [countOf(dropped, 'path')]),
    ...(kept === 0 ? [] : [`${kept} taken back`]),
    ...(presets.length === 0 ? [] : [countOf(presets.length, 'preset')]),
  ];
  const isComplete = presets.every((name) => presetEntries.has(name));
  return [
    ' marked: ',
    ['mark', parts.join(', ')],
    ` ${glyphs.arrow} saves `,
    ['strong', `${formatSize(saving.bytes)} unpacked`],
    `, ${glyphs.about}${formatSize(saving.transferBytes)} to pull, ${countOf(saving.files, 'file')}`,
    ...(isComplete ? [] : [' …']),
    ...(written === null || written === '' ? [] : [['dim', `  in ${escapeText(written)}`] as const]),
  ];
}

const hints: Readonly<Record<KeymapName, readonly string[]>> = {
  ncdu: [
    '?:keys',
    'd:mark',
    'p:presets',
    'w:write',
    '/:filter',
    'a:aggregate',
    'v:view',
    'x:extract',
    's/n:sort',
    'Tab:pane',
    'q:quit',
  ],
  dive: [
    '?:keys',
    'm:mark',
    'p:presets',
    'w:write',
    '^F:filter',
    '^L/^A:layer',
    'Space:fold',
    'v:view',
    '^E:extract',
    'Tab:pane',
    'q:quit',
  ],
};

/** Draws the line of keys, of a question, or of what is typed. */
function keyLine({ dialog, keymap, size: { columns } }: State, theme: Theme): string {
  if (dialog?.kind === 'confirm') return line(theme, columns, [' ', ['message', `${dialog.question} (y/n)`]]);
  if (dialog?.kind === 'prompt') {
    const label = { filter: 'Filter', rules: 'Write rules to', extract: 'Extract to' }[dialog.purpose];
    const [before, after] = [dialog.text.slice(0, dialog.at), dialog.text.slice(dialog.at)];
    const under = Array.from(after)[0] ?? ' ';
    return line(theme, columns, [
      ` ${label}: `,
      escapeText(before),
      ['cursor', escapeText(under)],
      escapeText(after.slice(under.length)),
    ]);
  }
  let text = '';
  for (const hint of hints[keymap]) {
    if (text.length + hint.length + 3 > columns) break;
    text += `  ${hint}`;
  }
  return line(theme, columns, [['dim', text.slice(1)]]);
}
