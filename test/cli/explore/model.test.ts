/** Holds the invariants of the model of `explore`, whatever keys are pressed over whatever layers, and what single keys do. */
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Contents } from '../../../src/cli/explore/contents.ts';
import { themeOf } from '../../../src/cli/explore/draw/theme.ts';
import { columnsOf } from '../../../src/cli/explore/draw/text.ts';
import { frameOf } from '../../../src/cli/explore/draw/frame.ts';
import { dialogRows } from '../../../src/cli/explore/dialogs.ts';
import { keymapNames, keymaps } from '../../../src/cli/explore/keymap.ts';
import { layoutOf } from '../../../src/cli/explore/layout.ts';
import { ruleOfPath } from '../../../src/rules/glob-of-path.ts';
import { savingOf } from '../../../src/cli/explore/marks.ts';
import { pathAtCursor, type State } from '../../../src/cli/explore/state.ts';
import type { Event } from '../../../src/cli/explore/update.ts';
import { lawRuns } from '../../laws/rig.ts';
import { layerStack } from '../../support/arbitrary/layers.ts';
import { after, contentsOf, press, startOf } from '../../support/explore.ts';
import { utf8 } from '../../support/model/byte-string.ts';
import { tar } from '../../support/model/shorthand.ts';

const theme = themeOf({ hasColour: false, hasStyles: false });

const keys = [
  ...new Set(keymapNames.flatMap((name) => keymaps[name].flatMap(({ keys: own }) => own))),
  ...Array.from('ynx1*>é東'),
  'backspace',
  'delete',
];

const event: fc.Arbitrary<Event> = fc.oneof(
  { weight: 12, arbitrary: fc.record({ kind: fc.constant('key' as const), key: fc.constantFrom(...keys) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('resize' as const),
      size: fc.record({ columns: fc.integer({ min: 1, max: 200 }), rows: fc.integer({ min: 1, max: 60 }) }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('press' as const),
      column: fc.nat({ max: 120 }),
      row: fc.nat({ max: 40 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('wheel' as const),
      by: fc.constantFrom(-3, 3),
      column: fc.nat({ max: 120 }),
    }),
  },
);

/** Lists what is wrong with a state. */
function problems(state: State): string[] {
  const { rows, cursor, top, size, contents, marks, saving, tree, open, presetEntries } = state;
  const { bodyRows } = layoutOf(size);
  const found: string[] = [];
  const hold = (isTrue: boolean, what: string): void => void (isTrue || found.push(what));
  hold(cursor >= 0 && cursor < Math.max(1, rows.length), 'the cursor is in the list');
  hold(top <= cursor && cursor < top + bodyRows, 'the cursor is on the screen');
  hold(
    state.scope.layer >= 0 && state.scope.layer <= contents.layers.length,
    'a layer of the image is selected',
  );
  const seen = new Set(rows);
  hold(seen.size === rows.length, 'each row is another path');
  for (const path of rows) {
    const above = contents.table.parent[path] as number;
    hold(tree.shown[path] === 1, 'rows are paths that are shown');
    hold(above === 0 || (seen.has(above) && open[above] === 1), 'rows lie in directories that are open');
  }
  for (const [path] of marks.paths)
    hold(ruleOfPath(contents.table.paths[path] as never) !== null, 'what is marked can be written');
  const counted = savingOf(contents, marks, presetEntries);
  hold(counted.bytes === saving.bytes && counted.files === saving.files, 'the saving is that of the marks');
  const total = [...contents.changes.data].reduce(
    (sum, id) => sum + (contents.changes.size[id] as number),
    0,
  );
  hold(saving.bytes >= 0 && saving.bytes <= total, 'no more is saved than there is');
  const lines = frameOf(state, theme);
  hold(lines.length === size.rows, 'the screen has as many lines as rows');
  hold(
    lines.every((line) => columnsOf(line) === size.columns),
    'each line fills its row',
  );
  return found;
}

test('law: whatever is pressed, the cursor stays on a row, the screen is full, and the saving is that of the marks', async () => {
  await fc.assert(
    fc.asyncProperty(
      layerStack({ minLayers: 1, maxLayers: 4 }),
      fc.constantFrom(...keymapNames),
      fc.array(event, { maxLength: 60 }),
      async (stack, keymap, events) => {
        let state = startOf(await contentsOf(stack.layers.map((layer) => layer.tar)), { keymap });
        for (const each of events) {
          state = after(state, each);
          expect(problems(state), JSON.stringify(each)).toEqual([]);
        }
      },
    ),
    { numRuns: lawRuns({ share: 0.6 }) },
  );
});

describe('keys', () => {
  let contents: Contents;
  beforeAll(async () => {
    contents = await contentsOf([
      tar('etc/', 'etc/conf=12345', 'usr/', 'usr/bin/', 'usr/bin/sh=123456789', 'usr/doc=1', 'old=123'),
      tar('etc/conf=1234567', '.wh.old', 'new=1'),
    ]);
  });
  const namesOf = ({ rows }: State) => Array.from(rows, (path) => contents.table.paths[path] as string);
  const nameAt = (state: State) => contents.table.paths[pathAtCursor(state) ?? 0] as string;

  test('open and close directories, and go from the tree to the layers and back', () => {
    const opened = press(startOf(contents), 'right');
    expect(namesOf(opened)).toEqual(['usr', 'usr/bin', 'usr/doc', 'etc', 'new']);
    const inside = press(opened, 'right', 'right', 'right');
    expect([nameAt(inside), nameAt(press(inside, 'left'))]).toEqual(['usr/bin/sh', 'usr/bin']);
    const layers = press(inside, 'left', 'left', 'left', 'left', 'left');
    expect([layers.focus, namesOf(layers)]).toEqual(['layers', ['usr', 'etc', 'new']]);
    expect(press(layers, 'enter').focus).toBe('tree');
  });

  test('sort by size and by name', () => {
    const state = startOf(contents);
    expect([namesOf(state), namesOf(press(state, 'n')), namesOf(press(state, 'n', 's'))]).toEqual([
      ['usr', 'etc', 'new'],
      ['etc', 'new', 'usr'],
      ['usr', 'etc', 'new'],
    ]);
  });

  test('show one layer alone, or all up to it, and hide what it did', () => {
    const second = press(startOf(contents), 'tab', 'down', 'down', 'n');
    expect(namesOf(second)).toEqual(['etc', 'new', 'old']);
    expect(namesOf(press(second, 'a'))).toEqual(['etc', 'new', 'old', 'usr']);
    expect(namesOf(press(second, 'R'))).toEqual(['etc', 'new']);
    expect(namesOf(press(second, 'A', 'R'))).toEqual(['etc']);
    expect(namesOf(press(second, 'C', 'R', 'A'))).toEqual([]);
  });

  test.each([
    ['a part of a name', 'CONF', []],
    ['a part of a name in any case', 'conf', ['etc']],
    ['a rule', 's*', ['usr']],
    ['a directory', 'usr/bin', ['usr']],
    ['a size', '>5', ['usr', 'etc']],
    ['two words', '>5 <8', ['etc']],
    ['what was removed', 'is:removed', ['old']],
    ['what is hidden', 'is:shadowed', ['etc', 'old']],
    ['the opposite', '!usr !*nf', ['new', 'etc']],
  ])('filter by %s: /%s', (_, text, expected) => {
    const state = press(
      startOf(contents),
      '/',
      ...Array.from(text, (key) => (key === ' ' ? 'space' : key)),
      'enter',
    );
    expect(namesOf(state)).toEqual(expected);
    expect(namesOf(press(state, 'escape'))).toEqual(['usr', 'etc', 'new']);
  });

  test('add up what the filter shows', () => {
    const state = press(startOf(contents), '/', 's', '*', 'enter');
    expect([state.tree.total[0], state.tree.files[0]]).toEqual([9, 1]);
  });

  test('say what is wrong with a filter, and let it be typed again', () => {
    const wrong = press(startOf(contents), '/', '>', 'x', 'enter');
    expect(wrong.dialog).toMatchObject({
      kind: 'prompt',
      error: expect.stringContaining('not a size') as string,
    });
    expect(press(wrong, 'backspace', '5', 'enter').words?.text).toBe('>5');
  });

  test('ask before marks that are not written are lost', () => {
    const state = press(startOf(contents), 'd', 'q');
    expect([state.effect, state.dialog?.kind]).toEqual([null, 'confirm']);
    expect([press(state, 'n').dialog, press(state, 'y').effect]).toEqual([null, { kind: 'quit' }]);
    expect(press(startOf(contents), 'q').effect).toEqual({ kind: 'quit' });
  });

  test('ask the shell for a file, under a name that is harmless', () => {
    const file = press(startOf(contents), 'end');
    expect(press(file, 'v').effect).toMatchObject({ kind: 'view' });
    expect(press(file, 'x', 'enter').effect).toMatchObject({ kind: 'extract', file: 'new', isForced: false });
    expect(press(startOf(contents), 'v')).toMatchObject({
      effect: null,
      message: 'only regular files have contents',
    });
  });

  test.each([
    ['.bashrc', 'bashrc'],
    ['-rf', 'rf'],
    ['~root', 'root'],
    ['a b\u001b[31m\\c', 'a_b__31m_c'],
    ['...', 'file'],
    ['Zürich-1.2', 'Zürich-1.2'],
  ])('propose a harmless name for the extracted file %j', async (name, proposed) => {
    const own = await contentsOf([tar({ name: utf8(name), body: Buffer.from('1') })]);
    expect(press(startOf(own), 'x').dialog).toMatchObject({ kind: 'prompt', text: proposed });
  });

  test('turn the pages of the viewer, and leave it', () => {
    const pages = [
      { title: 'text', lines: Array.from({ length: 100 }, (_, i) => `line ${i}`) },
      { title: 'hex', lines: ['00'] },
    ];
    const viewed = { name: '/new', size: 1, isCut: false, pages, page: 0 };
    const state = after(startOf(contents), { kind: 'viewed', viewed });
    const end = press(state, 'end');
    expect(end.dialog).toMatchObject({ top: 100 - dialogRows(end.size) });
    expect(frameOf(end, theme).join('\n')).toContain('line 99');
    expect(press(end, 'tab').dialog).toMatchObject({ top: 0, viewed: { page: 1 } });
    expect(press(end, 'q').dialog).toBeNull();
  });

  test('of the mouse select a layer or a row, and open the row that is selected already', () => {
    const state = startOf(contents);
    const layer = after(state, { kind: 'press', column: 3, row: 4 });
    expect([layer.focus, layer.scope.layer]).toEqual(['layers', 2]);
    const row = after(state, { kind: 'press', column: 50, row: 2 });
    expect([row.focus, namesOf(row)]).toEqual(['tree', ['usr', 'usr/bin', 'usr/doc', 'etc', 'new']]);
    expect(nameAt(after(state, { kind: 'press', column: 50, row: 3 }))).toBe('etc');
  });
});
