/** Which options of `slim` go with --record. */
import { OcislimError } from '../../errors.ts';
import type { SlimSettings } from '../../settings/tables/commands.ts';

/** @throws USAGE for options of recordings without --record */
export function checkRecordingOptions(settings: SlimSettings): void {
  if (settings.record) {
    if (settings.sandbox === 'none')
      throw new OcislimError('USAGE', '--sandbox none goes with trace record only: slim runs two images');
    if (settings.platformsAlike && settings.platform.length > 0)
      throw new OcislimError('USAGE', '--platforms-alike and --platform do not go together', {
        advice: 'The platform of this machine is the one that is recorded.',
      });
    return;
  }
  const given = [
    ['--repair', settings.repair > 0],
    ['--platforms-alike', settings.platformsAlike],
    ['--save-trace', settings.saveTrace !== null],
    ['--seccomp', settings.seccomp !== null],
    ['--apparmor', settings.apparmor !== null],
    ['--creport', settings.creport !== null],
    ['--http-probe', settings.httpProbe.length > 0],
    ['--http-probe-file', settings.httpProbeFile.length > 0],
    ['--exec-probe', settings.execProbe.length > 0],
    ['--http-crawl', settings.httpCrawl],
    ['--openapi', settings.openapi.length > 0],
    ['--ready', settings.ready !== null],
    ['--continue-after', settings.continueAfter !== null],
    ['--run-entrypoint', settings.runEntrypoint !== null],
    ['a command', (settings.runCommand ?? []).length > 0],
  ] as const;
  const wrong = given.find(([, isGiven]) => isGiven);
  if (wrong !== undefined)
    throw new OcislimError('USAGE', `${wrong[0]} goes with --record`, { advice: 'Add --record.' });
}
