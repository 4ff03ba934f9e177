/**
 * Pairs of programs that unpack and pack each layer by itself, without an image around it. They show what the
 * hardware allows.
 */
import type { Argv } from '../measure/command.ts';
import { resultBlob, type Contender, type LayerFile, type Rival, type WorkName } from '../works/work.ts';

const bare = 'bytes only: no digest is checked or made, no manifest, no tar';

/** Returns a contender that pipes each layer through a pair of programs. */
function pipe(work: WorkName, label: string, unpack: (layer: LayerFile) => Argv, pack: Argv): Contender {
  return {
    work,
    label,
    makes: 'blobs',
    differs: bare,
    command: (task) => ({
      pipelines: task.layers.map((layer, i) => ({
        stages: [unpack(layer), pack],
        output: resultBlob(task, i),
      })),
    }),
  };
}

const unpackBy =
  (...gunzip: Argv) =>
  ({ file, compression }: LayerFile): Argv =>
    compression === 'gzip'
      ? [...gunzip, file]
      : compression === 'zstd'
        ? ['zstd', '-qdc', file]
        : ['cat', file];

const igzip = unpackBy('igzip', '-dc');
const unpigz = unpackBy('pigz', '-dc');
const gunzip = unpackBy('gzip', '-dc');

/** Programs that pack and unpack, and nothing else. */
export const limits: readonly Rival[] = [
  {
    name: 'zstd',
    programs: ['igzip', 'zstd'],
    versions: { igzip: ['igzip', '--version'], zstd: ['zstd', '--version'] },
    contenders: [
      pipe('zstd3', 'igzip -d | zstd -T0 -3', igzip, ['zstd', '-q', '-T0', '-3']),
      pipe('zstd19', 'igzip -d | zstd -T0 -19', igzip, ['zstd', '-q', '-T0', '-19']),
    ],
  },
  {
    name: 'pigz',
    programs: ['pigz', 'zstd'],
    versions: { pigz: ['pigz', '--version'] },
    contenders: [
      pipe('gzip6', 'pigz -d | pigz -6', unpigz, ['pigz', '-6']),
      pipe('unzstd', 'zstd -d | pigz -6', unpigz, ['pigz', '-6']),
      pipe('gzip9', 'pigz -d | pigz -9', unpigz, ['pigz', '-9']),
      pipe('small', 'pigz -d | pigz -9', unpigz, ['pigz', '-9']),
    ],
  },
  {
    name: 'gzip',
    programs: ['gzip'],
    versions: { gzip: ['gzip', '--version'] },
    contenders: [pipe('small', 'gzip -d | gzip -9', gunzip, ['gzip', '-9'])],
  },
  {
    name: 'cp',
    programs: ['cp'],
    versions: { coreutils: ['cp', '--version'] },
    contenders: [
      {
        work: 'copy-layout',
        label: 'cp',
        makes: 'layout',
        differs: bare,
        command: ({ layout, folder }) => ({
          pipelines: [{ stages: [['cp', '-r', layout, `${folder}/result`]] }],
        }),
      },
    ],
  },
  {
    name: 'sha256sum',
    programs: ['sha256sum'],
    versions: {},
    contenders: [
      {
        work: 'copy-layout',
        label: 'sha256sum',
        makes: 'nothing',
        differs: 'reads and hashes the blobs; ocislim does that and copies them',
        command: ({ layers }) => ({
          pipelines: [{ stages: [['sha256sum', ...layers.map(({ file }) => file)]] }],
        }),
      },
    ],
  },
];
