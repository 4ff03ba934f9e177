/**
 * Cases that merge or repack layers, for all.ts. Reports, metadata and digests of each result are compared too.
 */
import { type Case, type Inputs, lines, rewriting, words } from '../case.ts';

/** Squashes: every selection, every packing of the result, every form of image. */
export function squashCases({ layout, fourthLayer }: Inputs): Case[] {
  const app = `oci:${layout}:app`;
  const of = (image: string, options: string): Case =>
    rewriting('squash', 'squash', `oci:${layout}:${image}`, words(options), image === 'app' ? '' : image);
  return [
    ...selections.map((options) => of('app', options)),
    of('app', `--base oci:${layout}:base`),
    of('app', `--from-layer ${fourthLayer}`),
    ...['docker', 'index', 'plain'].flatMap((image) => [of(image, '--all'), of(image, '--last 3')]),
    of('index', '--all --platform linux/arm64'),
    of('index', '--last 2 --platform linux/arm64/v8 --platform linux/amd64'),
    of('docker', '--last 3 --compression zstd'),
    lines(
      'squash',
      'squash twice with a cache',
      `squash ${app} oci:out:1 --all --cache-dir cache --format json --jobs 1`,
      `squash ${app} oci:out:2 --last 3 --cache-dir cache --format json --jobs 1`,
      `squash ${app} oci:out:3 --all --cache-dir cache --format json --jobs 1`,
    ),
    lines(
      'squash',
      'squash in place, of a copy',
      `copy ${app} oci:out:app`,
      'squash oci:out:app --in-place --last 2',
      'squash oci:out:app --in-place --last 1',
    ),
    lines('squash', 'squash to two tags', `squash ${app} -t oci:out:a -t oci:out:b --last 2`),
  ];
}

const selections = [
  '--last 1',
  '--last 3',
  '--layers 2..5',
  '--layers 1..3',
  '--layers 7',
  '--layers 4..',
  '--all',
  '--from-layer 4',
  '--all --order similar',
  '--all --dedupe-hardlink',
  '--layers 2..5 --order similar --dedupe-hardlink',
  '--all --compression zstd --level 12',
  '--all --compression gzip --level 6',
  '--last 3 --compression gzip --gzip-engine zlib --level 6',
  '--last 3 --compression gzip --gzip-engine pako',
  '--all --compression none',
  '--all --tune small',
  '--all --min-savings 90%',
  '--last 4 --label made=by-hand --annotation note=here',
  '--all --jobs 1',
  '--all --max-scratch 0',
  '--all --dry-run',
];

/** Repackings: every format and engine over several levels, goals, and thresholds. */
export function recompressCases({ layout }: Inputs): Case[] {
  const of = (image: string, options: string): Case =>
    rewriting(
      'recompress',
      'recompress',
      `oci:${layout}:${image}`,
      words(options),
      image === 'app' ? '' : image,
    );
  const images = ['docker', 'index', 'plain'];
  return [
    ...packings.map((options) => of('app', options)),
    ...images.flatMap((image) =>
      ['', '--compression zstd', '--tune pull:100Mbit'].map((how) => of(image, how)),
    ),
    of('app', `--compression zstd --base oci:${layout}:base`),
  ];
}

const packings = [
  '',
  ...[1, 3, 7, 12, 19, 22].map((level) => `--compression zstd --level ${level}`),
  ...[1, 4, 6, 9, 10, 12].map((level) => `--compression gzip --level ${level}`),
  ...[1, 6, 9].map((level) => `--compression gzip --gzip-engine zlib --level ${level}`),
  ...[1, 6, 9].map((level) => `--compression gzip --gzip-engine pako --level ${level}`),
  '--compression gzip',
  '--compression zstd',
  '--compression none',
  ...['fast', 'balanced', 'small', 'pull:100Mbit', 'pull:50MB', 'pull:10Gbit'].map(
    (goal) => `--tune ${goal}`,
  ),
  '--tune small --compression gzip',
  '--tune fast --compression zstd --layers 3..5',
  '--tune small --gzip-engine zlib',
  '--compression gzip --level 9 --min-savings 5%',
  '--compression zstd --level 9 --min-savings 1000',
  '--compression zstd --level 5 --layers 3..5',
  '--compression zstd --jobs 1',
  '--compression gzip --require-savings 1%',
  '--compression none --require-savings 1%',
  '--compression zstd --dry-run',
  '--tune small --dry-run',
];

/** Returns cases of all stages at once: by options, and by plans. */
export function slimCases({ layout, folder, plans }: Inputs): Case[] {
  const of = (image: string, options: string): Case =>
    rewriting('slim', 'slim', `oci:${layout}:${image}`, words(options), image === 'app' ? '' : image);
  return [
    ...stages.map((options) => of('app', options)),
    ...['docker', 'index', 'plain'].map((image) => of(image, '')),
    ...plans.map((plan) => of(plan.includes('trace') ? 'traced' : 'app', `-f ${folder}/${plan}`)),
    of('index', `-f ${folder}/plan-ranges.yaml`),
    of('app', `-f ${folder}/plan-all.yaml --preset docs`),
    of('app', `-f ${folder}/plan-all.yaml --dry-run --label a=b`),
    of('app', '-f /nonexistent/plan.yaml'),
  ];
}

const stages = [
  '',
  '--all',
  '--last 4',
  '--preset docs,logs --last 4 --compression zstd --level 12',
  '--from-layer 3 --preset docs,logs --rule opt/data/s* --compression zstd --level 9',
  '--layers 2..6 --tune small',
  '--order similar --dedupe-hardlink',
  '--empty-layers drop',
  '--compression gzip --gzip-engine pako --min-savings 2%',
  '--keep var/lib/apt/**',
  '--dry-run',
  '--require-savings 99%',
];
