import { defaultEngine, levelRangesByEngine, engineNames, formatNames } from '../../codec/encoding.ts';
import { granularities } from '../../image/trace-pruning.ts';
import type { Option } from './option.ts';

/** Which layers a stage works on. */
export const layerSelection: readonly Option[] = [
  {
    name: 'layers',
    type: 'string',
    value: 'A..B',
    describe: 'these layers of the source; 1 is the lowest',
    group: 'Layers',
  },
  {
    name: 'base',
    type: 'string',
    value: 'REF',
    describe: 'the layers above those of this base image',
    group: 'Layers',
  },
];

export const squashSelection: readonly Option[] = [
  { name: 'last', type: 'number', value: 'N', describe: 'the N topmost layers', group: 'Layers' },
  {
    name: 'from-layer',
    type: 'string',
    value: 'N|DIGEST',
    describe: 'this layer and all above it',
    group: 'Layers',
  },
  ...layerSelection,
  { name: 'all', type: 'boolean', describe: 'all layers', group: 'Layers' },
];

export const pruning: readonly Option[] = [
  {
    name: 'rule',
    type: 'list',
    value: 'GLOB',
    describe: 'remove what this matches (.dockerignore semantics; repeatable)',
    group: 'What to remove',
  },
  {
    name: 'rules',
    type: 'list',
    value: 'FILE',
    describe: 'a file of rules, one a line (repeatable)',
    group: 'What to remove',
  },
  {
    name: 'preset',
    type: 'list',
    value: 'NAME,…',
    describe: 'named sets of rules; "ocislim prune --preset help" lists them',
    group: 'What to remove',
  },
  {
    name: 'shadowed',
    type: 'boolean',
    describe: 'remove what layers above hide: nothing that a container can see',
    group: 'What to remove',
  },
  {
    name: 'trace',
    type: 'list',
    value: 'FILE',
    describe: 'remove what no trace saw and nothing that it saw needs; see "ocislim trace" (repeatable)',
    group: 'Traces',
  },
  {
    name: 'granularity',
    type: 'string',
    choices: granularities,
    default: 'package',
    describe: 'with --trace: what stays whole when one file of it was used',
    group: 'Traces',
  },
  {
    name: 'trace-root',
    type: 'list',
    value: 'DIR',
    describe: "where the image's root was when the trace was made; other paths do not count (repeatable)",
    group: 'Traces',
  },
  {
    name: 'keep-command',
    type: 'list',
    value: 'COMMAND',
    describe: 'with --trace: a command that must go on working, such as a probe (repeatable)',
    group: 'Traces',
  },
  {
    name: 'force',
    type: 'boolean',
    describe: 'with --trace: prune even where the image would not run',
    group: 'Traces',
  },
  {
    name: 'explain',
    type: 'list',
    value: 'PATH',
    describe: 'say why a path stays or goes (repeatable)',
    group: 'Traces',
  },
  {
    name: 'keep',
    type: 'list',
    value: 'GLOB',
    describe: 'keep what this matches, whatever the rules say (repeatable)',
    group: 'What to remove',
  },
  {
    name: 'keep-file',
    type: 'list',
    value: 'FILE',
    describe: 'a file of such globs (repeatable)',
    group: 'What to remove',
  },
  {
    name: 'empty-layers',
    type: 'string',
    choices: ['keep', 'drop'],
    default: 'keep',
    describe: 'layers in which nothing is left',
    group: 'Layers',
  },
];

export const arranging: readonly Option[] = [
  {
    name: 'order',
    type: 'string',
    choices: ['source', 'similar'],
    describe:
      'similar: like files side by side in the layers that are written anew, which packs a little better; with --layers or --base each of these is',
    group: 'Layers',
  },
  {
    name: 'dedupe-hardlink',
    type: 'boolean',
    describe:
      'in layers that are written anew, make files that are the same in contents and all attributes names of one file (docs/order.md: who writes to one may change the other)',
    group: 'Layers',
  },
];

export const packing: readonly Option[] = [
  {
    name: 'compression',
    type: 'string',
    choices: formatNames,
    describe: 'the format of the layers',
    group: 'Packing',
  },
  {
    name: 'level',
    alias: 'compression-level',
    type: 'number',
    value: 'N',
    describe: levelRangesByEngine(),
    group: 'Packing',
  },
  {
    name: 'tune',
    type: 'string',
    value: 'GOAL',
    describe:
      'instead of a level: fast, balanced, small, or pull:BANDWIDTH (pull:100Mbit) for the quickest pull, as each layer is',
    group: 'Packing',
  },
  {
    name: 'budget',
    type: 'string',
    value: 'TIME',
    describe: 'spend so much time on packing (60s, 1m30s) where it saves most; depends on the machine',
    group: 'Packing',
  },
  {
    name: 'gzip-engine',
    type: 'string',
    choices: engineNames('gzip'),
    default: defaultEngine('gzip'),
    describe: 'libdeflate is smaller and faster; zlib and pako write a single gzip member',
    group: 'Packing',
  },
  {
    name: 'min-savings',
    type: 'string',
    value: 'N%|BYTES',
    describe: 'a layer that would not shrink by this much keeps its blob',
    group: 'Packing',
  },
];

export const common: readonly Option[] = [
  {
    name: 'tag',
    alias: 't',
    type: 'list',
    value: 'REF',
    describe: 'a destination; several tags of one repository (repeatable)',
    group: 'Result',
  },
  { name: 'in-place', type: 'boolean', describe: 'write over the source', group: 'Result' },
  { name: 'dry-run', type: 'boolean', describe: 'show what would happen; write nothing', group: 'Result' },
  {
    name: 'platform',
    type: 'list',
    value: 'OS/ARCH',
    describe: 'only these platforms of a multi-platform image (repeatable)',
    group: 'Result',
  },
  {
    name: 'annotation',
    type: 'list',
    value: 'K=V',
    describe: 'set an annotation of the manifest (repeatable)',
    group: 'Result',
  },
  {
    name: 'label',
    type: 'list',
    value: 'K=V',
    describe: 'set a label of the image config (repeatable)',
    group: 'Result',
  },
  {
    name: 'require-savings',
    type: 'string',
    value: 'N%',
    describe: 'publish nothing, and exit with 3, unless the layers shrink by this much',
    group: 'Result',
  },
  {
    name: 'report',
    type: 'list',
    value: 'FILE',
    describe: 'write a report: .json or .md (repeatable)',
    group: 'Reports',
  },
  {
    name: 'format',
    type: 'string',
    choices: ['text', 'json'],
    default: 'text',
    describe: 'json: the whole report on stdout',
    group: 'Reports',
  },
  {
    name: 'digestfile',
    type: 'string',
    value: 'FILE',
    describe: 'write the new digest there',
    group: 'Reports',
  },
  {
    name: 'iidfile',
    type: 'string',
    value: 'FILE',
    describe: 'write the image ID (the digest of the config) there',
    group: 'Reports',
  },
  {
    name: 'metadata-file',
    type: 'string',
    value: 'FILE',
    describe: "write the result there as JSON, with buildx's keys",
    group: 'Reports',
  },
];

export const output: readonly Option[] = [
  { name: 'quiet', alias: 'q', type: 'boolean', describe: 'no progress and no summary', group: 'Reports' },
  {
    name: 'verbose',
    alias: 'v',
    type: 'boolean',
    describe: 'more of both: every layer, every request that was tried again',
    group: 'Reports',
  },
  {
    name: 'progress',
    type: 'string',
    choices: ['auto', 'tty', 'plain', 'json', 'none'],
    default: 'auto',
    describe: 'how progress is shown on stderr',
    group: 'Reports',
  },
  { name: 'strict', type: 'boolean', describe: 'warnings are errors', group: 'Work' },
];

export const registries: readonly Option[] = [
  {
    name: 'creds',
    type: 'string',
    value: 'USER:PASSWORD',
    describe: 'credentials for both sides',
    group: 'Registries',
  },
  {
    name: 'src-creds',
    type: 'string',
    value: 'USER:PASSWORD',
    describe: 'credentials for the source',
    group: 'Registries',
  },
  {
    name: 'dest-creds',
    type: 'string',
    value: 'USER:PASSWORD',
    describe: 'credentials for the destination',
    group: 'Registries',
  },
  {
    name: 'authfile',
    type: 'string',
    value: 'FILE',
    describe: "credentials in a file like Docker's config.json",
    group: 'Registries',
  },
  { name: 'insecure', type: 'boolean', describe: 'allow plain HTTP and unverified TLS', group: 'Registries' },
  {
    name: 'tls-verify',
    type: 'boolean',
    default: true,
    describe: 'check certificates (--no-tls-verify: do not)',
    group: 'Registries',
  },
  {
    name: 'cert-dir',
    type: 'string',
    value: 'DIR',
    describe: 'CAs (*.crt) and client certificates (*.cert with *.key), instead of certs.d',
    group: 'Registries',
  },
  {
    name: 'client-p12',
    type: 'string',
    value: 'FILE',
    describe: 'a client certificate (PKCS#12); its passphrase in $OCISLIM_CLIENT_P12_PASSPHRASE',
    group: 'Registries',
  },
  {
    name: 'client-p12-passphrase-file',
    type: 'string',
    value: 'FILE',
    describe: 'that passphrase in a file',
    group: 'Registries',
  },
  {
    name: 'mirror',
    type: 'list',
    value: 'HOST=MIRROR',
    describe: 'read images of HOST from MIRROR[/PREFIX] where it has them (repeatable)',
    group: 'Registries',
  },
  {
    name: 'retry-times',
    type: 'number',
    value: 'N',
    default: 4,
    describe: 'how often a failed request is tried again',
    group: 'Registries',
  },
  {
    name: 'timeout',
    type: 'number',
    value: 'SECONDS',
    default: 60,
    describe: 'without progress for so long, a connection has failed',
    group: 'Registries',
  },
];

export const work: readonly Option[] = [
  {
    name: 'jobs',
    alias: 'j',
    type: 'number',
    value: 'N',
    describe: 'layers and blocks worked on at once (default: one for each processor)',
    group: 'Work',
  },
  {
    name: 'limit',
    type: 'list',
    value: 'NAME=VALUE',
    describe:
      'take more or less of what the image holds than by default: layer-bytes=200GiB, layer-entries=20000000, time=2h, none for no limit; docs/limits.md has them all (repeatable)',
    group: 'Work',
  },
  {
    name: 'max-scratch',
    type: 'string',
    value: 'SIZE',
    default: '2GB',
    describe: 'local disk for blobs that are read twice; 0 for none',
    group: 'Work',
  },
  {
    name: 'cache-dir',
    type: 'string',
    value: 'DIR',
    describe:
      'keep blobs and finished layers there, so that the next run moves and makes only what is missing',
    group: 'Work',
  },
  {
    name: 'cache-size',
    type: 'string',
    value: 'SIZE',
    default: '10GB',
    describe: 'what --cache-dir may take; the least recently used goes first',
    group: 'Work',
  },
];

/** The user's own check of the result. */
export const checking: readonly Option[] = [
  {
    name: 'verify-with',
    type: 'string',
    value: 'COMMAND',
    describe:
      'write the result to a layout on local disk first, run this shell command on it, and publish only if it succeeds',
    group: 'Result',
  },
];

export const debugging: readonly Option[] = [
  {
    name: 'debug-tag',
    type: 'string',
    value: 'REF',
    describe:
      'put a debug image beside the result: its layers, and on top all that was removed; a tag of the same repository, or a reference',
    group: 'Result',
  },
];

/** What every command that rewrites an image takes. */
export const rewriting: readonly Option[] = [...common, ...output, ...registries, ...work];
