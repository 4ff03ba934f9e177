/** The options that say what to remove, by rule, by preset and by trace. `stages.ts` makes a pruning of them. */
import { granularities } from '../../image/trace-pruning.ts';
import { choice, flag, list, splitNames } from '../option.ts';
import { checkGlobs, readKeepFiles, readRuleFiles } from '../rule-files.ts';
import { readTraceFiles } from '../trace-setting.ts';
import { parseCommand } from '../command-words.ts';
import { emptyLayers } from './layers.ts';

export const pruning = {
  rule: list(checkGlobs, {
    value: 'GLOB',
    describe: 'remove what this matches (.dockerignore semantics; repeatable)',
    group: 'What to remove',
  }),
  rules: list(readRuleFiles, {
    value: 'FILE',
    describe: 'read rules from a file, one per line (repeatable)',
    group: 'What to remove',
  }),
  preset: list(splitNames, {
    value: 'NAME,…',
    describe: 'apply named sets of rules; "ocislim presets" lists them',
    suggest: async () => Object.keys((await import('../../slim/presets.ts')).presets),
    group: 'What to remove',
  }),
  shadowed: flag({
    describe: 'remove what upper layers hide; containers see no difference',
    group: 'What to remove',
  }),
  trace: list(readTraceFiles, {
    value: 'FILE',
    describe: 'remove what no trace saw and nothing traced needs (repeatable)',
    details: 'See "ocislim trace" and docs/traces.md.',
    group: 'Traces',
  }),
  granularity: choice(granularities, {
    default: 'package',
    describe: 'with --trace: what stays whole when one file of it was used',
    group: 'Traces',
  }),
  traceRoot: list((folders) => folders, {
    value: 'DIR',
    describe: "with --trace: where the image's root was; other paths do not count",
    details: 'Repeatable. The traces were made with the root filesystem of the image at this path.',
    group: 'Traces',
  }),
  keepCommand: list((commands) => commands.map(parseCommand), {
    value: 'COMMAND',
    describe: 'with --trace: keep what this command needs, such as a probe (repeatable)',
    group: 'Traces',
  }),
  force: flag({
    describe: 'prune even where the image would not run',
    group: 'What to remove',
  }),
  explain: list((paths) => paths, {
    value: 'GLOB',
    describe: 'say why paths stay or go (repeatable)',
    details:
      'On standard output with --dry-run, else on standard error. Words of the answer are explained below it.',
    group: 'What to remove',
  }),
  keep: list(checkGlobs, {
    value: 'GLOB',
    describe: 'keep what this matches, whatever the rules say (repeatable)',
    group: 'What to remove',
  }),
  keepPreset: list(splitNames, {
    value: 'NAME,…',
    describe: 'keep what people mean by shell, certs, zoneinfo, fonts, locale',
    suggest: async () => Object.keys((await import('../../slim/keep-presets.ts')).keepPresets),
    group: 'What to remove',
  }),
  keepFile: list(readKeepFiles, {
    value: 'FILE',
    describe: 'read such globs from a file (repeatable)',
    group: 'What to remove',
  }),
  packageDb: choice(['keep', 'sync'], {
    default: 'keep',
    describe: 'sync: list no packages of which no file is left (dpkg, apk)',
    details:
      'Scanners report what the package databases list. `sync` takes packages without files out of those of dpkg and apk, and names each edited file in the report; databases of rpm are refused. See docs/scanners.md.',
    group: 'What to remove',
  }),
  emptyLayers,
};
