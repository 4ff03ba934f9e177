/** The pane of the layers: number, size, what of it is kept, copied or hidden, and the instruction. `frame.ts` puts it beside the tree. */
import { escapeText } from '../../../report/escape.ts';
import { shortInstruction } from '../../../analyze/instruction.ts';
import { formatSize } from '../../../units.ts';
import type { LayerRow } from '../contents.ts';
import { layoutOf } from '../layout.ts';
import type { State } from '../state.ts';
import { line, type Piece } from './line.ts';
import { fitRight } from './text.ts';
import type { Theme } from './theme.ts';

/** Draws the rows of the layers that are on the screen. */
export function layerLines(state: State, theme: Theme): readonly string[] {
  const { contents, layersTop, scope, focus, size } = state;
  const { left, bodyRows } = layoutOf(size);
  const most = contents.layers.reduce((largest, { contentBytes }) => Math.max(largest, contentBytes), 1);
  return Array.from({ length: bodyRows }, (_, i) => {
    const number = layersTop + i;
    const layer = contents.layers[number - 1];
    if (number > 0 && layer === undefined) return ' '.repeat(left);
    const isSelected = number === scope.layer;
    const pieces: readonly Piece[] = [
      isSelected ? theme.glyphs.pointer : ' ',
      ...(layer === undefined ? imageRow(state) : layerRow(layer, most, { theme, left })),
    ];
    return line(theme, left, pieces, isSelected && focus === 'layers' ? 'cursor' : undefined);
  });
}

function imageRow({ contents }: State): readonly Piece[] {
  const total = contents.layers.reduce((sum, { contentBytes }) => sum + contentBytes, 0);
  return [`   ${fitRight(formatSize(total), 8)} `, ['strong', 'whole image']];
}

function layerRow(
  layer: LayerRow,
  most: number,
  { theme, left }: { readonly theme: Theme; readonly left: number },
): readonly Piece[] {
  const width = left < 28 ? 4 : left < 40 ? 6 : left < 60 ? 8 : 12;
  return [
    `${fitRight(String(layer.number), 2)} ${fitRight(formatSize(layer.contentBytes), 8)} `,
    ...layerBar(layer, most, { theme, width }),
    ` ${escapeText(shortInstruction(layer.instruction, 200))}`,
  ];
}

/** Draws the bar of a layer, as long as its share of the largest one: what is only here, what is a copy, what is hidden. */
function layerBar(
  { contentBytes, shadowedBytes, duplicateBytes }: LayerRow,
  most: number,
  { theme: { glyphs }, width }: { readonly theme: Theme; readonly width: number },
): readonly Piece[] {
  const cells = Math.round((contentBytes / most) * width);
  if (cells === 0)
    return [['dim', contentBytes === 0 ? ' ' : (glyphs.parts[0] as string)], ' '.repeat(width - 1)];
  const cellsOf = (bytes: number): number =>
    bytes === 0 ? 0 : Math.min(cells, Math.max(1, Math.round((bytes / contentBytes) * cells)));
  const hidden = cellsOf(shadowedBytes);
  const copied = Math.min(cells - hidden, cellsOf(duplicateBytes));
  const only = cells - hidden - copied;
  return [
    ['kept', glyphs.full.repeat(only)],
    ['duplicate', glyphs.duplicate.repeat(copied)],
    ['shadowed', glyphs.shadowed.repeat(hidden)],
    ' '.repeat(width - cells),
  ];
}
