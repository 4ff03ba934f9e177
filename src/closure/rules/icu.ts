import { ascii, asciiList } from '../../bytes/bytes.ts';
import { baseOf, rootPaths } from '../../bytes/path.ts';
import type { ClosureRule, Need } from '../rule.ts';
import { namedByVariables } from './configuration.ts';

/** Where the data are: by --prefix of the build (icudefs.mk, ICUDATA_DIR). */
const places = rootPaths('usr/share/icu', 'usr/local/share/icu');

/** The data of ICU are in a library on most systems, and in one file on others (Alpine). */
export const icuRule: ClosureRule = {
  name: 'icu',
  describe:
    'The data file of ICU (icudtNN*.dat in usr/share/icu or usr/local/share/icu) for each version of libicu that stays; the paths in ICU_DATA and NODE_ICU_DATA.',
  roots: (context) => namedByVariables(asciiList('ICU_DATA', 'NODE_ICU_DATA'), context),
  *follow(path, { fs }): Generator<Need> {
    const [, version] = baseOf(path).match(/^libicu(?:uc|data|i18n)\.so\.(\d+)/) ?? [];
    if (version === undefined) return;
    // A letter for the byte order may follow the version: icudt72l.dat.
    for (const place of places)
      for (const file of fs.below(place))
        if (baseOf(file).startsWith(`icudt${version}`) && file.endsWith('.dat'))
          yield { path: file, detail: ascii`the data of /${path}` };
  },
};
