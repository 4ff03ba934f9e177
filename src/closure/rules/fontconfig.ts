/**
 * The rule for fonts, by which programs draw text. `families.ts` lists it.
 */
import { ascii, asciiList } from '../../bytes/bytes.ts';
import { baseOf, rootPaths } from '../../bytes/path.ts';
import type { ClosureRule, Need } from '../rule.ts';
import { present } from './present.ts';
import { namedByVariables } from './configuration.ts';

/** The settings of fontconfig, and what those of Debian, Alpine and Fedora link to. */
const settings = rootPaths(
  'etc/fonts',
  'usr/share/fontconfig',
  'usr/local/etc/fonts',
  'usr/share/xml/fontconfig',
);
/** Where fonts are installed. */
const fonts = rootPaths('usr/share/fonts', 'usr/local/share/fonts', 'usr/share/X11/fonts');

/** Libraries and modules that draw text. */
const readers = /^lib(?:fontconfig|freetype)\.so|^_imagingft\./;

/** A library of fontconfig stays for many programs that never draw, so that nothing is kept for it at `file`. */
export const fontconfigRule: ClosureRule = {
  name: 'fontconfig',
  describe:
    'Unless the granularity is `file`: for libfontconfig, libfreetype and the fonts of PIL, the settings in etc/fonts and where they lead, and the installed fonts; the paths in FONTCONFIG_PATH and FONTCONFIG_FILE.',
  roots: (context) => namedByVariables(asciiList('FONTCONFIG_FILE', 'FONTCONFIG_PATH'), context),
  *follow(path, { fs, granularity }): Generator<Need> {
    if (granularity === 'file' || !readers.test(baseOf(path))) return;
    for (const place of present(fs, settings))
      yield { path: place, detail: ascii`the settings of /${path}`, below: true, strength: 'whole' };
    for (const place of present(fs, fonts))
      yield { path: place, detail: ascii`fonts for /${path}`, below: true, strength: 'whole' };
  },
};
