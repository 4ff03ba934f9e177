/** The options of `check`. Its command, help and the documentation pages read them. */
import type { GateFile } from '../gate-file.ts';
import { choice, count, flag, list, type Option, parsed, type SettingsOf } from '../option.ts';
import { checkGlobs } from '../rule-files.ts';
import { parsePercentOrSize, parseSize } from '../sizes.ts';
import { OcislimError } from '../../errors.ts';
import { verdictFormats } from '../../report/verdict/renderers.ts';
import { reaching } from './commands.ts';
import { outputFile } from './looking.ts';
import { platform } from './result.ts';

const group = 'Gates' as const;

const config: Option<GateFile | null> = {
  type: 'string',
  value: 'FILE',
  describe: 'take the gates from this file: .ocislim.yaml, or one of dive',
  details: 'Default: .ocislim.yaml, .ocislim.yml or .dive-ci in the working directory.',
  group,
  read: async (given, _where, door) =>
    given === undefined ? null : (await import('../gate-file.ts')).readGateFile(String(given), door),
};

/** Gates, each by itself. They stand in for those of the file. */
const gateOptions = {
  maxSize: parsed(parseSize, { value: 'SIZE', describe: 'let all layers transfer at most this', group }),
  maxUnpackedSize: parsed(parseSize, {
    value: 'SIZE',
    describe: 'let all layers take at most this unpacked',
    group,
  }),
  maxLayerSize: parsed(parseSize, { value: 'SIZE', describe: 'let no layer transfer more than this', group }),
  maxLayers: count(1, { value: 'N', describe: 'let there be at most so many layers', group }),
  maxReclaimable: parsed(parsePercentOrSize, {
    value: 'N%|SIZE',
    describe: 'let files that no container sees take at most this',
    group,
  }),
  maxDuplicates: parsed(parsePercentOrSize, {
    value: 'N%|SIZE',
    describe: 'let visible files whose contents are there already take at most this',
    group,
  }),
  lowestEfficiency: parsed(parseRatio, {
    value: 'RATIO',
    describe: 'require this efficiency, as dive computes it, from 0 to 1',
    group,
  }),
  highestWastedBytes: parsed(parseSize, {
    value: 'SIZE',
    describe: 'allow so many wasted bytes, as dive counts them',
    group,
  }),
  highestUserWastedPercent: parsed(parseRatio, {
    value: 'RATIO',
    describe: 'allow this share of wasted bytes, as dive counts it, from 0 to 1',
    group,
  }),
  forbidPath: list(checkGlobs, {
    value: 'GLOB',
    describe: 'forbid paths, in layers below too (repeatable)',
    group,
  }),
  forbidPackage: list(readPackages, {
    value: 'NAME[<VERSION]',
    describe: 'forbid packages: "openssl<3", "node:left-pad" (repeatable)',
    group,
  }),
  allowBase: list((references) => references, {
    value: 'REF',
    describe: 'require the layers of one of these base images (repeatable)',
    group,
  }),
  allowPort: list((ports) => ports, {
    value: 'PORT',
    describe: 'allow no exposed ports but these (repeatable)',
    group,
  }),
  requireLabel: list((labels) => labels, { value: 'NAME', describe: 'require labels (repeatable)', group }),
  requireHealthcheck: flag({ describe: 'require a HEALTHCHECK', group }),
  forbidRoot: flag({ describe: 'require a user that is not root', group }),
  forbidSetuid: flag({ describe: 'allow no file with setuid or setgid bits', group }),
  forbidSecrets: flag({ describe: 'allow nothing that looks like a secret', group }),
  forbidLatest: flag({ describe: 'require a tag other than "latest", of the base image too', group }),
  forbidMistakes: flag({ describe: 'allow no mistakes of Dockerfiles (docs/check.md lists them)', group }),
};

export const checkOptions = {
  config,
  ...gateOptions,
  format: choice(verdictFormats, {
    default: 'text',
    describe: 'choose what is printed',
    details: 'github: workflow commands, which show as annotations. gitlab: a code quality report.',
    instead: {
      md: 'Write markdown.',
      xml: 'Write junit.',
      'code-quality': 'Write gitlab.',
      codequality: 'Write gitlab.',
      'github-actions': 'Write github.',
    },
    group: 'Reports',
  }),
  output: outputFile,
  report: list(readReports, {
    value: 'FILE',
    describe: 'write a page of the gates and the analysis: .html (repeatable)',
    group: 'Reports',
  }),
  stepSummary: flag({
    describe: 'append Markdown to the file that $GITHUB_STEP_SUMMARY names, if it names one',
    group: 'Reports',
  }),
  platform,
  ...reaching,
};
export type CheckSettings = SettingsOf<typeof checkOptions>;

function parseRatio(text: string, where: string): number {
  const number = /^(?:\d+(?:\.\d+)?|\.\d+)$/.test(text.trim()) ? Number(text) : Number.NaN;
  if (number >= 0 && number <= 1) return number;
  const advice = text.trim().endsWith('%') ? `Write ${Number.parseFloat(text) / 100}.` : 'Write 0.9 or 0.05.';
  throw new OcislimError('USAGE', `${where} takes a number from 0 to 1, not ${JSON.stringify(text)}`, {
    advice,
  });
}

/** @throws USAGE for a file whose name does not say that it is to be a page */
function readReports(files: readonly string[], where: string): readonly string[] {
  for (const file of files)
    if (!file.endsWith('.html'))
      throw new OcislimError('USAGE', `${where} ${JSON.stringify(file)}: the name must end in .html`, {
        advice: 'Other formats are written by --format and -o.',
      });
  return files;
}

/** Loads what reads packages only where some are given. */
async function readPackages(texts: readonly string[], where: string) {
  return texts.length === 0 ? [] : (await import('../gate-values.ts')).parsePackages(texts, where);
}
