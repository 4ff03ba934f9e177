/** Holds the picture in docs/explore.md to what is drawn. `test/project/docs.test.ts` holds its table of keys. */
import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { keymapNames, keymaps } from '../../../src/cli/explore/keymap.ts';
import { exampleContents, press, screenOf, startOf } from '../../support/explore.ts';

test('the guide shows a screen as it is drawn', async () => {
  const state = startOf(await exampleContents(), { size: { columns: 100, rows: 20 } });
  const page = await readFile(new URL('../../../docs/explore.md', import.meta.url), 'utf8');
  expect(page).toContain(`\`\`\`text\n${screenOf(press(state, 'right', 'down', 'd'))}\n\`\`\`\n`);
});

describe.each(keymapNames)('the keymap %s', (name) => {
  test('gives each key one meaning in a pane', () => {
    for (const pane of ['layers', 'tree'] as const) {
      const keys = keymaps[name].filter(({ in: own = pane }) => own === pane).flatMap(({ keys: all }) => all);
      expect(keys.filter((key, i) => keys.indexOf(key) !== i)).toEqual([]);
    }
  });

  test('marks, writes and quits', () => {
    const commands = new Set(keymaps[name].map(({ command }) => command));
    expect(commands).toContain('quit');
    expect(commands).toContain('write');
    expect(commands).toContain('mark');
  });
});
