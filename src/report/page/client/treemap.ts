/**
 * The treemaps of both sides on one scale: drawn, zoomed and told. `files.ts` makes one for each image. Screen readers get the table
 * below the maps, which has the same numbers, and a line that says where the keyboard is.
 */
import { formatNumberOf, formatSize } from '../../figures.ts';
import type { Palette } from './colors.ts';
import { button, el, replace, svg } from './dom.ts';
import { type Cell, headHeight, layOut } from './layout.ts';
import type { Model, Side } from './model.ts';
import { changeText } from './values.ts';

/** Pixels of a character of a label, about. */
const characterWidth = 6.1;

export class TreemapView {
  readonly element: HTMLElement;
  readonly #model: Model;
  readonly #maps: HTMLElement;
  readonly #crumbs = el('nav', { class: 'crumbs', 'aria-label': 'Directory in the treemap' });
  readonly #told = el('p', { class: 'told', role: 'status' });
  readonly #tip = el('div', { class: 'tip', 'aria-hidden': 'true', hidden: true });
  #palette: Palette;
  #root = 0;
  /** The child of the root that the keyboard is at; null for none. */
  #selected: number | null = null;
  readonly #onZoom: (node: number) => void;

  constructor(model: Model, palette: Palette, onZoom: (node: number) => void) {
    this.#model = model;
    this.#palette = palette;
    this.#onZoom = onZoom;
    this.#maps = el('div', {
      class: 'maps',
      role: 'application',
      tabindex: 0,
      'aria-label': 'Treemap of the files by size',
      'aria-describedby': 'map-keys',
    });
    const help = el(
      'p',
      { class: 'hint', id: 'map-keys' },
      'Click or press Enter to zoom in, Escape to zoom out; the arrow keys go from entry to entry. The table below has the same numbers.',
    );
    this.element = el('div', {}, this.#crumbs, this.#maps, this.#told, help, this.#tip);
    this.#listen();
  }

  get root(): number {
    return this.#root;
  }

  recolor(palette: Palette): void {
    this.#palette = palette;
    this.draw();
  }

  /** Zooms to a directory. */
  zoom(node: number): void {
    this.#root = node;
    this.#selected = null;
    this.draw();
    this.#onZoom(node);
  }

  /** Draws both sides for the width that there is. */
  draw(): void {
    const { sides } = this.#model.info;
    const both = sides[1] !== null;
    const room = this.#maps.clientWidth || 900;
    const width = Math.floor(both && room >= 700 ? (room - 24) / 2 : room);
    const height = Math.round(Math.min(Math.max(width * (both ? 0.72 : 0.5), 300), 480));
    const figures = [this.#figure(0, width, height)];
    if (both) figures.push(this.#figure(1, width, height));
    replace(this.#maps, figures);
    this.#drawCrumbs();
  }

  #drawCrumbs(): void {
    const { names, parents } = this.#model.table;
    const chain: number[] = [];
    for (let at = this.#root; at >= 0; at = parents[at] as number) chain.unshift(at);
    const items = chain.map((node) => {
      const isLast = node === this.#root;
      const made = button(node === 0 ? 'whole image' : (names[node] as string), () => this.zoom(node));
      if (isLast) made.setAttribute('aria-current', 'true');
      return el('li', {}, made);
    });
    replace(this.#crumbs, [el('ol', {}, items)]);
  }

  /** Draws one side. The frame has the size of the larger side, and the cells the share that theirs has of it. */
  #figure(side: Side, width: number, height: number): HTMLElement {
    const model = this.#model;
    const bytes = model.sides.map((sums) => sums.bytes[this.#root] as number) as [number, number];
    const share = bytes[side] / Math.max(bytes[0], bytes[1], 1);
    const [own, high] = [Math.round(width * Math.sqrt(share)), Math.round(height * Math.sqrt(share))];
    const palette = this.#palette;
    const cells = layOut(model, { side, root: this.#root, width: own, height: high, palette });
    const drawing = svg('svg', { viewBox: `0 0 ${width} ${height}`, width, height, 'aria-hidden': 'true' });
    drawing.append(svg('rect', { class: 'frame', x: 0.5, y: 0.5, width: width - 1, height: height - 1 }));
    for (const cell of cells) drawing.append(drawCell(cell, `${side}`));
    if (this.#selected !== null) drawing.append(outline(cells, this.#selected, model));
    if (bytes[side] === 0)
      drawing.append(svg('text', { class: 'nothing', x: width / 2, y: height / 2 }, 'nothing here'));
    drawing.addEventListener('click', (event) => this.#click(cells, event));
    drawing.addEventListener('pointermove', (event) => this.#hover(cells, event));
    drawing.addEventListener('pointerleave', () => this.#hideTip());
    return el('figure', { class: 'map' }, this.#caption(side, bytes), drawing);
  }

  #caption(side: Side, bytes: readonly [number, number]): HTMLElement {
    const { rows } = this.#model.sides[side];
    const change = side === 1 && bytes[0] > 0 ? ` (${changeText(bytes[0], bytes[1])})` : '';
    const files = formatNumberOf(rows[this.#root] as number, 'entry', 'entries');
    const title = this.#model.info.sides[side] ?? '';
    return el('figcaption', {}, el('strong', {}, title), ` ${formatSize(bytes[side])}${change}, ${files}`);
  }

  #listen(): void {
    new ResizeObserver(() => this.draw()).observe(this.#maps);
    this.#maps.addEventListener('keydown', (event) => {
      if (event.target !== this.#maps || event.ctrlKey || event.metaKey || event.altKey) return;
      if (this.#key(event.key)) event.preventDefault();
    });
    this.#maps.addEventListener('blur', () => this.#select(null));
  }

  /** Does what a key means. Returns whether it means anything. */
  #key(key: string): boolean {
    switch (key) {
      case 'ArrowRight':
      case 'ArrowDown':
        this.#step(1);
        return true;
      case 'ArrowLeft':
      case 'ArrowUp':
        this.#step(-1);
        return true;
      case 'Home':
        this.#select(this.#inOrder()[0] ?? null);
        return true;
      case 'Enter':
      case ' ':
        if (this.#selected !== null && this.#model.isDirectory(this.#selected)) this.zoom(this.#selected);
        this.#step(1);
        return true;
      case 'Escape':
      case 'Backspace': {
        if (this.#root === 0) return false;
        const from = this.#root;
        this.zoom(this.#model.table.parents[from] as number);
        this.#select(from);
        return true;
      }
      default:
        return false;
    }
  }

  /** Lists the children of the root, the largest first. */
  #inOrder(): number[] {
    const [before, after] = this.#model.sides;
    const size = (node: number) => Math.max(before.bytes[node] as number, after.bytes[node] as number);
    return [...this.#model.children(this.#root)]
      .filter((node) => size(node) > 0)
      .sort((a, b) => size(b) - size(a));
  }

  #step(by: number): void {
    const order = this.#inOrder();
    if (order.length === 0) return;
    const at = this.#selected === null ? -1 : order.indexOf(this.#selected);
    this.#select(order[at < 0 ? 0 : Math.min(Math.max(at + by, 0), order.length - 1)] as number);
  }

  #select(node: number | null): void {
    if (node === this.#selected) return;
    this.#selected = node;
    this.#told.textContent = node === null ? '' : this.#describe(node);
    this.draw();
  }

  /** Says a node in a sentence. */
  #describe(node: number): string {
    const { sides, info } = this.#model;
    const kind = this.#model.isDirectory(node) ? 'directory' : 'file';
    const sizes = info.sides.flatMap((name, side) =>
      name === null ? [] : `${name} ${formatSize(sides[side as Side].bytes[node] as number)}`,
    );
    return `${this.#model.path(node)}, ${kind}: ${sizes.join(', ')}`;
  }

  #cellAt(cells: readonly Cell[], { clientX, clientY, currentTarget }: MouseEvent): Cell | null {
    const drawing = currentTarget as SVGSVGElement;
    const box = drawing.getBoundingClientRect();
    const scale = drawing.viewBox.baseVal.width / box.width;
    const [left, top] = [(clientX - box.left) * scale, (clientY - box.top) * scale];
    const isIn = ({ x, y, width, height }: Cell) =>
      left >= x && left < x + width && top >= y && top < y + height;
    // Later cells lie on earlier ones.
    return cells.findLast(isIn) ?? null;
  }

  #click(cells: readonly Cell[], event: MouseEvent): void {
    const cell = this.#cellAt(cells, event);
    if (cell === null) return;
    // A frame is hit at its name: straight to that directory. A cell leads one level down.
    let target = cell.node;
    if (cell.color !== null)
      for (let at = target; at !== this.#root && at >= 0; at = this.#model.table.parents[at] as number)
        target = at;
    if (target !== this.#root && this.#model.isDirectory(target)) this.zoom(target);
    else this.#select(cell.node);
  }

  #hover(cells: readonly Cell[], event: PointerEvent): void {
    const cell = this.#cellAt(cells, event);
    if (cell === null) return this.#hideTip();
    const { table, info } = this.#model;
    const path = cell.node === 0 ? '' : this.#model.path(cell.node);
    const isMore = cell.row === null && cell.color !== null && table.names[cell.node] !== cell.name;
    const lines = [
      el('strong', {}, isMore ? `${path}/… (${cell.name})` : path),
      el('span', {}, formatSize(cell.bytes)),
    ];
    if (cell.row !== null) {
      const layer = table.layers[cell.row] as number;
      const { name, why } = this.#model.fate(cell.row);
      lines.push(el('span', {}, why === '' ? name : `${name}: ${why}`));
      lines.push(el('span', {}, `layer ${layer} ${info.layers[layer - 1] ?? ''}`));
    }
    replace(this.#tip, lines);
    this.#tip.hidden = false;
    const { innerWidth, innerHeight } = window;
    const { offsetWidth, offsetHeight } = this.#tip;
    this.#tip.style.left = `${Math.max(8, Math.min(event.clientX + 14, innerWidth - offsetWidth - 8))}px`;
    const below = event.clientY + 18;
    this.#tip.style.top = `${below + offsetHeight > innerHeight ? event.clientY - offsetHeight - 12 : below}px`;
  }

  #hideTip(): void {
    this.#tip.hidden = true;
  }
}

/** Draws a cell with its label, or the frame of a directory with its name. */
function drawCell(cell: Cell, prefix: string): SVGElement {
  const { x, y, width, height, color, name, bytes } = cell;
  const at = { x, y, width, height };
  if (color === null) {
    const group = svg('g', {}, svg('rect', { ...at, class: 'dir' }));
    if (cell.hasHead) {
      const head = `${name}/`;
      const size = ` ${formatSize(bytes)}`;
      const room = (width - 8) / characterWidth;
      const text = head.length + size.length <= room ? head + size : cut(head, room);
      group.append(svg('text', { class: 'head', x: x + 4, y: y + headHeight - 4.5 }, text));
    }
    return group;
  }
  const group = svg('g', { class: color, 'data-side': prefix }, svg('rect', { ...at, class: 'cell' }));
  group.append(svg('rect', { ...at, class: 'hatch' }));
  const room = (width - 6) / characterWidth;
  if (height < 14 || room < 3) return group;
  if (name.length <= room || room >= 6)
    group.append(svg('text', { class: 'label', x: x + 4, y: y + 12 }, cut(name, room)));
  if (height >= 28 && room >= 7)
    group.append(svg('text', { class: 'label size', x: x + 4, y: y + 25 }, formatSize(bytes)));
  return group;
}

/** Shortens a text to some characters. */
function cut(text: string, room: number): string {
  if (text.length <= room) return text;
  const start = text.slice(0, Math.max(1, Math.floor(room) - 1));
  // Half of a surrogate pair would show as a strange character.
  return `${start.replace(/[\ud800-\udbff]$/, '')}…`;
}

/** Draws a line around what belongs to a node. */
function outline(cells: readonly Cell[], node: number, model: Model): SVGElement {
  const own = cells.filter((cell) => cell.node >= node && cell.node < (model.end[node] as number));
  const box = own.reduce(
    (all, { x, y, width, height }) => ({
      x0: Math.min(all.x0, x),
      y0: Math.min(all.y0, y),
      x1: Math.max(all.x1, x + width),
      y1: Math.max(all.y1, y + height),
    }),
    { x0: Infinity, y0: Infinity, x1: 0, y1: 0 },
  );
  const { x0, y0, x1, y1 } = box;
  // Where a side has nothing of the node, nothing is drawn.
  if (x1 <= x0) return svg('g');
  return svg('rect', { class: 'selected', x: x0 + 1, y: y0 + 1, width: x1 - x0 - 2, height: y1 - y0 - 2 });
}
