/** Which options of `slim` go with --record. */
import { OcislimError } from '../../errors.ts';
import { defaultSettings } from '../../settings/command-line.ts';
import { nameOf, type Options } from '../../settings/option.ts';
import type { SlimSettings } from '../../settings/tables/commands.ts';
import { recording } from '../../settings/tables/recording.ts';

/** Compares with the defaults, so that options from the environment count too. @throws USAGE for options that do not go together */
export async function checkRecordingOptions(settings: SlimSettings): Promise<void> {
  if (settings.record) {
    checkTogether(settings);
    return;
  }
  const defaults: Readonly<Record<string, unknown>> = await defaultSettings(recording);
  const given: Readonly<Record<string, unknown>> = settings;
  const other = Object.keys(defaults).find(
    (key) => JSON.stringify(given[key]) !== JSON.stringify(defaults[key]),
  );
  if (other === undefined) return;
  const name = `--${nameOf(other, (recording as Options)[other])}`;
  throw new OcislimError('USAGE', `${name} goes with --record`, { advice: 'Add --record.' });
}

function checkTogether({ sandbox, platformsAlike, platform }: SlimSettings): void {
  if (sandbox === 'none')
    throw new OcislimError('USAGE', '--sandbox none goes with trace record only: slim runs two images');
  if (platformsAlike && platform.length > 0)
    throw new OcislimError('USAGE', '--platforms-alike and --platform do not go together', {
      advice: 'The platform of this machine is the one that is recorded.',
    });
}
