import { type Case, type Inputs, lines, rewriting, words } from '../case.ts';
import { everyPreset } from './removals.ts';

/** Real images, which take seconds for each run: what depends on their contents, and all commands over some of them. */
export function realCases({ images, folder }: Inputs): Case[] {
  const cases = [...images].flatMap(([name, reference]) => {
    const of = (line: string): Case => {
      const [command = '', ...options] = words(line.replace('TRACE', `${folder}/entrypoint.txt`));
      return rewriting('real', command, reference, options, name);
    };
    if (name.endsWith('-base')) return [];
    if (/-zstd$|\.tar$/.test(name)) return [of(`squash --last 2 ${fast}`)];
    return [
      ...each.map(of),
      ...(thorough.includes(name) ? [...all.map(of), ...others(name, reference)] : []),
    ];
  });
  return cases.map((one) => ({ ...one, alone: true }));
}

/** Packing is not what these cases are about. */
const fast = '--compression zstd --level 1';

const each = [
  `squash --last 2 --order similar --dedupe-hardlink ${fast}`,
  `prune --shadowed --preset ${everyPreset} ${fast}`,
  `prune --trace TRACE --granularity file ${fast}`,
  'prune --trace TRACE --force --dry-run',
  'prune --trace TRACE --granularity directory --explain usr/bin/env --dry-run',
];

const thorough = ['python', 'redis', 'busybox'];

const all = [
  'squash --all',
  'slim',
  'copy',
  'recompress --tune pull:100Mbit --dry-run',
  'recompress --compression zstd --level 3',
];

function others(name: string, reference: string): Case[] {
  return [
    lines(
      'real',
      `restore ${name}`,
      `prune ${reference} oci:out:slim --preset docs,locales --shadowed --report removed.json ${fast}`,
      `verify ${reference} oci:out:slim --removed-by removed.json`,
      'restore oci:out:slim oci:out:again --report report.json',
      `verify ${reference} oci:out:again --format json`,
    ),
    lines('real', `export ${name}`, `export ${reference} out.tar`),
  ];
}
