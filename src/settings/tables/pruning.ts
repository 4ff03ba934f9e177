/** The options that say what to remove, by rule, by preset and by trace. `stages.ts` makes a pruning of them. */
import { granularities } from '../../image/trace-pruning.ts';
import { choice, flag, list, splitNames } from '../option.ts';
import { checkGlobs, readKeepFiles, readRuleFiles } from '../rule-files.ts';
import { readTraceFiles } from '../trace-setting.ts';
import { parseCommand } from '../command-words.ts';
import { emptyLayers } from './layers.ts';

export const pruning = {
  /** Patterns of what to remove, after those of the presets and of files. A later pattern wins. */
  rule: list(checkGlobs, {
    value: 'GLOB',
    describe: 'remove what this matches (.dockerignore semantics; repeatable)',
    group: 'What to remove',
  }),
  /** The rules of files, each with its file and line. */
  rules: list(readRuleFiles, {
    value: 'FILE',
    describe: 'read rules from a file, one per line (repeatable)',
    group: 'What to remove',
  }),
  /** The names of presets: sets of rules that come with ocislim. */
  preset: list(splitNames, {
    value: 'NAME,…',
    describe: 'apply named sets of rules; "ocislim prune --preset help" lists them',
    group: 'What to remove',
  }),
  /** Whether to remove what upper layers hide. */
  shadowed: flag({
    describe: 'remove what upper layers hide; containers see no difference',
    group: 'What to remove',
  }),
  /** What traces saw, one for each platform that they name. */
  trace: list(readTraceFiles, {
    value: 'FILE',
    describe: 'remove what no trace saw and nothing traced needs (repeatable)',
    details: 'See "ocislim trace" and docs/traces.md.',
    group: 'Traces',
  }),
  /** How much stays beside a used file: nothing, its package, or its package and its directory. */
  granularity: choice(granularities, {
    default: 'package',
    describe: 'with --trace: what stays whole when one file of it was used',
    group: 'Traces',
  }),
  /** The folders where the image's root was while it was traced. Empty: the traces name paths of the image. */
  traceRoot: list((folders) => folders, {
    value: 'DIR',
    describe: "with --trace: where the image's root was; other paths do not count",
    details: 'Repeatable. The traces were made with the root filesystem of the image at this path.',
    group: 'Traces',
  }),
  /** Commands that must keep working, split into words. */
  keepCommand: list((commands) => commands.map(parseCommand), {
    value: 'COMMAND',
    describe: 'with --trace: keep what this command needs, such as a probe (repeatable)',
    group: 'Traces',
  }),
  /** Whether reasons not to prune are warnings instead of an error. */
  force: flag({ describe: 'with --trace: prune even where the image would not run', group: 'Traces' }),
  /** Paths whose reasons to stay or to go are told. */
  explain: list((paths) => paths, {
    value: 'PATH',
    describe: 'say why a path stays or goes (repeatable)',
    group: 'Traces',
  }),
  /** Patterns of what stays, whatever rules, presets and traces say. */
  keep: list(checkGlobs, {
    value: 'GLOB',
    describe: 'keep what this matches, whatever the rules say (repeatable)',
    group: 'What to remove',
  }),
  /** More of these patterns, from files. */
  keepFile: list(readKeepFiles, {
    value: 'FILE',
    describe: 'read such globs from a file (repeatable)',
    group: 'What to remove',
  }),
  emptyLayers,
};
