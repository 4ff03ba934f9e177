/** The options of `analyze`. Its command, help and the documentation pages read them. */
import { analysisFormats, analysisSuffixes } from '../../report/analyze/renderers.ts';
import { choice, count, flag, type SettingsOf } from '../option.ts';
import { reaching } from './commands.ts';
import { otherFormats, outputFile, reportFiles } from './looking.ts';
import { platform } from './result.ts';

export const analyzeOptions = {
  format: choice(analysisFormats, {
    default: 'text',
    describe: 'choose what is printed',
    details:
      'csv, ncdu and paths list files: those of the final root filesystem, or with --all-layers every entry of every layer.',
    instead: otherFormats,
    group: 'Reports',
  }),
  output: outputFile,
  report: reportFiles(analysisSuffixes),
  allLayers: flag({
    describe: 'list what layers hide too, with its state and the layer that hides it',
    details: 'For csv, ncdu and paths.',
    group: 'Reports',
  }),
  nul: flag({
    name: 'null',
    alias: '0',
    describe: 'end each path with NUL instead of a line feed, and escape nothing',
    details: 'For --format paths: `ocislim analyze IMAGE --format paths -0 | xargs -0 …`.',
    group: 'Reports',
  }),
  top: count(1, {
    value: 'N',
    default: 10,
    describe: 'show so many rows of each list of the text and of Markdown',
    group: 'Reports',
  }),
  quick: flag({
    describe: "compute sizes and dive's numbers only",
    details:
      'No findings, packages, attack surface or savings: they need the contents of files. Of plain layers in local files the contents are not read, so that their digests are not verified.',
    group: 'Work',
  }),
  estimate: flag({
    describe: 'estimate from samples what squash, prune and recompress would save',
    details: 'Packs the layers three times, which takes several times as long as everything else.',
    group: 'Work',
  }),
  platform,
  ...reaching,
};
export type AnalyzeSettings = SettingsOf<typeof analyzeOptions>;
