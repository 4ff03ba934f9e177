/**
 * Draws the report: reads the data that stand in the page, and makes elements of them. `scripts/page.ts` bundles it, and `html.ts` puts
 * it into every report. It sends no request.
 */
import type { Page, PageImage } from '../page.ts';
import { decode85 } from '../packed/base85.ts';
import { unpack } from '../packed/unpack.ts';
import { tableChapter } from './data-table.ts';
import { button, chapter, el, replace } from './dom.ts';
import { fileChapters } from './files.ts';
import { Model } from './model.ts';
import { actionsOf, figuresOf, gatesOf, layersOf } from './sections.ts';
import { themeChoice } from './theme.ts';
import { triedChapter } from './tried.ts';

/** What is drawn of one image. */
interface Drawn {
  readonly element: HTMLElement;
  draw(forPrint: boolean): void;
}

const page = JSON.parse(document.getElementById('page-data')?.textContent ?? '') as Page;
const main = el('main', { id: 'main' });
const drawn = new Map<number, Promise<Drawn>>();
let current: Drawn | null = null;

/** Shows an image, which is made when it is first asked for. */
async function show(i: number): Promise<void> {
  if (!drawn.has(i)) drawn.set(i, drawImage(page.images[i] as PageImage, i));
  const made = (await drawn.get(i)) as Drawn;
  current = made;
  replace(main, [made.element, warnings()]);
  made.draw(false);
}

/** Shows the first image. */
async function begin(): Promise<void> {
  if (page.images.length > 0) await show(0);
  // Tests wait for this.
  document.documentElement.dataset['drawn'] = 'true';
}

async function drawImage(image: PageImage, i: number): Promise<Drawn> {
  const packed = image.files === null ? null : await unpackFiles(i);
  const files = packed === null || image.files === null ? null : fileChapters(new Model(image.files, packed));
  const tried = triedChapter(image.tried);
  const tables = image.tables.map((table, at) => tableChapter(`table${at}`, table));
  const chapters = [
    figuresOf(image.figures),
    gatesOf(image.gates),
    actionsOf(image.actions),
    ...(files?.elements.slice(0, 1) ?? []),
    layersOf(image.layers),
    ...(files?.elements.slice(1) ?? []),
    tried?.element ?? null,
    ...tables.map(({ element }) => element),
  ];
  const element = el('div', { class: 'image' }, chapters);
  return {
    element,
    draw: (forPrint) => {
      files?.draw(forPrint);
      tried?.draw(forPrint);
      for (const table of tables) table.draw(forPrint);
    },
  };
}

/** Unpacks the files of an image out of their element. */
async function unpackFiles(i: number) {
  const text = document.getElementById(`files-${i}`)?.textContent ?? '';
  const stream = new Blob([decode85(text.trim())]).stream().pipeThrough(new DecompressionStream('gzip'));
  return unpack(new Uint8Array(await new Response(stream).arrayBuffer()));
}

function warnings(): HTMLElement | null {
  if (page.warnings.length === 0) return null;
  const items = page.warnings.map((text) => el('li', {}, text));
  return chapter('warnings', 'Warnings', el('ul', {}, items));
}

function header(): HTMLElement {
  const names = page.names.map(({ role, reference, digest }) =>
    el(
      'div',
      {},
      el('dt', {}, role),
      el('dd', {}, el('span', { class: 'reference' }, reference), digest !== null && el('code', {}, digest)),
    ),
  );
  return el(
    'header',
    {},
    el('div', { class: 'bar' }, el('p', { class: 'command' }, page.command), themeChoice()),
    el('h1', {}, page.title),
    page.remark !== null && el('p', { class: 'remark' }, page.remark),
    el('dl', { class: 'names' }, names),
    page.images.length > 1 && images(),
  );
}

/** Makes the buttons that choose an image of several. */
function images(): HTMLElement {
  const nav = el('nav', { class: 'segments', 'aria-label': 'Images' });
  for (const [i, { name }] of page.images.entries()) {
    const choose = button(
      name,
      () => {
        for (const other of nav.children) other.removeAttribute('aria-current');
        choose.setAttribute('aria-current', 'true');
        void show(i);
      },
      { 'aria-current': i === 0 && 'true' },
    );
    nav.append(choose);
  }
  return nav;
}

document.body.append(header(), main, el('footer', {}, el('p', {}, page.maker)));
addEventListener('beforeprint', () => current?.draw(true));
addEventListener('afterprint', () => current?.draw(false));
replace(main, [warnings()]);
void begin();
