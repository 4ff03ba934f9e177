import { styleText } from 'node:util';

/** Wraps text in the escape sequences of a terminal, or leaves it alone. */
export type Paint = (text: string) => string;

/** The few styles that the output uses. */
export interface Style {
  readonly bold: Paint;
  readonly dim: Paint;
  readonly good: Paint;
  readonly warning: Paint;
}

/** Whether there is colour is decided by `chooseStyle`, so Node does not look at the stream or the environment. */
const painted =
  (format: 'bold' | 'dim' | 'green' | 'yellow'): Paint =>
  (text) =>
    text === '' ? '' : styleText(format, text, { validateStream: false });
const plain: Paint = (text) => text;

export const plainStyle: Style = { bold: plain, dim: plain, good: plain, warning: plain };
export const colorStyle: Style = {
  bold: painted('bold'),
  dim: painted('dim'),
  good: painted('green'),
  warning: painted('yellow'),
};

/**
 * Chooses colour or not. FORCE_COLOR wins (`0` and `false` switch colour off), then NO_COLOR (any value but the empty one), then
 * TERM=dumb; otherwise a terminal has colour.
 */
export function chooseStyle(
  environment: Readonly<Record<string, string | undefined>>,
  terminal: boolean,
): Style {
  const { FORCE_COLOR: force, NO_COLOR: no, TERM: term } = environment;
  if (force === '0' || force === 'false') return plainStyle;
  if (force !== undefined) return colorStyle;
  if (no !== undefined && no !== '') return plainStyle;
  return terminal && term !== 'dumb' ? colorStyle : plainStyle;
}
