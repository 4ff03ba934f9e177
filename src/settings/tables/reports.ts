/** The options that say what a person or a program is told. */
import { reportSuffixes } from '../../report/renderers.ts';
import { choice, flag, list, text } from '../option.ts';

const written = 'Reports in other formats go to files: --report FILE.md.';
const types = 'It is about what is printed: manifests keep their types.';

export const format = choice(['text', 'json'], {
  default: 'text',
  describe: 'json: print the whole report on stdout',
  instead: {
    ...Object.fromEntries(['md', 'markdown', 'html', 'yaml', 'table'].map((word) => [word, written])),
    ...Object.fromEntries(['oci', 'docker', 'v2s1', 'v2s2'].map((word) => [word, types])),
  },
  group: 'Reports',
});

export const reports = {
  report: list((files) => files, {
    value: 'FILE',
    describe: `write a report: ${reportSuffixes.join(' or ')} (repeatable)`,
    group: 'Reports',
  }),
  format,
  sbom: list((files) => files, {
    value: 'FILE',
    describe: 'write a bill of materials of the result: FILE.cdx.json or FILE.spdx.json',
    details:
      'Repeatable. Any other name gets CycloneDX. Of a result for several platforms, each has a file of its own, with the platform in its name: `app.linux-arm64.cdx.json`. The result is read for it, from the cache where there is one.',
    group: 'Reports',
  }),
  digestfile: text({ value: 'FILE', describe: 'write the new digest to a file', group: 'Reports' }),
  iidfile: text({
    value: 'FILE',
    describe: 'write the image ID (the digest of the config) to a file',
    group: 'Reports',
  }),
  metadataFile: text({
    value: 'FILE',
    describe: "write the result to a file as JSON, with buildx's keys",
    group: 'Reports',
  }),
};

export const output = {
  quiet: flag({ alias: 'q', describe: 'show no progress and no summary', group: 'Reports' }),
  verbose: flag({ alias: 'v', describe: 'show every layer and every retried request', group: 'Reports' }),
  progress: choice(['auto', 'tty', 'plain', 'json', 'none'], {
    default: 'auto',
    describe: 'choose how progress is shown on stderr',
    instead: { quiet: 'Write none.', off: 'Write none.', rawjson: 'Write json.', bar: 'Write tty.' },
    group: 'Reports',
  }),
  strict: flag({ describe: 'treat warnings as errors', group: 'Work' }),
};
