/**
 * Named sets of globs for files that stay: what people mean by "the certificates" or "a shell", in all distributions. The option
 * `--keep-preset` and plans expand them into globs of `--keep`.
 */
import { closestWord } from '../closest-word.ts';
import { OcislimError } from '../errors.ts';

export const keepPresets: Readonly<Record<string, readonly string[]>> = {
  shell: ['bin', 'usr/bin', 'usr/local/bin'].flatMap((directory) =>
    ['sh', 'bash', 'dash', 'ash', 'busybox'].map((name) => `${directory}/${name}`),
  ),
  certs: [
    'etc/ssl',
    'etc/pki',
    'etc/ca-certificates',
    'etc/ca-certificates.conf',
    'usr/lib/ssl',
    'usr/share/ca-certificates',
    'usr/local/share/ca-certificates',
  ],
  zoneinfo: [
    'usr/share/zoneinfo',
    'usr/share/zoneinfo-icu',
    'usr/lib/zoneinfo',
    'etc/localtime',
    'etc/timezone',
  ],
  fonts: [
    'etc/fonts',
    'usr/share/fontconfig',
    'usr/share/fonts',
    'usr/local/share/fonts',
    'usr/share/X11/fonts',
  ],
  locale: [
    'usr/lib/locale',
    'usr/share/locale',
    'usr/share/i18n',
    'usr/share/X11/locale',
    'etc/locale.*',
    'etc/default/locale',
  ],
};

/** Returns the globs of these presets. @throws USAGE for another name */
export function expandKeepPresets(names: readonly string[]): readonly string[] {
  return names.flatMap((name) => {
    const globs = Object.hasOwn(keepPresets, name) ? keepPresets[name] : undefined;
    if (globs !== undefined) return globs;
    const all = Object.keys(keepPresets);
    const meant = closestWord(name, all);
    const near = meant === null ? '' : ` Did you mean ${meant}?`;
    throw new OcislimError('USAGE', `there is no preset of files to keep ${JSON.stringify(name)}.${near}`, {
      advice: `Such presets: ${all.join(', ')}.`,
    });
  });
}
