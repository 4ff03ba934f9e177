/**
 * The table of all files, what went and what stays, with its search and filters. `files.ts` puts it below the treemap.
 */
import { formatCount, formatSize } from '../../figures.ts';
import { rowKinds } from '../packed/file-table.ts';
import type { Palette } from './colors.ts';
import { el, segments } from './dom.ts';
import type { Model } from './model.ts';
import { type Column, type Sorting, VirtualTable } from './virtual-table.ts';

type Shown = 'all' | 'went' | 'stays' | 'came';

interface Filter {
  text: string;
  shown: Shown;
  /** The name of a fate; empty for all. */
  fate: string;
  /** 0 for all. */
  layer: number;
}

const columnNames = ['path', 'size', 'layer', 'fate', 'why'] as const;

export class FileList {
  readonly element: HTMLElement;
  readonly #model: Model;
  #palette: Palette;
  readonly #paths: string[] = [];
  readonly #filter: Filter = { text: '', shown: 'all', fate: '', layer: 0 };
  #sorting: Sorting = { column: 1, descending: true };
  readonly #table: VirtualTable;
  readonly #count = el('p', { class: 'count', role: 'status' });

  constructor(model: Model, palette: Palette) {
    this.#model = model;
    this.#palette = palette;
    this.#table = new VirtualTable('Files', this.#columns(), {
      sorting: this.#sorting,
      onSort: (sorting) => {
        this.#sorting = sorting;
        this.update();
      },
    });
    this.element = el('div', { class: 'files' }, this.#tools(), this.#count, this.#table.element);
    this.update();
  }

  recolor(palette: Palette): void {
    this.#palette = palette;
    this.#table.draw();
  }

  draw(forPrint: boolean): void {
    this.#table.draw(forPrint);
  }

  #columns(): Column[] {
    const { table, info } = this.#model;
    return [
      { title: 'Path', kind: 'path', width: 'minmax(0, 1fr)', cell: (row) => this.#pathCell(row) },
      {
        title: 'Size',
        kind: 'number',
        width: '6.5rem',
        cell: (row) => (table.kinds[row] === 0 ? formatSize(table.sizes[row] as number) : this.#kindOf(row)),
      },
      {
        title: 'Layer',
        kind: 'number layer',
        width: '4.5rem',
        cell: (row) => {
          const layer = table.layers[row] as number;
          return el('span', { title: info.layers[layer - 1] ?? '' }, String(layer));
        },
      },
      { title: 'What became of it', kind: 'text', width: '13rem', cell: (row) => this.#fateCell(row) },
      { title: 'Why', kind: 'text why', width: 'minmax(0, 0.6fr)', cell: (row) => this.#whyCell(row) },
    ];
  }

  #kindOf(row: number): string {
    const kind = rowKinds[this.#model.table.kinds[row] as number] ?? 'other';
    return kind === 'hardlink' ? 'hard link' : kind;
  }

  #pathCell(row: number): HTMLElement {
    const path = this.#path(row);
    const slash = path.lastIndexOf('/') + 1;
    const directory = el('span', { class: 'dirname' }, path.slice(0, slash));
    return el(
      'span',
      { title: path, dir: 'ltr' },
      directory,
      el('span', { class: 'basename' }, path.slice(slash)),
    );
  }

  #fateCell(row: number): HTMLElement {
    const { name } = this.#model.fate(row);
    const swatch = el('span', { class: `swatch ${this.#palette.colorOf(row)}`, 'aria-hidden': 'true' });
    return el('span', { title: name }, swatch, name);
  }

  #whyCell(row: number): HTMLElement {
    const { why } = this.#model.fate(row);
    return el('span', { title: why }, why);
  }

  #path(row: number): string {
    return (this.#paths[row] ??= this.#model.path(this.#model.table.nodes[row] as number));
  }

  #tools(): HTMLElement {
    const search = el('input', {
      type: 'search',
      placeholder: 'Search paths',
      'aria-label': 'Search paths',
      autocomplete: 'off',
      spellcheck: 'false',
    });
    search.addEventListener('input', () => this.#set({ text: search.value.toLowerCase() }));
    const shown = this.#shownChoices();
    return el(
      'div',
      { class: 'tools' },
      search,
      shown.length > 2 ? segments('Which files', shown, 'all', (value) => this.#set({ shown: value })) : null,
      this.#fateChoice(),
      this.#layerChoice(),
    );
  }

  #shownChoices(): (readonly [Shown, string])[] {
    const { fates } = this.#model.info;
    const some = (test: (fate: (typeof fates)[number]) => boolean) => fates.some(test);
    return [
      ['all', 'All'] as const,
      ...(some(({ before, after }) => before && !after) ? [['went', 'Went'] as const] : []),
      ...(some(({ before, after }) => before && after) ? [['stays', 'Stays'] as const] : []),
      ...(some(({ before, after }) => !before && after) ? [['came', 'Came'] as const] : []),
    ];
  }

  #fateChoice(): HTMLElement {
    const names = [...new Set(this.#model.info.fates.map(({ name }) => name))].toSorted();
    const made = el(
      'select',
      { 'aria-label': 'What became of it' },
      el('option', { value: '' }, 'Any reason'),
    );
    for (const name of names) made.append(el('option', { value: name }, name));
    made.addEventListener('change', () => this.#set({ fate: made.value }));
    return made;
  }

  #layerChoice(): HTMLElement {
    const numbers = [...new Set(this.#model.table.layers)].toSorted((a, b) => a - b);
    const made = el('select', { 'aria-label': 'Layer' }, el('option', { value: 0 }, 'Any layer'));
    for (const number of numbers) made.append(el('option', { value: number }, `Layer ${number}`));
    made.addEventListener('change', () => this.#set({ layer: Number(made.value) }));
    return made;
  }

  #set(change: Partial<Filter>): void {
    Object.assign(this.#filter, change);
    this.update();
  }

  /** Filters and sorts the rows, and shows them. */
  update(): void {
    const { table } = this.#model;
    const found: number[] = [];
    let bytes = 0;
    for (let row = 0; row < table.nodes.length; row++) {
      if (!this.#matches(row)) continue;
      found.push(row);
      bytes += table.sizes[row] as number;
    }
    this.#sort(found);
    this.#count.textContent = `${formatCount(found.length)} of ${formatCount(table.nodes.length)} entries, ${formatSize(bytes)}`;
    this.#table.show(found);
  }

  #matches(row: number): boolean {
    const { text, shown, fate, layer } = this.#filter;
    const own = this.#model.fate(row);
    if (layer !== 0 && this.#model.table.layers[row] !== layer) return false;
    if (fate !== '' && own.name !== fate) return false;
    if (shown !== 'all' && (shown !== 'came') !== own.before) return false;
    if (shown !== 'all' && (shown !== 'went') !== own.after) return false;
    return text === '' || this.#path(row).toLowerCase().includes(text);
  }

  /** Sorts rows. They stand by path, which decides between equals. */
  #sort(rows: number[]): void {
    const { column, descending } = this.#sorting;
    const sign = descending ? -1 : 1;
    const { sizes, layers } = this.#model.table;
    switch (columnNames[column]) {
      case 'path':
        if (descending) rows.reverse();
        break;
      case 'size':
        rows.sort((a, b) => sign * ((sizes[a] as number) - (sizes[b] as number)));
        break;
      case 'layer':
        rows.sort((a, b) => sign * ((layers[a] as number) - (layers[b] as number)));
        break;
      case 'fate':
      case 'why':
      case undefined: {
        const text = (row: number) => this.#model.fate(row)[column === 4 ? 'why' : 'name'];
        rows.sort((a, b) => sign * (text(a) < text(b) ? -1 : text(a) > text(b) ? 1 : 0));
        break;
      }
    }
  }
}
