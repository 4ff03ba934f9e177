/** Makes elements. All texts become text nodes: a name with markup stays a name. */

/** What an element may be given: lists are put in one by one, `null` and `false` are left out. */
export type Child = Node | string | null | false | readonly Child[];

type Attributes = Readonly<Record<string, string | number | boolean | null | undefined>>;

function addAll(element: Element, children: readonly Child[]): void {
  for (const child of children) {
    if (child === null || child === false) continue;
    if (typeof child === 'string' || child instanceof Node) element.append(child);
    else addAll(element, child);
  }
}

/** Puts children in the place of those that an element has. */
export function replace(element: Element, children: readonly Child[]): void {
  element.replaceChildren();
  addAll(element, children);
}

function fill<E extends Element>(element: E, attributes: Attributes, children: readonly Child[]): E {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    element.setAttribute(name, value === true ? '' : String(value));
  }
  addAll(element, children);
  return element;
}

/** Makes an HTML element. */
export function el<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  return fill(document.createElement(tag), attributes, children);
}

/** Makes an SVG element. */
export function svg<K extends keyof SVGElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: readonly Child[]
): SVGElementTagNameMap[K] {
  return fill(document.createElementNS('http://www.w3.org/2000/svg', tag), attributes, children);
}

/** Makes a button. */
export function button(label: Child, onClick: () => void, attributes: Attributes = {}): HTMLButtonElement {
  const made = el('button', { type: 'button', ...attributes }, label);
  made.addEventListener('click', onClick);
  return made;
}

/** Makes a choice of few: buttons side by side, of which one is pressed. */
export function segments<Value extends string>(
  label: string,
  choices: readonly (readonly [value: Value, text: string])[],
  chosen: Value,
  onChoose: (value: Value) => void,
): HTMLElement {
  const group = el('div', { class: 'segments', role: 'group', 'aria-label': label });
  for (const [value, text] of choices) {
    const made = button(
      text,
      () => {
        for (const other of group.children) other.setAttribute('aria-pressed', String(other === made));
        onChoose(value);
      },
      { 'aria-pressed': String(value === chosen) },
    );
    group.append(made);
  }
  return group;
}

/** Makes a chapter with its heading. */
export function chapter(id: string, title: string, ...children: readonly Child[]): HTMLElement {
  return el(
    'section',
    { id, 'aria-labelledby': `${id}-title` },
    el('h2', { id: `${id}-title` }, title),
    children,
  );
}
