/** Renders the table of the keys of `ocislim explore` into its page. `write-docs.ts` calls it. */
import { readFileSync } from 'node:fs';
import { bindingText } from '../../src/cli/explore/help.ts';
import { type Command, type KeymapName, keymapNames, keymaps } from '../../src/cli/explore/keymap.ts';
import { type Marks, withMarked } from './marked.ts';
import { table, text } from './page.ts';

const marks: Marks = ['<!-- keys: written by "npm run docs" -->', '<!-- end of keys -->'];

/** Returns the page with its table as the keymaps have it. */
export function explorePage(): string {
  const source = readFileSync(new URL('../../docs/explore.md', import.meta.url), 'utf8');
  return withMarked(source, keyTable(), marks);
}

/** A row for each command, in the order of the first keymap that has it. */
function keyTable(): string {
  const commands = [...new Set(keymapNames.flatMap((name) => keymaps[name].map(({ command }) => command)))];
  return table(
    ['What it does', ...keymapNames.map((name) => `\`${name}\``)],
    commands.map((command) => [
      text(meaningOf(command)),
      ...keymapNames.map((name) => keysOf(name, command)),
    ]),
  );
}

function meaningOf(command: Command): string {
  const all = keymapNames.flatMap((name) => keymaps[name]);
  return all.find((binding) => binding.command === command)?.does ?? '';
}

/** Lists the keys of a command in a keymap. A key that another command has before it is left out. */
function keysOf(name: KeymapName, command: Command): string {
  const own = keymaps[name].filter((binding) => binding.command === command);
  return own
    .map((binding) => {
      const [keys] = bindingText(binding);
      const where = binding.in === undefined || own.length === 1 ? '' : ` (${binding.in})`;
      return `${keys
        .split(' ')
        .map((key) => `\`${key}\``)
        .join(' ')}${where}`;
    })
    .join(', ');
}
