/**
 * Measures what clients download of updates of real images: `node bench/relayer-real.ts IMAGES WORK [OPTION…]`. IMAGES is what
 * build-series.py has built; WORK gets what ocislim makes of it, 2 GB at a time, and what is there stays. It runs this checkout's command,
 * a second time with the options (`--noise adopt`), and writes relayer/real.md.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { median } from './measure/statistics.ts';
import { chunkah } from './relayer/chunkah.ts';
import {
  dropLayers,
  findLayout,
  type Layout,
  readLayout,
  sentBlobs,
  sentContents,
  splitAll,
} from './relayer/layouts.ts';
import { readCollection } from './relayer/series.ts';

const here = new URL('relayer/', import.meta.url);
const [images = '', work = '', ...options] = process.argv.slice(2);
const versions = readdirSync(images)
  .filter((name) => /^v\d+$/.test(name))
  .sort();

/** Lays out all versions, one after the other, each with those before it, and returns the layouts. */
function relayer(
  name: string,
  own: readonly string[],
  { history = false, extra = [] as readonly string[] } = {},
) {
  const target = (version: string): string => `oci:${join(work, name)}:${version}`;
  return versions.map((version, at): Layout => {
    const before = findLayout(join(work, name), version);
    if (before !== null) return before;
    const earlier = history ? versions.slice(0, at).toReversed() : [];
    const previous = earlier.flatMap((each) => ['--previous', target(each)]);
    const command = [
      'relayer',
      `oci:${join(images, version)}:v`,
      target(version),
      '--quiet',
      '--compression',
      'none',
    ];
    const args = [
      new URL('../bin/ocislim', import.meta.url).pathname,
      ...command,
      ...own,
      ...previous,
      ...extra,
    ];
    const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    if (status !== 0) throw new Error(`${command.join(' ')}: ${stderr}`);
    process.stderr.write(`${name} ${version}\n`);
    // Adopting reads the layers of the version before.
    if (extra.length === 0) dropLayers(join(work, name));
    return readLayout(join(work, name), version);
  });
}

const { dates } = readCollection(readFileSync(new URL('series.tsv', here), 'utf8'));
const originals = versions.map((version) => readLayout(join(images, version), 'v'));
const single = relayer('components', ['--max-layers', '2000']);
const files = relayer('files', ['--max-layers', '2000', '--by', 'size']);

/** The layouts that chunkah's algorithm makes of what is in `parts`. */
const rival = (parts: readonly Layout[], count: number): readonly Layout[] =>
  parts.map((layout) => {
    const items = splitAll(layout).map(({ name, bytes }) => ({ name, bytes, dates: dates.get(name) ?? [] }));
    return layout.arranged(chunkah(items, count, layout.time));
  });

/** What chunkah finds in an image of Debian: large files, and the rest as one. */
const known = files.map((layout) => layout.joined((name) => (name.startsWith('big:') ? name : 'unclaimed')));

type Row = readonly [name: string, layouts: readonly Layout[], sent: typeof sentBlobs];
const rows: Row[] = [
  ['only components with other contents (the bound)', single, sentContents],
  ['one squashed layer', originals.map((layout) => layout.squashed()), sentBlobs],
  ['layers of the Dockerfile', originals, sentBlobs],
];
for (const count of [16, 64]) {
  const own = ['--max-layers', `${count}`];
  const kept = relayer(`keep-${count}`, own, { history: true });
  rows.push(
    [`chunkah as it is on Debian, ${count} layers, times ignored`, rival(known, count), sentContents],
    [`chunkah with ocislim's components, ${count} layers, times ignored`, rival(single, count), sentContents],
    [`ocislim, ${count} layers, times kept`, kept, sentBlobs],
    [`ocislim, ${count} layers, times ignored`, kept, sentContents],
  );
  if (options.length > 0)
    rows.push([
      `ocislim ${options.join(' ')}, ${count} layers`,
      relayer(`adopt-${count}`, own, { history: true, extra: options }),
      sentBlobs,
    ]);
}

const least = versions.slice(1).map((_, at) => sentContents(single[at] as Layout, single[at + 1] as Layout));
const table = rows.map(([name, layouts, sent]) => {
  const shares = versions.slice(1).map((_, at) => sent(layouts[at] as Layout, layouts[at + 1] as Layout));
  const percent = [...shares, median(shares)].map((share) => `${(100 * share).toFixed(1)} %`);
  const ratio = median(shares.map((share, at) => share / (least[at] as number)));
  return `| ${[name, ...percent, ratio.toFixed(2)].join(' | ')} |`;
});
const head = ['layout', ...versions.slice(1), 'median', 'ratio to the bound, median'];
const text = [`| ${head.join(' | ')} |`, `|${' --- |'.repeat(head.length)}`, ...table].join('\n');
const bytes = single.map((layout) => splitAll(layout).reduce((sum, part) => sum + part.bytes, 0));
const about = `${versions.length} versions of about ${(median(bytes) / 1e6).toFixed(0)} MB, of ${median(single.map((layout) => splitAll(layout).length))} components.`;
process.stdout.write(`${text}\n${about}\n`);
writeFileSync(
  new URL('real.md', here),
  `# Downloads of updates of real images\n\nBytes, not packed, that a client of the version before downloads, in per cent of the image. ${about} Written by \`node bench/relayer-real.ts\`: [how](README.md).\n\n${text}\n`,
);
