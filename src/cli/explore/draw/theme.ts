/** The colours and signs of the screen. `NO_COLOR` takes the colours and leaves bold, dim and inverse; a locale without UTF-8 gets ASCII. */
import { styleText } from 'node:util';
import { chooseStyle, colorStyle } from '../../../report/style.ts';

type Format = Parameters<typeof styleText>[0];

const roles = {
  title: { colour: ['bold', 'inverse'], plain: ['bold', 'inverse'] },
  focus: { colour: ['bold', 'cyan'], plain: ['bold', 'underline'] },
  pane: { colour: ['dim'], plain: ['dim'] },
  cursor: { colour: ['inverse'], plain: ['inverse'] },
  dim: { colour: ['dim'], plain: ['dim'] },
  strong: { colour: ['bold'], plain: ['bold'] },
  directory: { colour: ['bold', 'blue'], plain: ['bold'] },
  link: { colour: ['cyan'], plain: [] },
  bar: { colour: ['cyan'], plain: [] },
  kept: { colour: ['green'], plain: [] },
  duplicate: { colour: ['yellow'], plain: [] },
  shadowed: { colour: ['red'], plain: [] },
  added: { colour: ['green'], plain: [] },
  changed: { colour: ['yellow'], plain: [] },
  removed: { colour: ['red'], plain: ['dim'] },
  mark: { colour: ['bold', 'red'], plain: ['bold'] },
  message: { colour: ['bold', 'yellow'], plain: ['bold'] },
  error: { colour: ['bold', 'red'], plain: ['bold'] },
} as const satisfies Readonly<Record<string, { readonly colour: Format; readonly plain: Format }>>;

/** What a piece of text is, which decides how it looks. */
export type Role = keyof typeof roles;

/** The signs that are drawn. */
export interface Glyphs {
  readonly pointer: string;
  readonly opened: string;
  readonly closed: string;
  readonly full: string;
  readonly duplicate: string;
  readonly shadowed: string;
  /** A cell filled by one to seven eighths. */
  readonly parts: readonly string[];
  readonly upright: string;
  readonly level: string;
  readonly arrow: string;
  readonly about: string;
}

const unicode: Glyphs = {
  pointer: '›',
  opened: '▾',
  closed: '▸',
  full: '█',
  duplicate: '▓',
  shadowed: '░',
  parts: ['▏', '▎', '▍', '▌', '▋', '▊', '▉'],
  upright: '│',
  level: '─',
  arrow: '→',
  about: '≈',
};

const ascii: Glyphs = {
  pointer: '>',
  opened: '-',
  closed: '+',
  full: '#',
  duplicate: '=',
  shadowed: '.',
  parts: [' ', ' ', ' ', '#', '#', '#', '#'],
  upright: '|',
  level: '-',
  arrow: '->',
  about: '~',
};

export interface Theme {
  readonly glyphs: Glyphs;
  paint(role: Role, text: string): string;
}

/** Returns a theme. `styles`: whether escape sequences are drawn at all; screens in tests have none. */
export function themeOf({
  hasColour,
  hasUnicode = true,
  hasStyles = true,
}: {
  readonly hasColour: boolean;
  readonly hasUnicode?: boolean;
  readonly hasStyles?: boolean;
}): Theme {
  return {
    glyphs: hasUnicode ? unicode : ascii,
    paint(role, text) {
      const format: Format = hasColour ? roles[role].colour : roles[role].plain;
      return text === '' || !hasStyles || format.length === 0
        ? text
        : styleText(format, text, { validateStream: false });
    },
  };
}

/** Chooses a theme for a terminal (POSIX.1-2017, 8.2: LC_ALL, LC_CTYPE, LANG name the encoding). */
export function chooseTheme(env: Readonly<Record<string, string | undefined>>): Theme {
  const locale = [env['LC_ALL'], env['LC_CTYPE'], env['LANG']].find(
    (value) => value !== undefined && value !== '',
  );
  const hasUnicode = locale === undefined || /utf-?8/i.test(locale);
  return themeOf({ hasColour: chooseStyle(env, true) === colorStyle, hasUnicode });
}
