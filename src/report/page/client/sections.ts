/** Makes the chapters of an image beside its files: numbers, what to do, layers and gates. `main.ts` puts them in their order. */
import { formatCount, formatSize } from '../../figures.ts';
import type { Action, Figure, Gate, PageLayer } from '../page.ts';
import { button, chapter, el, svg } from './dom.ts';
import { changeText, formatValue } from './values.ts';

/** Makes the numbers of the headline. */
export function figuresOf(figures: readonly Figure[]): HTMLElement {
  return el('dl', { class: 'figures' }, figures.map(figureOf));
}

function figureOf({ label, unit, before, after, estimated }: Figure): HTMLElement {
  const about = estimated ? '~' : '';
  // A change that the digits do not show is left out.
  if (after === null || formatValue(after, unit) === formatValue(before, unit))
    return el('div', {}, el('dt', {}, label), el('dd', {}, el('strong', {}, formatValue(before, unit))));
  const change = changeText(before, after);
  return el(
    'div',
    {},
    el('dt', {}, label),
    el(
      'dd',
      {},
      el('strong', {}, about + formatValue(after, unit)),
      el('span', { class: 'from' }, `from ${formatValue(before, unit)}`),
      change !== '' && el('span', { class: after < before ? 'change good' : 'change more' }, change),
    ),
  );
}

/** Makes the chapter of what to do. */
export function actionsOf(actions: readonly Action[]): HTMLElement | null {
  if (actions.length === 0) return null;
  const [first, rest] = [actions.slice(0, shownActions), actions.slice(shownActions)];
  const bytes = rest.reduce((sum, action) => sum + (action.bytes ?? 0), 0);
  const more = `${formatCount(rest.length)} more, ${formatSize(bytes)} in all`;
  const start = shownActions + 1;
  return chapter(
    'todo',
    'What to do',
    el('ol', { class: 'actions' }, first.map(actionOf)),
    rest.length > 0 &&
      el('details', {}, el('summary', {}, more), el('ol', { class: 'actions', start }, rest.map(actionOf))),
  );
}

/** Actions that are seen at once. */
const shownActions = 5;

function actionOf({ bytes, what, places, instruction, dockerfile, command }: Action): HTMLElement {
  return el(
    'li',
    {},
    bytes !== null && el('strong', { class: 'bytes' }, formatSize(bytes)),
    el(
      'div',
      {},
      el('p', {}, what),
      places.length > 0 && el('p', { class: 'places' }, places.join(', ')),
      instruction !== null && labelled('Made by', el('code', {}, instruction)),
      dockerfile !== null && labelled('In the Dockerfile', el('code', {}, dockerfile)),
      command !== null && copyable(command),
    ),
  );
}

function labelled(label: string, content: HTMLElement): HTMLElement {
  return el('p', { class: 'labelled' }, el('span', {}, label), content);
}

/** Makes a command with a button that copies it. */
function copyable(command: string): HTMLElement {
  const said = el('span', { class: 'said', role: 'status' });
  const code = el('code', {}, command);
  const copy = async () => {
    const isCopied = await copyText(command);
    said.textContent = isCopied ? 'Copied' : 'Press Ctrl-C';
    if (!isCopied) getSelection()?.selectAllChildren(code);
  };
  const label = `Copy the command ${command}`;
  return el(
    'div',
    { class: 'command' },
    code,
    button('Copy', () => void copy(), { 'aria-label': label }),
    said,
  );
}

async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

/** Makes the chapter of the layers, a bar for each. */
export function layersOf(layers: readonly PageLayer[]): HTMLElement | null {
  if (layers.length === 0) return null;
  const most = layers.reduce((max, { before, after }) => Math.max(max, before ?? 0, after ?? 0), 1);
  return chapter(
    'layers',
    'Layers',
    el(
      'ol',
      { class: 'layers' },
      layers.map((layer) => layerOf(layer, most)),
    ),
  );
}

function layerOf({ label, sources, instruction, before, after, what }: PageLayer, most: number): HTMLElement {
  const share = (bytes: number) => Math.max((bytes / most) * 100, bytes > 0 ? 0.4 : 0);
  const bar = (className: string, bytes: number, y: number) =>
    svg('rect', { class: className, x: 0, y, width: `${share(bytes)}%`, height: 8, rx: 2 });
  const sizes = new Set([before, after].flatMap((bytes) => (bytes === null ? [] : formatSize(bytes))));
  const change = before !== null && after !== null && sizes.size > 1 ? changeText(before, after) : '';
  const drawing = svg('svg', {
    class: 'bars',
    width: '100%',
    height: before !== null && after !== null ? 19 : 8,
    'aria-hidden': 'true',
  });
  if (before !== null) drawing.append(bar('before', before, 0));
  if (after !== null) drawing.append(bar('after', after, before === null ? 0 : 11));
  return el(
    'li',
    {},
    el('span', { class: 'number' }, label),
    el(
      'code',
      { title: instruction },
      instruction !== '' ? instruction : sources.length === 0 ? 'new layer' : 'without history',
    ),
    drawing,
    el('span', { class: 'sizes' }, [...sizes].join(' \u2192 ')),
    el('span', { class: 'what' }, [change, what].filter((text) => text !== '').join(', ')),
  );
}

/** Makes the chapter of the gates: those that are not met first, those that hold to unfold. */
export function gatesOf(gates: readonly Gate[]): HTMLElement | null {
  if (gates.length === 0) return null;
  const [broken, met] = [true, false].map((is) => gates.filter(({ result }) => (result !== 'passed') === is));
  const failed = new Set(broken?.flatMap(({ name, result }) => (result === 'failed' ? name : [])));
  const names = new Set(gates.map(({ name }) => name));
  const title =
    failed.size === 0 ? 'Gates: all that must hold are met' : `Gates: ${failed.size} of ${names.size} failed`;
  const list = (some: readonly Gate[]) => el('ul', { class: 'gates' }, some.map(gateOf));
  const rest = met ?? [];
  return chapter(
    'gates',
    title,
    list(broken ?? []),
    rest.length > 0 && el('details', {}, el('summary', {}, `${formatCount(rest.length)} met`), list(rest)),
  );
}

function gateOf({ name, result, text, fix, command }: Gate): HTMLElement {
  const words = { passed: '\u2713 met', failed: '\u2717 failed', warning: '! warning' } as const;
  return el(
    'li',
    { class: result },
    el('span', { class: 'result' }, words[result]),
    el(
      'div',
      {},
      el('strong', {}, name),
      text !== '' && el('p', {}, text),
      fix !== null && el('p', { class: 'fix' }, fix),
      command !== null && copyable(command),
    ),
  );
}
