/**
 * Holds what marks promise: the rules that are written prune exactly what was marked, and save what was shown. The pruning is that of
 * `prune`, over random layers.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Contents } from '../../../src/cli/explore/contents.ts';
import {
  degrees,
  noMarks,
  savingOf,
  toggle,
  type Marks,
  type Saving,
} from '../../../src/cli/explore/marks.ts';
import { rulesText } from '../../../src/cli/explore/rules-file.ts';
import { ruleOfPath } from '../../../src/rules/glob-of-path.ts';
import { parseRules } from '../../../src/rules/rules.ts';
import { prune } from '../../../src/slim/prune.ts';
import { scanTar } from '../../../src/layers/read/scan-tar.ts';
import { lawRuns, type Outcome, run } from '../../laws/rig.ts';
import { layerStack } from '../../support/arbitrary/layers.ts';
import { contentsOf, press, startOf } from '../../support/explore.ts';
import { utf8 } from '../../support/model/byte-string.ts';
import { tar } from '../../support/model/shorthand.ts';

/** Adds up the bytes of regular files in tars. */
async function contentBytes(tars: readonly Uint8Array[]): Promise<number> {
  let total = 0;
  for (const each of tars) {
    const { kinds, sizes } = await scanTar(
      (async function* () {
        yield each;
      })(),
    );
    kinds.forEach((kind, i) => (total += kind === 'file' ? (sizes[i] as number) : 0));
  }
  return total;
}

/**
 * Tells whether an entry is hidden by a later one of its own layer. Whatever prune writes such a layer for, it leaves that entry out,
 * which frees bytes that were not marked.
 */
function hasOverwritten({ changes, spans }: Contents): boolean {
  const shown = new Set(spans.node);
  return changes.entries.some((id) => !shown.has(id + 1));
}

/**
 * Adds up the data that a pruning wrote once more, which marks do not foresee: a hard link that loses the name by which its layer knew
 * the file, while the layer below that holds the data hides it, gets a copy. One copy in the place of a file that went does not count.
 */
function copiedBytes({ resolution }: Outcome, { changes }: Contents, { taken }: Saving): number {
  const copies = new Map<number, number>();
  for (const { change, from } of resolution.promotions)
    if (change.form === 'renamed' && from !== null) copies.set(from.id, (copies.get(from.id) ?? 0) + 1);
  return [...copies].reduce(
    (sum, [id, count]) => sum + (count - (taken[id] as number)) * (changes.size[id] as number),
    0,
  );
}

/** Marks paths one after the other, as `d` does. Those that no rule can name are left out. */
function marked(contents: Contents, choices: readonly number[]): Marks {
  const count = contents.table.paths.length;
  return choices.reduce((marks, choice) => {
    const path = count < 2 ? 0 : 1 + (choice % (count - 1));
    const name = contents.table.paths[path];
    if (path === 0 || name === undefined || ruleOfPath(name) === null) return marks;
    return toggle(contents, marks, savingOf(contents, marks, new Map()).degree, path);
  }, noMarks);
}

test('law: what is marked is what the written rules prune, and the saving is what that frees', async () => {
  await fc.assert(
    fc.asyncProperty(
      layerStack({ minLayers: 1 }),
      fc.array(fc.nat(), { maxLength: 6 }),
      async (stack, choices) => {
        const tars = stack.layers.map((layer) => layer.tar);
        const contents = await contentsOf(tars);
        fc.pre(!hasOverwritten(contents));
        const marks = marked(contents, choices);
        const saving = savingOf(contents, marks, new Map());
        const rules = parseRules(rulesText(contents, marks), 'rules.txt');
        const outcome = await run(tars, prune({ kind: 'all' }, { rules }));
        const removed = new Set(
          outcome.resolution.removals
            .filter(({ reason, change }) => reason.kind === 'rule' && change.entry >= 0)
            .map(({ change }) => `${change.layer} ${change.entry}`),
        );
        const taken = contents.changes.all.filter(({ id }) => saving.taken[id] === 1);
        // A directory stays where something in it stays, whatever a rule says.
        const files = taken.filter(({ kind }) => kind !== 'directory');
        expect(files.filter(({ layer, entry }) => !removed.has(`${layer} ${entry}`))).toEqual([]);
        const names = new Set(taken.map(({ layer, entry }) => `${layer} ${entry}`));
        expect([...removed].filter((name) => !names.has(name))).toEqual([]);
        const freed = (await contentBytes(tars)) - (await contentBytes(outcome.tars));
        expect(freed + copiedBytes(outcome, contents, saving)).toBe(saving.bytes);
      },
    ),
    { numRuns: lawRuns({ share: 0.5 }) },
  );
});

describe('marks', () => {
  test('count a file with several names once, and only when its last name goes', async () => {
    const contents = await contentsOf([tar('a/', 'a/one=12345', 'a/two->a/one', 'b/', 'b/three->a/one')]);
    const id = (path: string) => contents.table.paths.indexOf(path as never);
    const markAll = (...paths: readonly string[]) =>
      savingOf(contents, { paths: new Map(paths.map((path) => [id(path), 'drop'])), presets: [] }, new Map())
        .bytes;
    expect([markAll('a/one'), markAll('a'), markAll('a', 'b/three'), markAll('a', 'b')]).toEqual([
      0, 0, 5, 5,
    ]);
  });

  test('are taken back below a directory that is marked', async () => {
    const contents = await contentsOf([tar('a/', 'a/one=1234', 'a/two=12')]);
    const state = press(startOf(contents), 'd', 'right', 'down', 'd');
    expect(rulesText(contents, state.marks)).toBe('# Marked in ocislim explore oci:app:1\n/a\n!/a/one\n');
    expect(state.saving.bytes).toBe(2);
    expect(state.saving.degree[contents.table.paths.indexOf('a' as never)]).toBe(degrees.partly);
  });

  test('of a preset take what it takes, less what was taken back', async () => {
    const contents = await contentsOf([
      tar(
        'var/',
        'var/lib/',
        'var/lib/apt/',
        'var/lib/apt/lists/',
        'var/lib/apt/lists/x=1234',
        'var/lib/apt/lists/y=12',
      ),
    ]);
    const state = press(startOf(contents), 'p', 'space', 'escape');
    expect([state.marks.presets, state.saving.bytes]).toEqual([['apt-lists'], 6]);
    const opened = press(state, 'right', 'right', 'right', 'right', 'right', 'right', 'right', 'right', 'd');
    expect([rulesText(contents, opened.marks), opened.saving.bytes]).toEqual([
      '# Marked in ocislim explore oci:app:1\n# Together with --preset apt-lists\n!/var/lib/apt/lists/x\n',
      2,
    ]);
  });
});

test.each([
  'plain',
  '#comment',
  '!taken back',
  ' space before',
  'space after ',
  'tab after\t',
  'return after\r',
  'star*',
  'question?',
  '[class]',
  'back\\slash',
  'back\\slash after\\',
  '**',
  '~tilde',
  '\x1b[31mred',
  '\ufeffmark',
  'Zürich 東京',
  'a\u0301',
])('a rule for the name %j removes that file and no other', async (name) => {
  const bytes = utf8(name);
  const others = ['plain2', 'xstar', 'starx', 'questionx', 'c', 'backslash', 'space', 'x'].filter(
    (other) => other !== name,
  );
  const contents = await contentsOf([
    tar({ name: bytes, body: Buffer.from('1') }, ...others.map((other) => `${other}=1`)),
  ]);
  const path = contents.table.paths.indexOf(bytes as never);
  const text = rulesText(contents, { paths: new Map([[path, 'drop']]), presets: [] });
  const image = [tar({ name: bytes, body: Buffer.from('1') }, ...others.map((other) => `${other}=1`))];
  const outcome = await run(image, prune({ kind: 'all' }, { rules: parseRules(text, 'rules.txt') }));
  expect(
    outcome.resolution.removals.map(({ change }) => outcome.resolution.table?.paths[change.path]),
  ).toEqual([bytes]);
});

test.each([
  ['that is not UTF-8', 'caf\xe9', 'has a name that is not UTF-8'],
  ['with a line break', 'two\nlines', 'has a line break in its name'],
])('a name %s cannot be marked, and the screen says why', async (_, name, why) => {
  const contents = await contentsOf([tar({ name, body: Buffer.from('1') })]);
  const state = press(startOf(contents), 'd');
  expect(state.marks.paths.size).toBe(0);
  expect(state.message).toContain(why);
});
