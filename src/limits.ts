/**
 * The limits on untrusted input: their names, defaults and reasons, and the error for input that exceeds one. The
 * command line reads `--limit` by this table, and every room that parses an image or an answer applies it.
 */
import { OcislimError } from './errors.ts';
import { GiB, KiB, MiB } from './units.ts';

interface Limit {
  readonly value: number;
  readonly unit: 'bytes' | 'times' | 'count' | 'seconds';
  /** What the limit bounds, and the reason for its value. */
  readonly doc: string;
}

/** The limits that a user can change. The type, the defaults, `--limit`, docs/limits.md and the errors are derived from it. */
export const limitTable = {
  'layer-bytes': {
    value: 128 * GiB,
    unit: 'bytes',
    doc: 'Unpacked bytes of one layer. Registries accept blobs of about 50 GB at most.',
  },
  'image-bytes': {
    value: 512 * GiB,
    unit: 'bytes',
    doc: 'Unpacked bytes of all layers of one image together.',
  },
  'window-bytes': {
    value: 128 * MiB,
    unit: 'bytes',
    doc: 'The window of a zstd frame, which a decoder must hold in memory. Without `--long`, zstd itself neither accepts nor uses a larger one; containerd accepts 512 MiB.',
  },
  ratio: {
    value: 1000,
    unit: 'times',
    doc: 'Ratio of the unpacked to the packed size of a layer, checked beyond `ratio-floor`. gzip reaches at most 1,032, zstd more than 32,000. Large layers in actual use compress less than a thousandfold.',
  },
  'ratio-floor': {
    value: 4 * GiB,
    unit: 'bytes',
    doc: 'Unpacked bytes below which `ratio` is not checked: a swap file or an empty database of a gigabyte is legitimate, and gzip compresses it a thousandfold.',
  },
  'layer-entries': {
    value: 10_000_000,
    unit: 'count',
    doc: 'Tar entries of one layer.',
  },
  'image-entries': {
    value: 20_000_000,
    unit: 'count',
    doc: 'Tar entries of all layers whose headers are in memory at the same time.',
  },
  'path-bytes': {
    value: 4096,
    unit: 'bytes',
    doc: 'Bytes of one path, which also limits its depth to 2,048 directories. Linux opens no longer path (PATH_MAX), so no runtime can unpack one.',
  },
  'index-bytes': {
    value: 0,
    unit: 'bytes',
    doc: 'Estimated memory for the headers and names of all layers. Default: three quarters of the memory that Node.js may use (`NODE_OPTIONS=--max-old-space-size`), so that a layer with too many names causes an error and not a crash.',
  },
  'contents-bytes': {
    value: 2 * GiB,
    unit: 'bytes',
    doc: 'Contents of files (package databases, settings) from all layers that pruning by a trace holds in memory.',
  },
  'manifest-bytes': {
    value: 4 * MiB,
    unit: 'bytes',
    doc: 'One manifest or index. Registries must accept 4 MiB, and few accept more.',
  },
  'config-bytes': {
    value: 8 * MiB,
    unit: 'bytes',
    doc: 'The config of one image.',
  },
  'document-bytes': {
    value: 256 * MiB,
    unit: 'bytes',
    doc: 'Manifests and configs of all images of an index, which are in memory at the same time.',
  },
  'index-children': {
    value: 5000,
    unit: 'count',
    doc: 'Rows of an index and of the indexes nested in it together, each index counted once. Each row may take requests; the largest published indexes have some dozens.',
  },
  'index-depth': {
    value: 8,
    unit: 'count',
    doc: 'Levels of nested indexes.',
  },
  referrers: {
    value: 1000,
    unit: 'count',
    doc: 'Artifacts about one source (signatures, attestations, SBOMs), and about these. Each may take requests.',
  },
  redirects: {
    value: 5,
    unit: 'count',
    doc: 'Redirects that one request follows.',
  },
  'archive-members': {
    value: 500_000,
    unit: 'count',
    doc: 'Members of an image archive.',
  },
  rules: {
    value: 1_000_000,
    unit: 'count',
    doc: 'Rules in all files of `--rules` together, and globs in all files of `--keep-file`.',
  },
  'rule-bytes': {
    value: 64 * MiB,
    unit: 'bytes',
    doc: 'All files of `--rules` together, and all files of `--keep-file`.',
  },
  'plan-bytes': {
    value: MiB,
    unit: 'bytes',
    doc: 'One plan (`--file`). YAML is read into a tree of nodes, which takes a thousand times longer than reading the file.',
  },
  'report-bytes': {
    value: 256 * MiB,
    unit: 'bytes',
    doc: 'One report that `--removed-by` names. It is read as a stream, and only what it announces is held in memory.',
  },
  'findings-bytes': {
    value: 256 * MiB,
    unit: 'bytes',
    doc: 'One file of a scanner that `--findings` names. Scanners write some thousand bytes for each finding.',
  },
  'credential-bytes': {
    value: 16 * MiB,
    unit: 'bytes',
    doc: 'One file of credentials: that of `--authfile`, and those of docker and podman.',
  },
  'certificate-bytes': {
    value: 16 * MiB,
    unit: 'bytes',
    doc: 'One file of certificates, keys or passphrases.',
  },
  'trace-bytes': {
    value: 256 * MiB,
    unit: 'bytes',
    doc: 'One trace that is a single JSON document. Traces of lines are read as streams, and may be of any size.',
  },
  'trace-paths': {
    value: 4_000_000,
    unit: 'count',
    doc: 'Distinct paths of all traces of one run.',
  },
  'trace-path-bytes': {
    value: 512 * MiB,
    unit: 'bytes',
    doc: 'These paths together, which are held in memory.',
  },
  time: {
    value: 24 * 3600,
    unit: 'seconds',
    doc: 'Seconds that a whole run may take. A run that exceeds them stops and publishes nothing.',
  },
} as const satisfies Record<string, Limit>;

/** The limits that a user cannot raise: other programs have the same limits, or larger inputs have no use. */
export const fixedLimits: readonly (readonly [what: string, limit: string, why: string])[] = [
  [
    'a PAX header, a GNU long name, a global header, a sparse map',
    '1 MiB',
    "as in Go's archive/tar, which runtimes use",
  ],
  ['all headers of one tar entry', '4 MiB', 'the extensions before it and its own'],
  [
    'distinct paths of a stack of layers',
    '16,000,000',
    'including directories that no entry names; V8 has no larger tables',
  ],
  ['nested objects and lists in a JSON document', '100', 'recursive readers fail on more'],
  ['the response of a token server', '128 KiB', ''],
  ["the body of a registry's error response", '64 KiB', 'the rest is not read'],
  ['the response of a credential helper', '1 MiB, 10 seconds', ''],
  ['pages of a list of referrers', '50', ''],
  ['indexes below the index.json of a layout', '1,000', 'those that are searched for a name'],
  ['hops of a link within an image archive', '16', ''],
  ['a line of a trace', '1 MiB', 'a longer one counts as unreadable'],
  ['a rule or a glob', '4,096 characters', 'Linux opens no longer path (PATH_MAX)'],
];

export type LimitName = keyof typeof limitTable;

export type Limits = Readonly<Record<LimitName, number>>;

/** The largest accepted values, in the unit of each limit. An `index-bytes` of 0 means: computed from the memory of this process. */
export const defaultLimits: Limits = Object.fromEntries(
  Object.entries(limitTable).map(([name, { value }]) => [name, value]),
) as Limits;

export function isLimitName(name: string): name is LimitName {
  return Object.hasOwn(limitTable, name);
}

/**
 * Makes the error (LIMIT) for input that exceeds a limit. It states the limit and its value, and how to raise it.
 * @param what the input that is too large, with its place if the caller knows it: "the layer"
 * @param seen the value of the input, or the part of it that was read before the limit stopped it
 */
export function exceeded<Name extends LimitName>(
  name: Name,
  limits: Readonly<Record<Name, number>>,
  what: string,
  seen: Seen,
): OcislimError {
  const says = typeof seen === 'string' ? seen : seen.says;
  return new OcislimError(
    'LIMIT',
    `${what}: ${says}, and the limit ${name} is ${showLimit(name, limits[name])}`,
    { advice: `If you trust where it comes from, ${howToRaise(name, limits[name], seen)}` },
  );
}

/** Makes the error (LIMIT) for work that took as long as it may. */
export function exceededTime(limits: Pick<Limits, 'time'>, what: string): OcislimError {
  const { time } = limits;
  return exceeded('time', limits, what, `it has run for ${time} ${time === 1 ? 'second' : 'seconds'}`);
}

/** What was seen of an input, in words, with the value that would suffice for all of it, or that it takes at least. */
export type Seen = string | { readonly says: string; readonly needed?: number; readonly atLeast?: number };

function howToRaise(name: LimitName, limit: number, seen: Seen): string {
  const { needed, atLeast = 0 } = typeof seen === 'string' ? {} : seen;
  if (needed !== undefined)
    return `raise the limit: --limit ${name}=${typed(name, needed)} (docs/limits.md).`;
  const value = Math.max(1, 2 * limit, 2 * atLeast);
  return `raise the limit, such as --limit ${name}=${typed(name, value)} (docs/limits.md). How much it takes is known only when it is read.`;
}

const longestTime = 999 * 3600;

/** Writes a value as `--limit` accepts it, rounded up to what is easily read. */
function typed(name: LimitName, value: number): string {
  const steps = { bytes: [GiB, MiB, KiB], seconds: [3600], times: [], count: [] }[limitTable[name].unit];
  // No longer time can be written.
  if (name === 'time' && value > longestTime) return 'none';
  const step = steps.find((each) => value >= 16 * each) ?? 1;
  return showLimit(name, Math.ceil(value / step) * step).replace(' bytes', '');
}

/** Formats a value: `128GiB`, `1000`, `24h`, `5 bytes`. */
export function showLimit(name: LimitName, value: number): string {
  const { unit } = limitTable[name];
  if (value === Number.POSITIVE_INFINITY) return 'none';
  if (unit === 'seconds') return value % 3600 === 0 ? `${value / 3600}h` : `${value}s`;
  if (unit !== 'bytes') return String(value);
  for (const [suffix, factor] of [
    ['GiB', GiB],
    ['MiB', MiB],
    ['KiB', KiB],
  ] as const)
    if (value >= factor && value % factor === 0) return `${value / factor}${suffix}`;
  return `${value} bytes`;
}
