/** The options about what vulnerability scanners found in the source. The commands that prune have them. */
import { list, text } from '../option.ts';
import { readFindings } from '../scanned/read-findings.ts';

export const scanning = {
  findings: list(readFindings, {
    value: 'FILE',
    describe: 'report which of these findings of Trivy or Grype went away (repeatable)',
    details:
      'The JSON of either scanner, or SARIF, about the source. Each finding is matched with the packages and files of the image: docs/scanners.md.',
    group: 'Reports',
  }),
  vex: text({
    value: 'FILE',
    describe: 'with --findings: write an OpenVEX document of those that went away',
    group: 'Reports',
  }),
};
