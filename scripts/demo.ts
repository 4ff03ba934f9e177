/**
 * The demonstration, `npm run demo`: builds an image, runs commands over it, and compares the results in a table.
 * Everything happens in one temporary folder, which is removed at the end.
 */
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { formatChange, formatSize } from '../src/report/figures.ts';
import type { Report } from '../src/report/report.ts';
import { chooseStyle } from '../src/report/style.ts';
import { type Cell, layOut, truncate } from '../src/report/table.ts';
import { serveRegistry } from '../src/store/server/serve-registry.ts';
import { writeDemoImage } from './demo-image.ts';

const style = chooseStyle(process.env, process.stdout.isTTY);
const bin = fileURLToPath(new URL('../bin/ocislim', import.meta.url));
const started = performance.now();
const stop = new AbortController();
process.once('SIGINT', () => stop.abort());
process.once('SIGTERM', () => stop.abort());

/** The variants of the image: the command, and what it shows. */
const variants = [
  {
    tag: '1-squashed',
    title:
      'Squash the application’s four layers into one. The layers below stay as they are, shared and unread.',
    args: ['squash', '--last', '4'],
  },
  {
    tag: '1-pruned',
    title:
      'Prune: drop what upper layers hide (which no container can see), documentation and the headers. All six layers stay.',
    args: ['prune', '--shadowed', '--preset', 'docs,npm-yarn-cache', '--rule', 'usr/local/include'],
  },
  {
    tag: '1-zstd',
    title: 'Recompress: the same layers, packed with zstd.',
    args: ['recompress', '--compression', 'zstd', '--level', '9'],
  },
  {
    tag: '1-slim',
    title: 'Slim: everything without risk in one pull and one push. What is left is packed better as gzip.',
    args: ['slim'],
  },
] as const;

/** The image's layers, short enough for a table. */
const instructions = [
  'ADD node.tar.xz /usr/local',
  'RUN apt-get update && npm ci',
  'COPY . /app',
  'RUN npm prune && rm -rf …',
  'RUN chown -R node:node /app',
  'COPY app.conf /etc/app.conf',
];

const folder = await mkdtemp(join(tmpdir(), 'ocislim-demo-'));
try {
  await demonstrate();
} catch (error) {
  if (!stop.signal.aborted) throw error;
  process.exitCode = 130;
} finally {
  await rm(folder, { recursive: true, force: true });
}

async function demonstrate(): Promise<void> {
  heading('An image as a careless Dockerfile makes it, out of the files that npm ci has put on this machine');
  await writeDemoImage(join(folder, 'built'), '1');
  const server = await serveRegistry({ layoutDir: join(folder, 'registry'), signal: stop.signal });
  try {
    const image = `${server.host}/demo/app`;
    say(style.dim(`A registry serves ${server.url} until this ends.`));
    heading('Push it');
    await ocislim('copy', 'oci:built:1', `${image}:1`);
    const reports: Report[] = [];
    for (const { tag, title, args } of variants) {
      heading(title);
      const [command, ...options] = args;
      await ocislim(command, `${image}:1`, `${image}:${tag}`, ...options, '--report', `${tag}.json`);
      reports.push(JSON.parse(await readFile(join(folder, `${tag}.json`), 'utf8')) as Report);
    }
    heading('Prove it: the root filesystems are equal in every attribute');
    await ocislim('verify', `${image}:1`, `${image}:1-squashed`);
    await ocislim('verify', `${image}:1`, `${image}:1-zstd`);
    heading('and the pruned one lacks what its report names, and nothing else');
    await ocislim('verify', `${image}:1`, `${image}:1-pruned`, '--removed-by', '1-pruned.json');
    heading('Layer by layer, as transferred');
    for (const line of comparison(reports)) say(line);
    const seconds = ((performance.now() - started) / 1000).toFixed(0);
    say(`\n${style.dim(`${seconds} seconds. No daemon, no root; ${folder} is removed now.`)}`);
  } finally {
    await server.close();
  }
}

/** Returns a table: a row for each source layer, a column for each variant, the sums below. */
function comparison(reports: readonly Report[]): string[] {
  const platforms = reports.map((report) => report.platforms[0] as Report['platforms'][number]);
  const sources = (platforms[0] as Report['platforms'][number]).layers.flatMap(({ before }) => before);
  const head: Cell[] = ['', 'instruction', '1', ...variants.map(({ tag }) => tag)].map((text) => ({
    text,
    paint: style.bold,
  }));
  const rows = sources.map((source, i): Cell[] => [
    String(i + 1),
    truncate(instructions[i] ?? '', 34),
    formatSize(source.size),
    ...platforms.map(({ layers }): Cell => {
      const into = layers.find(({ before }) => before.some(({ number }) => number === source.number));
      if (into === undefined || into.after === null) return '';
      const top = into.before.at(-1)?.number === source.number;
      if (!top) return { text: '↓', paint: style.dim };
      const same = into.after.digest === source.digest;
      return { text: same ? 'same blob' : formatSize(into.after.size), paint: same ? style.dim : style.good };
    }),
  ]);
  const before = sources.reduce((sum, { size }) => sum + size, 0);
  const after = platforms.map(({ compressing }) => compressing.sizeAfter ?? 0);
  const total = (cells: readonly string[]): Cell[] => cells.map((text) => ({ text, paint: style.bold }));
  return layOut(
    [
      head,
      ...rows,
      total(['', 'total', formatSize(before), ...after.map(formatSize)]),
      total(['', '', '', ...after.map((size) => formatChange(before, size))]),
    ],
    'rlrrrrr',
  );
}

/** Runs the command as a person would, in the temporary folder, and shows it. */
async function ocislim(...args: readonly string[]): Promise<void> {
  say(`${style.dim('$')} ${style.bold(['ocislim', ...args].map(quote).join(' '))}`);
  const child = spawn(process.execPath, [bin, ...args], {
    cwd: folder,
    // Without a terminal the summaries are enough.
    env: process.stderr.isTTY ? process.env : { ...process.env, OCISLIM_PROGRESS: 'none' },
    stdio: ['ignore', 'inherit', 'inherit'],
    signal: stop.signal,
    killSignal: 'SIGINT',
  });
  const status = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  if (status !== 0) throw new Error(`ocislim ${args[0] ?? ''} ended with status ${String(status)}`);
}

function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

function heading(text: string): void {
  say(`\n${style.good('▌')} ${style.bold(text)}`);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
