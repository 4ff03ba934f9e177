/** Screens of `explore` as they are drawn, for an image whose names are wide, combining, hostile and long. */
import { beforeAll, describe, expect, test } from 'vitest';
import type { Contents } from '../../../src/cli/explore/contents.ts';
import { frameOf } from '../../../src/cli/explore/draw/frame.ts';
import { columnsOf } from '../../../src/cli/explore/draw/text.ts';
import { chooseTheme, themeOf } from '../../../src/cli/explore/draw/theme.ts';
import type { State } from '../../../src/cli/explore/state.ts';
import { contentsOf, exampleContents, press, screenOf, startOf } from '../../support/explore.ts';
import { nastyName } from '../../support/hostile-text.ts';
import { utf8 } from '../../support/model/byte-string.ts';
import { tar } from '../../support/model/shorthand.ts';

const plain = themeOf({ hasColour: false, hasStyles: false });

const screen = (state: State): string => `\n${screenOf(state)}\n`;

let contents: Contents;

beforeAll(async () => void (contents = await exampleContents()));

describe('the screen', () => {
  test('of 80 columns shows layers, tree, details, marks and keys', () => {
    const state = press(startOf(contents), 'right', 'down', 'd', 'down');
    expect(screen(state)).toMatchInlineSnapshot(`
      "
       ocislim explore  oci:app:1            linux/amd64 · 3 layers · 12.0 kB to pull
       Layers                       │ Whole image: 8.0 kB · by size
      ›    12.9 kB whole image      │ d   4.0 kB ██████  ▾ app/
        1   4.9 kB ░░░░   ADD file:…│ D   4.0 kB ██████      日本語のファイル名
        2   8.0 kB ██████ COPY . /a…│        3 B             copy
        3      5 B ▏      RUN make  │›       3 B             été
                                    │        2 B             su
                                    │     4.0 kB ██████  ▸ usr/
                                    │
                                    │
                                    │
                                    │
                                    │
                                    │
                                    │
                                    │
      ────────────────────────────────────────────────────────────────────────────────
       /app/été
       -rw-r--r--  0:0  1970-01-01 00:00:00  3 B
       layer 2: COPY . /app
       visible in the image

       marked: 1 path → saves 4.0 kB unpacked, ≈2.0 kB to pull, 1 file
       ?:keys  d:mark  p:presets  w:write  /:filter  a:aggregate  v:view  x:extract
      "
    `);
  });

  test('of 60 columns and 15 rows shows the same, shorter', () => {
    const state = press(startOf(contents, { size: { columns: 60, rows: 15 } }), 'right', 'down');
    expect(screen(state)).toMatchInlineSnapshot(`
      "
       oci:app:1         linux/amd64 · 3 layers · 12.0 kB to pull
       Layers               │ Whole image: 8.0 kB · by size
      ›    12.9 kB whole im…│     4.0 kB ████  ▾ app/
        1   4.9 kB ░░   ADD…│›    4.0 kB ████      日本語のファイ…
        2   8.0 kB ████ COP…│        3 B           copy
        3      5 B ▏    RUN…│        3 B           été
                            │        2 B           su
                            │     4.0 kB ████  ▸ usr/
                            │
      ────────────────────────────────────────────────────────────
       /app/日本語のファイル名
       -rw-r--r--  0:0  1970-01-01 00:00:00  4.0 kB
       layer 2: COPY . /app
       nothing is marked
       ?:keys  d:mark  p:presets  w:write  /:filter  a:aggregate
      "
    `);
  });

  test('of a layer alone shows what it did, and of a path that is gone which layer took it', () => {
    const second = press(startOf(contents), 'tab', 'down', 'down', 'enter', 'end', 'up', 'right');
    expect(screen(second)).toMatchInlineSnapshot(`
      "
       ocislim explore  oci:app:1            linux/amd64 · 3 layers · 12.0 kB to pull
       Layers                       │ Layer 2 alone: 8.0 kB · by size
           12.9 kB whole image      │     4.0 kB ██████ +▸ app/
        1   4.9 kB ░░░░   ADD file:…│›    4.0 kB ██████  ▾ usr/
      › 2   8.0 kB ██████ COPY . /a…│     4.0 kB ██████    ▸ lib/
        3      5 B ▏      RUN make  │      900 B █▍     -▸ etc/
                                    │
                                    │
                                    │
                                    │
                                    │
                                    │
                                    │
                                    │
                                    │
                                    │
      ────────────────────────────────────────────────────────────────────────────────
       /usr
       drwxr-xr-x  0:0  1970-01-01 00:00:00  4.0 kB in 1 file
       layer 1: ADD file:012345 in /
       visible in the image

       nothing is marked
       ?:keys  d:mark  p:presets  w:write  /:filter  a:aggregate  v:view  x:extract
      "
    `);
    const removed = press(startOf(contents), 'R', 'n', 'down');
    expect(screen(removed)).toContain('deleted by layer 2: COPY . /app');
  });

  test('of the layers tells what a layer holds, and its whole instruction', () => {
    const layers = press(startOf(contents), 'tab', 'down');
    expect(screen(layers)).toMatchInlineSnapshot(`
      "
       ocislim explore  oci:app:1            linux/amd64 · 3 layers · 12.0 kB to pull
       Layers                       │ Layer 1 alone: 4.9 kB · by size
           12.9 kB whole image      │›    4.0 kB ██████ +▸ usr/
      › 1   4.9 kB ░░░░   ADD file:…│      900 B █▍     +▸ etc/
        2   8.0 kB ██████ COPY . /a…│
        3      5 B ▏      RUN make  │
                                    │
                                    │
                                    │
                                    │
                                    │
                                    │
                                    │
                                    │
                                    │
                                    │
      ────────────────────────────────────────────────────────────────────────────────
       layer 1  sha256:78e897b97374556d444861b15e1d81694b77aa9ca6a2621f39e7deb6d158b1…
       4.6 kB to pull, 4.9 kB of files, 4.9 kB hidden above, 0 B copies
       ADD file:012345 in /
       6 entries, 0 whiteouts, 2024-01-01T00:00:00Z

       nothing is marked
       ?:keys  d:mark  p:presets  w:write  /:filter  a:aggregate  v:view  x:extract
      "
    `);
  });

  test('without UTF-8 is drawn in ASCII', () => {
    const theme = themeOf({ hasColour: false, hasStyles: false, hasUnicode: false });
    const own = frameOf(press(startOf(contents), 'end'), theme).join('');
    // oxlint-disable-next-line no-control-regex
    expect(own.replace(/日本語のファイル名|e\u0301te\u0301|…|·/g, '')).toMatch(/^[\x20-\x7e]*$/);
  });

  test.each([
    [{}, true],
    [{ NO_COLOR: '1' }, false],
    [{ NO_COLOR: '1', FORCE_COLOR: '1' }, true],
  ])('with the environment %j has colours: %s', (env, hasColour) => {
    const text = frameOf(startOf(contents), chooseTheme({ TERM: 'xterm', LANG: 'C.UTF-8', ...env })).join('');
    // oxlint-disable-next-line no-control-regex
    expect(/\u001b\[3\dm/.test(text)).toBe(hasColour);
    expect(text).toContain('\u001b[7m');
  });
});

test('no name and no instruction of an image reaches the terminal unescaped', async () => {
  const names = [nastyName, ...nastyName.split('\n')];
  const tars = [tar(...names.map((name, i) => ({ name: utf8(`a${i}/${name}`), body: Buffer.from('1') })))];
  const hostile = await contentsOf(tars, [nastyName]);
  for (const size of [
    { columns: 80, rows: 40 },
    { columns: 200, rows: 40 },
  ]) {
    let state = press(startOf(hostile, { size }), '-');
    for (let i = 0; i < 2 * names.length; i++) {
      state = press(state, 'd');
      // oxlint-disable-next-line no-control-regex
      expect(frameOf(state, plain).join('')).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
      expect(frameOf(state, plain).map(columnsOf)).toEqual(frameOf(state, plain).map(() => size.columns));
    }
    expect(frameOf(press(state, 'tab', 'down'), plain).join('')).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
  }
});
