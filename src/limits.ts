import { OcislimError } from './errors.ts';
import { GiB, KiB, MiB } from './units.ts';

interface Limit {
  readonly value: number;
  readonly unit: 'bytes' | 'times' | 'count' | 'seconds';
  /** What is bounded, and why at this value. */
  readonly doc: string;
}

/**
 * How much of what a stranger has made is taken. One table: the type, the defaults, `--limit`, docs/limits.md and the errors
 * are made from it.
 */
export const limitTable = {
  'layer-bytes': {
    value: 128 * GiB,
    unit: 'bytes',
    doc: 'Unpacked bytes of one layer. Registries take blobs of some 50 GB at most.',
  },
  'image-bytes': {
    value: 512 * GiB,
    unit: 'bytes',
    doc: 'Unpacked bytes of all layers of one image together.',
  },
  'window-bytes': {
    value: 128 * MiB,
    unit: 'bytes',
    doc: 'The window of a zstd frame, which a decoder must hold. zstd itself takes no more without `--long`, and uses no more below it; containerd ends at 512 MiB.',
  },
  ratio: {
    value: 1000,
    unit: 'times',
    doc: 'How many times its packed size a layer may unpack to, once it is beyond `ratio-floor`. gzip ends at 1,032, zstd beyond 32,000; a large layer that people use holds more than one byte in a thousand that is not like its neighbours.',
  },
  'ratio-floor': {
    value: 4 * GiB,
    unit: 'bytes',
    doc: 'Unpacked bytes below which `ratio` is not looked at: a swap file or an empty database of a gigabyte is honest, and is a thousand times smaller when packed with gzip.',
  },
  'layer-entries': {
    value: 10_000_000,
    unit: 'count',
    doc: 'Tar entries of one layer.',
  },
  'image-entries': {
    value: 20_000_000,
    unit: 'count',
    doc: 'Tar entries of all layers whose headers are held at once.',
  },
  'path-bytes': {
    value: 4096,
    unit: 'bytes',
    doc: 'Bytes of one path, and so its depth: 2,048 directories. Linux opens no longer ones (PATH_MAX), so no runtime can unpack them.',
  },
  'index-bytes': {
    value: 0,
    unit: 'bytes',
    doc: 'Memory that headers and names of all layers may take, as estimated. Default: three quarters of what Node.js may use (`NODE_OPTIONS=--max-old-space-size`), so that a layer of nothing but names ends in an error and not in a crash.',
  },
  'contents-bytes': {
    value: 2 * GiB,
    unit: 'bytes',
    doc: 'Contents of files (package databases, settings) of all layers that pruning by a trace holds in memory.',
  },
  'manifest-bytes': {
    value: 4 * MiB,
    unit: 'bytes',
    doc: 'One manifest or index. Registries must take 4 MiB, and few take more.',
  },
  'config-bytes': {
    value: 8 * MiB,
    unit: 'bytes',
    doc: 'The config of one image.',
  },
  'document-bytes': {
    value: 256 * MiB,
    unit: 'bytes',
    doc: 'Manifests and configs of all images of an index together, which are held at once.',
  },
  'index-depth': {
    value: 8,
    unit: 'count',
    doc: 'Indexes within each other.',
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
  time: {
    value: 24 * 3600,
    unit: 'seconds',
    doc: 'Seconds that a whole run may take; beyond, it is stopped and nothing is published.',
  },
} as const satisfies Record<string, Limit>;

/** What cannot be raised: who reads the same things elsewhere has these limits too, or nobody has a use for more. */
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
    'directories that no entry names count too; V8 has no larger tables',
  ],
  ['objects and lists in each other in a JSON document', '100', 'readers that recurse bear no more'],
  ['an answer of a token server', '128 KiB', ''],
  ['what a registry says of an error', '64 KiB', 'the rest is not read'],
  ['an answer of a credential helper', '1 MiB, 10 seconds', ''],
  ['pages of a list of referrers', '50', ''],
  ['indexes below the index.json of a layout', '1,000', 'those that are searched for a name'],
  ['hops of a link within an image archive', '16', ''],
  ['a trace', 'a line of 1 MiB, a JSON document of 256 MiB, 4,000,000 paths', ''],
];

export type LimitName = keyof typeof limitTable;

export type Limits = Readonly<Record<LimitName, number>>;

/** Bytes and counts are those up to which things are taken. `index-bytes` 0: as much as this process can hold. */
export const defaultLimits: Limits = Object.fromEntries(
  Object.entries(limitTable).map(([name, { value }]) => [name, value]),
) as Limits;

export function isLimitName(name: string): name is LimitName {
  return Object.hasOwn(limitTable, name);
}

/**
 * The error for what goes beyond a limit: which, its value, what was seen, how to raise it.
 * @param what what is too large, with its place where the caller knows it: "the layer"
 * @param seen what it came to, or was found to have before anybody looked further
 */
export function exceeded<Name extends LimitName>(
  name: Name,
  limits: Readonly<Record<Name, number>>,
  what: string,
  seen: string,
): OcislimError {
  return new OcislimError(
    'LIMIT',
    `${what}: ${seen}, and the limit ${name} is ${showLimit(name, limits[name])}`,
    {
      advice: `If you trust where it comes from, raise the limit: --limit ${name}=VALUE (docs/limits.md).`,
    },
  );
}

/** As people write it: `128GiB`, `1000`, `24h`. */
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
