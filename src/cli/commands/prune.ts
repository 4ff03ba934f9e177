/** The command `prune`, and the list of presets, which needs no image. */
import { OcislimError } from '../../errors.ts';
import { splitNames } from '../../settings/option.ts';
import { pruneOptions } from '../../settings/tables/commands.ts';
import { type Command, destination, source } from '../command.ts';
import { defineRewriting } from '../rewriting-command.ts';

export const prune: Command = defineRewriting({
  name: 'prune',
  describe: 'remove files by rule, by trace or because upper layers hide them; keep the layers',
  details:
    'Removes files from the layers that hold them, so that their bytes are really gone. Rules match every entry of the selected layers, visible or hidden by a layer above. A removed path never comes back from a layer below. --trace keeps what an application used, and what that needs to run: docs/closure.md has the rules. --shadowed alone makes no difference that a container can see. The report lists every removed path.',
  // Without a source it can still list the presets.
  positionals: [{ ...source, required: false }, destination],
  options: pruneOptions,
  examples: [
    [
      'ocislim prune localhost:5000/app:1 localhost:5000/app:1-slim --shadowed',
      'lossless: drop what is overwritten or deleted by later layers',
    ],
    [
      'ocislim prune localhost:5000/app:1 -t localhost:5000/app:1-slim --preset apt-lists,docs --keep "usr/share/doc/*/copyright"',
      'by preset',
    ],
    [
      'ocislim prune oci:app:1 oci:app:slim --trace app.trace --keep-command "curl -f localhost"',
      'keep what the application used, what that needs, and a probe',
    ],
    ['ocislim prune oci:app:1 --dry-run --rule "**/*.pyc"', 'show what a rule would remove'],
  ],
  async check(line, console) {
    if (splitNames(line.argumentsOf('preset')).includes('help')) return listPresets(console.stdout);
    if (line.argument('src') !== null) return null;
    throw new OcislimError('USAGE', 'prune needs an image to read', {
      advice: 'See "ocislim prune --help"; "ocislim prune --preset help" lists the presets.',
    });
  },
  load: async () => (await import('../../commands/index.ts')).prune,
});

/** Prints a line for each preset, and marks those that `slim` uses by default. */
async function listPresets(stdout: { write(text: string): unknown }): Promise<number> {
  const { presets } = await import('../../slim/presets.ts');
  const all = Object.values(presets);
  const width = Math.max(...all.map(({ name }) => name.length));
  for (const { name, title, risk, safe } of all)
    stdout.write(`${name.padEnd(width)}  ${safe ? 'slim' : '    '}  risk ${risk.padEnd(6)}  ${title}\n`);
  return 0;
}
