/** The command `presets`: a list of the presets, or all of one. They are a table of `slim`, which is loaded only here. */
import { splitNames } from '../../settings/option.ts';
import { presetListOptions } from '../../settings/tables/commands.ts';
import { type Command, defineCommand } from '../command.ts';

export const presetsCommand: Command = defineCommand({
  name: 'presets',
  describe: 'list the presets of prune and slim, or show what some of them remove',
  details:
    'Presets are named sets of rules for --preset. Those marked "slim" are used by "ocislim slim" without being asked: nothing at run time reads what they remove. The risk says what may miss the files: none for caches, high for what programs or scanners need. With names, the rules and remarks of these presets are shown. docs/presets.md has all of them.',
  positionals: [
    {
      name: 'names..',
      describe: 'presets to show in full',
      required: false,
      suggest: async () => Object.keys((await import('../../slim/presets.ts')).presets),
    },
  ],
  options: presetListOptions,
  examples: [
    ['ocislim presets', 'all presets, a line each'],
    ['ocislim presets docs locales', 'what two of them remove'],
    ['ocislim presets --format json', 'for programs'],
  ],
  async run({ settings, line, console }) {
    const { findPreset, presets } = await import('../../slim/presets.ts');
    const { presetsJson, renderPresetRules, renderPresets } = await import('../help/preset-list.ts');
    const names = splitNames(line.argumentsOf('names'));
    const shown = names.length === 0 ? Object.values(presets) : names.map(findPreset);
    const render = names.length === 0 ? renderPresets : renderPresetRules;
    console.stdout.write(settings.format === 'json' ? presetsJson(shown) : render(shown, console.stdout));
    return 0;
  },
});
