/** The options that say what a person or a program is told. */
import { reportSuffixes } from '../../report/renderers.ts';
import { choice, flag, list, text } from '../option.ts';

export const format = choice(['text', 'json'], {
  default: 'text',
  describe: 'json: print the whole report on stdout',
  group: 'Reports',
});

export const reports = {
  /** Files of reports. The suffix chooses the format. */
  report: list((files) => files, {
    value: 'FILE',
    describe: `write a report: ${reportSuffixes.join(' or ')} (repeatable)`,
    group: 'Reports',
  }),
  format,
  /** The file that gets the digest of the manifest or index. Null: none. */
  digestfile: text({ value: 'FILE', describe: 'write the new digest to a file', group: 'Reports' }),
  /** The file that gets the digest of the config. Null: none. */
  iidfile: text({
    value: 'FILE',
    describe: 'write the image ID (the digest of the config) to a file',
    group: 'Reports',
  }),
  /** The file that gets what `docker buildx build --metadata-file` writes. Null: none. */
  metadataFile: text({
    value: 'FILE',
    describe: "write the result to a file as JSON, with buildx's keys",
    group: 'Reports',
  }),
};

export const output = {
  /** Whether to print only errors and the result. */
  quiet: flag({ alias: 'q', describe: 'show no progress and no summary', group: 'Reports' }),
  /** Whether to print details. */
  verbose: flag({ alias: 'v', describe: 'show every layer and every retried request', group: 'Reports' }),
  /** How progress is shown. `auto` looks at the terminal and at $CI. */
  progress: choice(['auto', 'tty', 'plain', 'json', 'none'], {
    default: 'auto',
    describe: 'choose how progress is shown on stderr',
    group: 'Reports',
  }),
  /** Whether the first warning ends the job, before anything is published. */
  strict: flag({ describe: 'treat warnings as errors', group: 'Work' }),
};
