/**
 * An analysis by hand, and the same with hostile text wherever an image decides. The tests of the renderers of analyses use it.
 */
import type { Analysis, AnalyzedLayer, WasteFinding } from '../../../src/analyze/analysis.ts';
import { cleanPath, type Path } from '../../../src/bytes/path.ts';
import { utf8Bytes } from '../../../src/bytes/bytes.ts';
import type { Digest } from '../../../src/oci/digest.ts';
import { nasty, nastyName } from '../../support/hostile-text.ts';

const digest = (digit: string): Digest => `sha256:${digit.repeat(64)}` as Digest;
const path = (text: string): Path => cleanPath(utf8Bytes(text));

const layer = (number: number, more: Partial<AnalyzedLayer>): AnalyzedLayer => ({
  number,
  digest: digest(`${number}`),
  diffId: digest(`${number + 4}`),
  mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
  transferBytes: 1_000_000 * number,
  tarBytes: 3_000_000 * number,
  instruction: null,
  created: null,
  entries: 10,
  markers: 0,
  files: 8,
  contentBytes: 2_900_000 * number,
  shadowedBytes: 0,
  duplicateBytes: 0,
  diveBytes: 2_900_000 * number,
  ...more,
});

const chown: WasteFinding = {
  kind: 'attributes',
  bytes: 2_900_000,
  files: 8,
  layer: 1,
  by: 2,
  why: 'RUN chown -R 1000 /app carries 8 files of layer 1 again, whose contents it does not change',
  places: [{ path: path('app/data'), bytes: 2_900_000, files: 8, layer: 2 }],
  dockerfile: 'COPY --chown=1000:1000 . /app',
  command: ['prune', '--shadowed'],
};

const files = {
  shells: [{ path: path('bin/sh'), names: [path('bin/ash')] }],
  'package-managers': [],
  interpreters: [],
  compilers: [],
  'network-tools': [{ path: path('usr/bin/curl'), names: [] }],
  setuid: [],
  capabilities: [],
  'world-writable-files': [],
  'world-writable-directories': [],
};

/** A small image in which a chown copies a layer. */
export const sample: Analysis = {
  image: {
    name: 'registry.example/team/app:1',
    digest: digest('a'),
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    platform: 'linux/amd64',
    created: '2026-01-02T03:04:05Z',
    config: {
      user: '',
      entrypoint: ['/app/run'],
      cmd: [],
      workingDir: '/app',
      ports: ['80/tcp'],
      volumes: [],
      healthcheck: false,
      environment: 2,
      labels: { maintainer: 'someone' },
    },
  },
  layers: [
    layer(1, { instruction: 'COPY . /app # buildkit', shadowedBytes: 2_900_000 }),
    layer(2, { instruction: 'RUN /bin/sh -c chown -R 1000 /app # buildkit', duplicateBytes: 120_000 }),
  ],
  totals: {
    transferBytes: 3_000_000,
    tarBytes: 9_000_000,
    contentBytes: 8_700_000,
    visibleFiles: 8,
    visibleDirectories: 2,
    visibleBytes: 5_800_000,
    reclaimableBytes: 2_900_000,
    duplicateBytes: 120_000,
  },
  dive: {
    efficiency: 0.666_666,
    sizeBytes: 8_700_000,
    userSizeBytes: 5_800_000,
    wastedBytes: 5_800_000,
    wastedUserPercent: 1,
    inefficient: [{ path: path('app/data'), count: 2, bytes: 5_800_000 }],
  },
  findings: [chown],
  largestFiles: [{ path: path('app/data'), bytes: 2_900_000, files: 1, layer: 2 }],
  largestDirectories: [{ path: path('app'), bytes: 5_800_000, files: 8, layer: null }],
  packages: [
    {
      kind: 'dpkg',
      name: 'libc6:amd64',
      version: '2.36-9+deb12u9',
      purl: 'pkg:deb/debian/libc6@2.36-9%2Bdeb12u9?arch=amd64',
      files: 3,
      bytes: 12_000,
      layer: 1,
    },
    { kind: 'node', name: 'left-pad', version: null, purl: null, files: 1, bytes: 900, layer: 2 },
  ],
  unreadDatabases: [{ path: path('var/lib/rpm/Packages'), why: 'its header is cut short' }],
  surface: {
    files,
    isRoot: true,
    secretVariables: ['API_TOKEN'],
    secretFiles: [{ path: path('root/.ssh/id_rsa'), layer: 1, visible: false }],
  },
  savings: {
    squash: { transferBytes: 900_000, error: 40_000, unpackedBytes: 2_900_000, command: ['squash', '--all'] },
    prune: {
      transferBytes: 900_000,
      error: 40_000,
      unpackedBytes: 2_900_000,
      command: ['prune', '--shadowed'],
    },
    recompress: {
      transferBytes: -1000,
      error: 0,
      unpackedBytes: 0,
      command: ['recompress', '--compression', 'zstd'],
    },
  },
};

/** Replaces every text of a value, but those of words that ocislim chose, by a hostile one. */
function poisoned(value: unknown, key = ''): unknown {
  const own = ['kind', 'digest', 'diffId', 'created', 'command'];
  if (typeof value === 'string') {
    if (own.includes(key)) return value;
    return key === 'path' || key === 'names' ? utf8Bytes(nastyName.replaceAll('/', '|')) : nasty;
  }
  if (Array.isArray(value)) return key === 'command' ? value : value.map((each) => poisoned(each, key));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, poisoned(each, name)]));
}

/** The same image as an attacker would have it. */
export const hostile = poisoned(sample) as Analysis;
