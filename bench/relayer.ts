/**
 * Simulates updates of images in real histories of Debian, PyPI and npm, and writes what clients download by how the images are laid
 * out: `node bench/relayer.ts [SERIES.tsv]`. It takes some seconds, and its results depend on nothing but the files.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { median } from './measure/statistics.ts';
import { readCollection } from './relayer/series.ts';
import {
  bound,
  type Downloads,
  dockerfile,
  foreseeing,
  simulate,
  squashed,
  strategies,
} from './relayer/simulate.ts';

const here = new URL('relayer/', import.meta.url);
const collection = readCollection(readFileSync(process.argv[2] ?? new URL('series.tsv', here), 'utf8'));

const columns: { readonly name: string; readonly downloads: readonly Downloads[] }[] = [
  { name: bound.name, downloads: collection.series.map((each) => simulate(each, bound)) },
  { name: squashed.name, downloads: collection.series.map((each) => simulate(each, squashed)) },
  { name: 'layers of a Dockerfile', downloads: collection.series.map(dockerfile) },
  ...[16, 64].flatMap((count) => [
    ...strategies(collection, count).map((strategy) => ({
      name: strategy.name,
      downloads: collection.series.map((each) => simulate(each, strategy)),
    })),
    {
      name: `ocislim, ${count} layers, rates of the whole series`,
      downloads: collection.series.map((each) => simulate(each, foreseeing(each, count))),
    },
  ]),
];

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
const least = columns[0]?.downloads.map(median) ?? [];

const rows = columns.map(({ name, downloads }) => {
  const medians = downloads.map(median);
  const ratios = medians.map((value, at) => value / (least[at] as number));
  const rival = columns.find(
    (each) => each.name === `chunkah, ${/(\d+) layers/.exec(name)?.[1] ?? 16} layers`,
  );
  const beside = medians.map((value, at) => value / median(rival?.downloads[at] ?? []));
  const figures = [median(ratios).toFixed(2), median(beside).toFixed(2)];
  return `| ${[name, ...medians.map(percent), percent(median(medians)), ...figures].join(' | ')} |`;
});
const head = [
  'layout',
  ...collection.series.map(({ name }) => name),
  'median',
  'ratio to the bound, median',
  'ratio to chunkah of as many layers (else 16), median',
];
const table = [`| ${head.join(' | ')} |`, `|${' --- |'.repeat(head.length)}`, ...rows].join('\n');
process.stdout.write(`${table}\n`);
if (process.argv[2] === undefined) {
  const page = new URL('results.md', here);
  writeFileSync(
    page,
    `# Downloads of updates\n\nMedians over seven updates of each series. Written by \`node bench/relayer.ts\`: [how](README.md).\n\n${table}\n`,
  );
}
