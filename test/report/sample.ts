/**
 * A sample report for the tests of this room, with its parts filled in. Tests change copies of it.
 */
import { type LayerReport, type Report, reportId } from '../../src/report/report.ts';

const digest = (n: number): string => `sha256:${n.toString(16).padStart(2, '0').repeat(32)}`;
const gzip = 'application/vnd.oci.image.layer.v1.tar+gzip';
const zstd = 'application/vnd.oci.image.layer.v1.tar+zstd';

function source(number: number, size: number, createdBy: string | null): LayerReport['before'][number] {
  return {
    number,
    digest: digest(number),
    mediaType: gzip,
    size,
    uncompressedSize: size * 3,
    diffId: digest(100 + number),
    createdBy,
  };
}

/** A report with a bit of everything: a squash of three layers, kept and dropped ones, names that are not UTF-8. */
export const sample: Report = {
  $id: reportId,
  reportVersion: 1,
  tool: { name: 'ocislim', version: '0.1.0' },
  command: 'slim',
  started: '2026-01-15T12:00:00.000Z',
  durationSeconds: 12.345,
  dryRun: false,
  source: {
    reference: 'registry.example/app:v1',
    digest: digest(1),
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
  },
  destination: {
    references: ['registry.example/app:slim'],
    digest: digest(2),
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
  },
  unchanged: false,
  warnings: [{ code: 'RULE_UNUSED', message: 'the rule "*.x" matched nothing' }],
  encoders: [{ name: 'zstd', version: '1.5.7', level: 19, blockSize: 33_554_432 }],
  platforms: [
    {
      platform: 'linux/amd64',
      sourceDigest: digest(3),
      digest: digest(4),
      layers: [
        {
          action: 'kept',
          before: [
            source(
              1,
              48_200_000,
              '/bin/sh -c #(nop) ADD file:8a9218592e5d736a05a1821a6dd38b205cdd8197c26a5aa33f6fc22fbfaa1c4d in / ',
            ),
          ],
          after: {
            digest: digest(1),
            mediaType: gzip,
            size: 48_200_000,
            uncompressedSize: null,
            diffId: digest(101),
          },
        },
        {
          action: 'rewritten',
          before: [
            source(
              2,
              120_000_000,
              'RUN /bin/sh -c apt-get update && apt-get install -y --no-install-recommends python3 python3-requests # buildkit',
            ),
            source(3, 9_000_000, 'COPY /app /app # buildkit'),
            source(4, 9_100_000, 'RUN /bin/sh -c chown -R 1000:1000 /app # buildkit'),
          ],
          after: {
            digest: digest(5),
            mediaType: zstd,
            size: 21_034_000,
            uncompressedSize: 60_000_000,
            diffId: digest(105),
          },
        },
        { action: 'dropped', before: [source(5, 32, 'RUN rm -rf /var/lib/apt/lists/*')], after: null },
        {
          action: 'kept-not-smaller',
          before: [source(6, 812, null)],
          after: {
            digest: digest(6),
            mediaType: gzip,
            size: 812,
            uncompressedSize: 2048,
            diffId: digest(106),
          },
        },
      ],
      slimming: {
        removedEntries: 64,
        filesRemoved: 60,
        removedBytes: 205_000_000,
        bytesBefore: 414_300_000,
        bytesAfter: 209_300_000,
        byRule: [
          { rule: 'var/lib/apt/lists/**', origin: 'preset apt-lists', entries: 4, bytes: 82_910_000 },
          { rule: 'var/lib/apt/lists/partial/**', origin: 'preset apt-lists', entries: 1, bytes: 1_000 },
          {
            rule: 'var/cache/apt/archives/*.deb',
            origin: 'preset apt-cache',
            entries: 53,
            bytes: 113_000_000,
          },
          { rule: 'app/bad*', origin: '--rule', entries: 1, bytes: 1024 },
          { rule: 'shadowed', origin: '--shadowed', entries: 5, bytes: 9_087_976 },
        ],
        removed: [
          {
            path: 'var/lib/apt/lists/lock',
            layer: 2,
            type: 'file',
            size: 0,
            bytes: 512,
            rule: 'var/lib/apt/lists/**',
            origin: 'preset apt-lists',
            how: 'freed',
          },
          {
            path: 'app/bad\\xff',
            pathBase64: 'YXBwL2JhZP8=',
            layer: 3,
            type: 'file',
            size: 3,
            bytes: 1024,
            rule: 'app/bad*',
            origin: '--rule',
            how: 'hidden',
          },
          {
            path: 'app/evil\u001b[2J|`<b>\u202e::x',
            layer: 3,
            type: 'symlink',
            size: 0,
            bytes: 512,
            rule: 'shadowed',
            origin: '--shadowed',
            how: 'freed',
          },
        ],
        promoted: [
          {
            path: 'app/data/hard.bin',
            layer: 3,
            from: 'app/data/blob.bin',
            reason: 'the name with the data was removed',
          },
        ],
        cleared: [{ path: 'app/suid', layer: 3, oldMode: '4755', newMode: '0755' }],
        linked: {
          files: 2,
          bytes: 2_400_000,
          links: [
            { path: 'app/vendor/copy.js', layer: 4, to: 'app/lib/first.js', size: 1_200_000 },
            {
              path: 'app/v\\xe9',
              pathBase64: 'YXBwL3bp',
              layer: 4,
              to: 'app/\\xe9',
              toBase64: 'YXBwL+k=',
              size: 1_200_000,
            },
          ],
        },
      },
      keeping: {
        trace: 'app.trace',
        granularity: 'package',
        tracedPaths: 214,
        foundPaths: 180,
        forced: [],
        leftOut: [],
        byRule: [{ rule: 'trace', paths: 180, bytes: 12_345_678 }],
        kept: [
          { path: 'usr/bin/node', rule: 'trace', detail: 'executed', because: null, strength: 'needed' },
          {
            path: 'usr/lib/libz.so.1',
            rule: 'elf-needed',
            detail: 'needed as libz.so.1',
            because: 'usr/bin/node',
            strength: 'needed',
          },
        ],
      },
      surface: {
        files: [
          {
            kind: 'shells',
            before: [{ path: 'usr/bin/bash' }, { path: 'usr/bin/dash', names: ['usr/bin/sh'] }],
            after: [{ path: 'usr/bin/dash' }],
          },
          { kind: 'package-managers', before: [{ path: 'usr/bin/apt' }], after: [] },
          { kind: 'interpreters', before: [], after: [] },
          {
            kind: 'setuid',
            before: [{ path: 'app/su|id\u001b[2J' }],
            after: [{ path: 'app/su|id\u001b[2J' }],
          },
        ],
        ports: ['80/tcp'],
        user: '',
        isRoot: true,
        secrets: ['DB_PASSWORD', 'A\u001b_TOKEN'],
      },
      compressing: {
        sizeBefore: 186_300_844,
        sizeAfter: 69_234_812,
        savedBySlimming: 98_000_000,
        savedByPacking: 19_066_032,
        estimated: true,
      },
    },
  ],
  transfer: {
    presentBytes: 48_200_000,
    mountedBytes: 0,
    copiedBytes: 0,
    downloadedBytes: 138_100_000,
    cachedBytes: 0,
    uploadedBytes: 21_040_000,
  },
};
