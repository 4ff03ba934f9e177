/** Makes a sentence of one without an end: with a capital and a full stop. */
export function sentence(text: string): string {
  return `${capitalized(text)}.`;
}

/** Begins a text with a capital. */
export function capitalized(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}
