/** Makes the chapters about the files of an image: treemaps with their legend and table, and the list of all files. `main.ts` calls it. */
import { formatCount, formatSize } from '../../figures.ts';
import { type ColorBy, type LegendEntry, paletteOf } from './colors.ts';
import { button, chapter, el, replace, segments } from './dom.ts';
import { FileList } from './file-list.ts';
import type { Model } from './model.ts';
import { TreemapView } from './treemap.ts';
import { changeText } from './values.ts';

/** Rows of the table of a directory. */
const shownChildren = 100;

/** The chapters of the files, and what draws them where they have a width. */
export interface FileChapters {
  readonly elements: readonly HTMLElement[];
  draw(forPrint: boolean): void;
}

/** Makes the chapters of the files of one image. */
export function fileChapters(model: Model): FileChapters {
  let palette = paletteOf(model, 'fate');
  const legend = el('ul', { class: 'legend', 'aria-label': 'Colours' });
  const children = el('div', {});
  const map = new TreemapView(model, palette, () => drawChildren());
  const list = new FileList(model, palette);
  const drawChildren = () =>
    children.replaceChildren(childrenTable(model, map.root, (node) => map.zoom(node)));
  const drawLegend = () => replace(legend, palette.legend.map(legendItem));
  const choice = segments<ColorBy>(
    'Colours by',
    [
      ['fate', 'What became of it'],
      ['layer', 'Layer'],
    ],
    'fate',
    (by) => {
      palette = paletteOf(model, by);
      map.recolor(palette);
      list.recolor(paletteOf(model, 'fate'));
      drawLegend();
    },
  );
  drawLegend();
  drawChildren();
  const inWords = el('details', { class: 'words' }, el('summary', {}, 'The same as a table'), children);
  const tools = el('div', { class: 'tools' }, el('span', { class: 'label' }, 'Colours by'), choice);
  const note = model.info.rounded
    ? ' Sizes below 512 KiB are rounded to 2 %, so that this file stays small.'
    : '';
  return {
    elements: [
      chapter('map', 'Where the bytes are', tools, legend, map.element, inWords),
      chapter('files', 'Files', el('p', { class: 'hint' }, `${model.info.note}${note}`), list.element),
    ],
    draw: (forPrint) => {
      map.draw();
      list.draw(forPrint);
    },
  };
}

function legendItem({ color, name, why, bytes }: LegendEntry): HTMLElement {
  return el(
    'li',
    { title: why },
    el('span', { class: `swatch ${color}`, 'aria-hidden': 'true' }),
    el('span', { class: 'name' }, name),
    el('span', { class: 'bytes' }, formatSize(bytes)),
  );
}

/** Makes the table of what is in a directory: the treemap for people who do not see it. */
function childrenTable(model: Model, root: number, zoom: (node: number) => void): HTMLElement {
  const [before, after] = model.sides;
  const { sides } = model.info;
  const size = (node: number) => Math.max(before.bytes[node] as number, after.bytes[node] as number);
  const sorted = [...model.children(root)].sort((a, b) => size(b) - size(a));
  const names = sides.filter((side) => side !== null);
  const head = ['Name', ...names, ...(names.length > 1 ? ['Change'] : []), 'Entries'];
  const rows = sorted.slice(0, shownChildren).map((node) => {
    const name = model.table.names[node] as string;
    const label = model.isDirectory(node) ? button(`${name}/`, () => zoom(node), { class: 'link' }) : name;
    const own = [before.bytes[node] as number, after.bytes[node] as number] as const;
    const numbers = own.slice(0, names.length).map((bytes) => formatSize(bytes));
    const change = names.length > 1 ? [changeText(own[0], own[1])] : [];
    const entries = formatCount(Math.max(before.rows[node] as number, after.rows[node] as number));
    return el(
      'tr',
      {},
      el('th', { scope: 'row' }, label),
      [...numbers, ...change, entries].map((text) => el('td', { class: 'number' }, text)),
    );
  });
  const rest = sorted.length - rows.length;
  return el(
    'div',
    { class: 'scroll', tabindex: 0, role: 'group', 'aria-label': `Contents of ${model.path(root)}` },
    el(
      'table',
      {},
      el('caption', {}, `Contents of ${model.path(root)}`),
      el(
        'thead',
        {},
        el(
          'tr',
          {},
          head.map((text, i) => el('th', { scope: 'col', class: i > 0 && 'number' }, text)),
        ),
      ),
      el('tbody', {}, rows),
    ),
    rest > 0 && el('p', { class: 'hint' }, `and ${formatCount(rest)} more, in the table of files`),
  );
}
