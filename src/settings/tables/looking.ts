/**
 * The options of the commands that look into one image and write none. Each command reads its own table, and help, completion and the
 * pages list them.
 */
import { OcislimError } from '../../errors.ts';
import { count, flag, list, parsed, type SettingsOf, text } from '../option.ts';
import { format } from './reports.ts';
import { reaching } from './commands.ts';
import { platform } from './result.ts';

/** Where the result goes. */
export const outputFile = text({
  alias: 'o',
  value: 'FILE',
  describe: 'write to this file instead of stdout',
  group: 'Reports',
});

/** Makes the option for reports in files, whose forms are told by the ends of their names. */
export const reportFiles = (suffixes: readonly string[]) =>
  list((files) => files, {
    value: 'FILE',
    describe: `write a report, too: ${suffixes.join(' or ')} (repeatable)`,
    group: 'Reports',
  });

/** What to write for formats that other tools have, or that are reports here. */
export const otherFormats = {
  md: 'Write markdown.',
  html: 'Write --report FILE.html.',
  yaml: 'Write json.',
  table: 'Write text.',
} as const;

const docsOfTemplates =
  'Fields stand in braces, as in Go templates: {{.Name}}, {{json .Name}}. A template that begins with "table" has a line of headings.';

export const historyOptions = {
  format: parsed(readFormat, {
    value: 'FORMAT',
    default: 'text',
    describe: 'choose text, json, or a template such as "{{.CreatedBy}}"',
    details: `${docsOfTemplates} Fields: .Layer, .ID (the digest), .CreatedSince, .CreatedAt, .CreatedBy, .Size, .Comment.`,
    group: 'Reports',
  }),
  trunc: flag({
    default: true,
    describe: 'shorten long instructions (--no-trunc: do not)',
    group: 'Reports',
  }),
  human: flag({
    alias: 'H',
    default: true,
    describe: 'show ages and rounded sizes (--no-human: exact times and bytes)',
    group: 'Reports',
  }),
  output: outputFile,
  platform,
  ...reaching,
  quiet: flag({ alias: 'q', describe: 'print only the digests of the layers', group: 'Reports' }),
};
export type HistorySettings = SettingsOf<typeof historyOptions>;

export const inspectOptions = {
  raw: flag({ describe: 'print the exact bytes of the manifest or index', group: 'Reports' }),
  config: flag({ describe: 'print the exact bytes of the config', group: 'Reports' }),
  referrers: flag({
    describe: 'list what refers to the image too: signatures, attestations',
    group: 'Reports',
  }),
  format: parsed(readInspectFormat, {
    value: 'FORMAT',
    default: 'json',
    describe: 'choose json, or a template such as "{{.Digest}}"',
    details: `${docsOfTemplates} Fields are those of skopeo inspect and docker inspect: .Name, .Digest, .Created, .Architecture, .Os, .Labels, .Layers, .LayersData, .Env, .Config.Env, .Config.Cmd, .RootFS.Layers …`,
    group: 'Reports',
  }),
  output: outputFile,
  platform,
  ...reaching,
};
export type InspectSettings = SettingsOf<typeof inspectOptions>;

/** Which layer is looked into. */
const layer = count(1, {
  value: 'N',
  describe: 'look into this layer alone, and show what it holds',
  details: 'Layers count from 1, the lowest. What layers above hide is there too.',
  group: 'Layers',
});

export const lsOptions = {
  long: flag({
    alias: 'l',
    describe: 'show mode, owner, size, time, layer and link target',
    group: 'Reports',
  }),
  recursive: flag({ alias: 'R', describe: 'list all that is below, with whole paths', group: 'Reports' }),
  directory: flag({ alias: 'd', describe: 'list a directory itself, not what is in it', group: 'Reports' }),
  null: flag({ alias: '0', describe: 'print exact names, each with a NUL byte after it', group: 'Reports' }),
  format,
  output: outputFile,
  layer,
  allLayers: flag({
    alias: 'a',
    describe: 'list the entries of every layer, and what became of them',
    group: 'Layers',
  }),
  platform,
  ...reaching,
};
export type LsSettings = SettingsOf<typeof lsOptions>;

/** Whether what was read is checked. */
const verify = flag({
  default: true,
  describe: 'check the layer to its end (--no-verify: stop early, and say so)',
  group: 'Work',
});

export const catOptions = { output: outputFile, layer, verify, platform, ...reaching };

export const extractOptions = {
  strip: flag({
    describe: 'put what is in a directory right into DIR, without a folder of its name',
    group: 'Result',
  }),
  force: flag({
    describe: 'replace files that are there, and add to folders',
    details: 'A symbolic link that is there is replaced, never followed.',
    group: 'Result',
  }),
  owners: flag({
    describe: 'give files the owners of the image, and its modes exactly (root)',
    group: 'Result',
  }),
  setuid: flag({ describe: 'keep the bits setuid and setgid', group: 'Result' }),
  devices: flag({ describe: 'make devices (root) and named pipes', group: 'Result' }),
  xattrs: flag({
    describe: 'set extended attributes, file capabilities among them (root)',
    details: 'Needs the program setfattr.',
    group: 'Result',
  }),
  layer,
  verify,
  platform,
  ...reaching,
};
export type ExtractSettings = SettingsOf<typeof extractOptions>;

function readFormat(given: string, where: string): string {
  return checkFormat(given, where, ['text', 'json']);
}

function readInspectFormat(given: string, where: string): string {
  return checkFormat(given, where, ['json']);
}

/** Passes the name of a format, and what looks like a template. @throws USAGE */
function checkFormat(given: string, where: string, names: readonly string[]): string {
  if (names.includes(given) || given.includes('{{')) return given;
  throw new OcislimError(
    'USAGE',
    `${where} takes ${names.join(', ')} or a template, not ${JSON.stringify(given)}`,
    {
      advice: 'A template has fields in braces: --format "{{.Digest}}".',
    },
  );
}
