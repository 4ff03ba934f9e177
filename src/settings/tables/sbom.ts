/** The options of bills of materials. The command `sbom` and the commands that rewrite images read them. */
import { billFormatNames } from '../../report/sbom/formats.ts';
import { choice, flag, type SettingsOf } from '../option.ts';
import { reaching } from './commands.ts';
import { outputFile } from './looking.ts';
import { platform, result } from './result.ts';

const ofScanners = 'Scanners read cyclonedx and spdx, and make tables of them.';

export const sbomOptions = {
  format: choice(billFormatNames, {
    describe: 'choose cyclonedx (1.6) or spdx (2.3), both as JSON',
    details: 'Default: spdx for a file that ends in `.spdx.json`, else cyclonedx.',
    instead: {
      json: 'Write cyclonedx or spdx: both are JSON.',
      'cyclonedx-json': 'Write cyclonedx.',
      'spdx-json': 'Write spdx.',
      cdx: 'Write cyclonedx.',
      table: ofScanners,
      text: ofScanners,
      'cyclonedx-xml': 'Write cyclonedx: its JSON is read by the same programs.',
      'spdx-tag-value': 'Write spdx: its JSON is read by the same programs.',
    },
    group: 'Reports',
  }),
  files: flag({ describe: 'list the files of each component too', group: 'Reports' }),
  output: outputFile,
  platform,
  sourceDateEpoch: result.sourceDateEpoch,
  ...reaching,
};
export type SbomSettings = SettingsOf<typeof sbomOptions>;
