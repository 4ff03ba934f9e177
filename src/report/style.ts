/** Wraps text in the escape sequences of a terminal, or leaves it alone. */
export type Paint = (text: string) => string;

/** The few styles that the output uses. */
export interface Style {
  readonly bold: Paint;
  readonly dim: Paint;
  readonly good: Paint;
  readonly bad: Paint;
  readonly warning: Paint;
}

const sgr =
  (open: number, close: number): Paint =>
  (text) =>
    text === '' ? '' : `\u001b[${open}m${text}\u001b[${close}m`;
const none: Paint = (text) => text;

export const plainStyle: Style = { bold: none, dim: none, good: none, bad: none, warning: none };
export const colorStyle: Style = {
  bold: sgr(1, 22),
  dim: sgr(2, 22),
  good: sgr(32, 39),
  bad: sgr(31, 39),
  warning: sgr(33, 39),
};

/**
 * FORCE_COLOR wins (but `0` and `false` switch colour off), then NO_COLOR (any value but the empty one), then TERM=dumb; else
 * a terminal has colour.
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
