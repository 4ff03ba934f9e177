/**
 * Runs ocislim on an image in each way below: `node scripts/measure.ts REFERENCE "WHAT IT IS"`. Writes the sizes to
 * docs/sizes.json and their chart to docs/sizes.svg.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Report } from '../src/report/report.ts';

interface Row {
  readonly command: string;
  /** Bytes of all layer blobs. */
  readonly size: number;
}

interface Measurement {
  readonly image: string;
  readonly rows: readonly Row[];
}

const commands: readonly (readonly string[])[] = [
  ['squash', '--all'],
  ['prune', '--shadowed'],
  ['prune', '--shadowed', '--preset', 'apt-lists,apt-cache,docs,logs'],
  ['slim'],
  ['recompress', '--compression', 'gzip', '--level', '10'],
  ['recompress', '--compression', 'zstd', '--level', '3'],
  ['recompress', '--compression', 'zstd', '--level', '12'],
  ['slim', '--compression', 'zstd', '--level', '12'],
];

const docs = fileURLToPath(new URL('../docs/', import.meta.url));
const bin = fileURLToPath(new URL('../bin/ocislim', import.meta.url));

async function measure(reference: string, image: string): Promise<Measurement> {
  const folder = mkdtempSync(join(tmpdir(), 'ocislim-measure-'));
  const rows: Row[] = [];
  try {
    for (const [i, args] of commands.entries()) {
      const report = join(folder, 'report.json');
      const [command = '', ...options] = args;
      const places = [reference, `oci:${join(folder, 'out')}:${i}`];
      await promisify(execFile)(process.execPath, [
        bin,
        command,
        ...places,
        ...options,
        '--quiet',
        '--report',
        report,
      ]);
      const { platforms } = JSON.parse(readFileSync(report, 'utf8')) as Report;
      const { sizeBefore, sizeAfter } = (platforms[0] as Report['platforms'][number]).compressing;
      if (rows.length === 0) rows.push({ command: 'as built', size: sizeBefore });
      rows.push({ command: args.join(' '), size: sizeAfter ?? 0 });
      rmSync(join(folder, 'out'), { recursive: true });
      process.stderr.write(`${args.join(' ')}: ${sizeAfter}\n`);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return { image, rows };
}

/** Returns a chart of bars in the order of the measurements, legible on light and dark pages. */
export function renderChart({ image, rows }: Measurement): string {
  const longest = Math.max(...rows.map(({ size }) => size));
  const height = 56 + rows.length * 30;
  const bars = rows.map(({ command, size }, i) => {
    const y = 44 + i * 30;
    const width = Math.max(2, Math.round((size / longest) * 330));
    const share = i === 0 ? '' : `  −${(100 - (size / longest) * 100).toFixed(0)} %`;
    return `  <text x="440" y="${y + 15}" text-anchor="end">${escape(command)}</text>
  <rect x="450" y="${y}" width="${width}" height="20" rx="3" fill="${i === 0 ? '#8b949e' : '#2f81f7'}"/>
  <text x="${458 + width}" y="${y + 15}">${(size / 1e6).toFixed(1)} MB${share}</text>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 960 ${height}" role="img" aria-label="${escape(`Sizes of ${image}`)}">
  <style>text { font: 13px ui-monospace, monospace; fill: #57606a } @media (prefers-color-scheme: dark) { text { fill: #b1bac4 } }</style>
  <text x="20" y="24">${escape(`${image}: bytes of all layers as transferred`)}</text>
${bars.join('\n')}
</svg>
`;
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}

if (import.meta.main) {
  const [reference, image] = process.argv.slice(2);
  if (reference === undefined || image === undefined) {
    process.stderr.write('usage: node scripts/measure.ts REFERENCE "WHAT IT IS"\n');
    process.exit(2);
  }
  const measurement = await measure(reference, image);
  writeFileSync(join(docs, 'sizes.json'), `${JSON.stringify(measurement, null, 2)}\n`);
  writeFileSync(join(docs, 'sizes.svg'), renderChart(measurement));
}
