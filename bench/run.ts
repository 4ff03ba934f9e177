/**
 * Measures ocislim against others on real images: `npm run bench -- --images DIR [NAME…]`; bench/README.md has the
 * options. Writes results.json after every work, the tables made of it, and the chart.
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { renderChart } from './chart/svg.ts';
import { withMarked } from '../scripts/docs/marked.ts';
import { benchMarks, renderDetails, renderSummary } from './chart/table.ts';
import { readLayers } from './inputs/layout-files.ts';
import { isShape, makeShape, shapeNames } from './inputs/shapes.ts';
import { measureInstalls } from './install-size.ts';
import type { RunOptions } from './measure/account.ts';
import { describeMachine } from './measure/machine.ts';
import type { ImageFacts, Results, Row } from './results.ts';
import { rivals } from './rivals/all.ts';
import { askVersion, findProgram, findRivals } from './rivals/find-rivals.ts';
import { works } from './works/all.ts';
import { measureWork } from './works/measure-work.ts';
import { Rig } from './works/rig.ts';
import { workNames, type Work } from './works/work.ts';

const { values, positionals } = parseArgs({
  options: {
    images: { type: 'string', multiple: true },
    work: { type: 'string', multiple: true },
    rivals: { type: 'string', multiple: true },
    runs: { type: 'string' },
    bound: { type: 'string', default: '120' },
    limit: { type: 'string', default: '900' },
    quick: { type: 'boolean', default: false },
    render: { type: 'boolean', default: false },
    large: { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
    verify: { type: 'string', default: 'all' },
    date: { type: 'string' },
    out: { type: 'string' },
    bin: { type: 'string', multiple: true },
    scratch: { type: 'string', default: tmpdir() },
  },
  allowPositionals: true,
});

const here = fileURLToPath(new URL('./', import.meta.url));
const out = values.out === undefined ? undefined : resolve(values.out);
const resultsFile = join(out ?? here, 'results.json');
const wantedWorks = wanted(values.work, workNames, 'work');
const wantedRivals = wanted(
  values.rivals,
  rivals.map(({ name }) => name),
  'rival',
);

const abort = new AbortController();
const { signal } = abort;
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => abort.abort());
const scratch = mkdtempSync(join(resolve(values.scratch), 'ocislim-bench-'));
process.once('exit', () => rmSync(scratch, { recursive: true, force: true }));

const temporary = join(scratch, 'temporary');
mkdirSync(temporary);
const env = {
  PATH: [...(values.bin ?? []).map((folder) => resolve(folder)), process.env['PATH'] ?? ''].join(delimiter),
  HOME: join(scratch, 'home'),
  TMPDIR: temporary,
  LC_ALL: 'C.UTF-8',
  CI: 'true',
};
mkdirSync(env.HOME);
const options: RunOptions = { folder: scratch, env, limit: Number(values.limit), signal };

let failed = false;
try {
  await bench();
} catch (error) {
  failed = true;
  process.stderr.write(signal.aborted ? 'bench: interrupted\n' : `bench: ${(error as Error).message}\n`);
}
process.exit(signal.aborted ? 130 : failed ? 1 : 0);

async function bench(): Promise<void> {
  if (values.render) return write(readResults());
  for (const program of ['/usr/bin/time', 'bash', 'tar'])
    if (!existsSync(program) && findProgram(program, env.PATH) === undefined)
      throw new Error(`${program} is needed to measure: see bench/install-rivals.sh`);
  const found = await findRivals(rivals, env);
  const present = found.present.filter(({ name }) => name === 'ocislim' || (wantedRivals?.has(name) ?? true));
  const before = values.keep && existsSync(resultsFile) ? readResults() : undefined;
  let results: Results = {
    machine: describeMachine(),
    date: values.date ?? null,
    versions: {
      ...found.versions,
      'docker-registry': await askVersion(['docker-registry', '--version'], env),
    },
    missing: found.missing,
    images: before?.images ?? [],
    installs: measureInstalls(found.present, env.PATH),
    rows: before?.rows ?? [],
  };

  let heavyDone = false;
  for (const [i, image] of (await imageNames()).entries()) {
    const layout = await layoutOf(image, i);
    const layers = layout === undefined ? [] : readLayers(layout);
    const facts: ImageFacts = {
      name: image,
      layers: layers.length,
      size: sum(layers.map(({ size }) => size)),
    };
    if (layout !== undefined)
      results = { ...results, images: [...results.images.filter(({ name }) => name !== image), facts] };
    const rig = new Rig(image, layout ?? 'none', options);
    try {
      for (const work of works) {
        if (!fits(work, image, layers.length) || (work.heavy && heavyDone && wantedWorks === undefined))
          continue;
        const sibling = work.source === undefined ? undefined : siblingOf(image, work.source);
        if (work.source !== undefined && sibling === undefined) continue;
        const entrants = present.flatMap((rival) =>
          rival.contenders.flatMap((contender) =>
            contender.work === work.name ? [{ rival, contender }] : [],
          ),
        );
        const start = performance.now();
        let rows: readonly Row[];
        try {
          await rig.prepare(work.form);
          const runs = Number(values.runs ?? (values.quick ? 1 : work.runs));
          const bound = Number(values.bound);
          const verifyAll = values.verify !== 'own';
          rows = await measureWork(work, entrants, rig, {
            ...options,
            image,
            sibling,
            runs,
            bound,
            verifyAll,
          });
        } catch (error) {
          signal.throwIfAborted();
          process.stderr.write(`${work.name}, ${image}: ${(error as Error).message}\n`);
          failed = true;
          continue;
        }
        const others = results.rows.filter((row) => row.work !== work.name || row.image !== image);
        results = { ...results, rows: [...others, ...rows] };
        write(results);
        tell(rows, (performance.now() - start) / 1000);
      }
      if (layout !== undefined && !isShape(image)) heavyDone = true;
    } finally {
      await rig.stop();
      if (isShape(image)) rmSync(join(scratch, image), { recursive: true, force: true });
    }
  }
}

/** Returns real images first, then the shapes, and at last `none`. */
async function imageNames(): Promise<readonly string[]> {
  const real = positionals.length > 0 ? positionals : ['nginx', 'python', 'node'];
  const shapes = positionals.length > 0 ? [] : shapeNames.filter((name) => name !== 'huge');
  return [...real, ...shapes, ...(values.large ? ['huge'] : []), 'none'];
}

/** Returns the layout of an image; undefined for `none`. @throws Error for an image that does not exist */
async function layoutOf(image: string, index: number): Promise<string | undefined> {
  if (image === 'none') return undefined;
  if (isShape(image)) {
    const directory = join(scratch, image);
    const names = (await imageNames()).slice(0, index);
    const from = names.filter((name) => !isShape(name)).at(-1);
    const source = from === undefined ? siblingOf('nginx', '') : siblingOf(from, '');
    await makeShape(image, directory, { ...options, from: source, quick: values.quick });
    return directory;
  }
  const found = siblingOf(image, '');
  if (found === undefined) throw new Error(`there is no image ${image} below --images: see fixtures/images`);
  return found;
}

function siblingOf(image: string, ending: string): string | undefined {
  const folders = values.images ?? [join(tmpdir(), 'ocislim-test-images')];
  return folders
    .map((folder) => join(resolve(folder), `${image}${ending}`))
    .find((folder) => existsSync(join(folder, 'index.json')));
}

/**
 * Returns whether a work is done on an image: works of one layer only on shapes, and on the largest one of the
 * first image.
 */
function fits({ name, form, least }: Work, image: string, layers: number): boolean {
  if (wantedWorks !== undefined && !wantedWorks.has(name)) return false;
  if (image === 'none' || form === 'none') return image === 'none' && form === 'none';
  if (image === 'huge' && wantedWorks === undefined) return name === 'zstd3';
  return layers >= least;
}

function readResults(): Results {
  return JSON.parse(readFileSync(resultsFile, 'utf8')) as Results;
}

function write(results: Results): void {
  mkdirSync(out ?? here, { recursive: true });
  writeFileSync(resultsFile, `${JSON.stringify(results, null, 2)}\n`);
  writeFileSync(join(out ?? here, 'results.md'), renderDetails(results));
  writeFileSync(
    out === undefined ? join(here, '../docs/speed.svg') : join(out, 'speed.svg'),
    renderChart(results),
  );
  if (out !== undefined) return;
  const readme = join(here, 'README.md');
  writeFileSync(readme, withMarked(readFileSync(readme, 'utf8'), renderSummary(results), benchMarks));
}

function tell(rows: readonly Row[], seconds: number): void {
  const [first] = rows;
  if (first === undefined) return;
  process.stderr.write(`${first.work}, ${first.image}: ${Math.round(seconds)} s\n`);
  for (const { label, runs, failure } of rows) {
    const median = runs.map((run) => run.seconds).toSorted((a, b) => a - b)[runs.length >> 1];
    const ended = failure === null ? '' : ` failed: ${failure}`;
    process.stderr.write(`  ${label}:${median === undefined ? '' : ` ${median.toFixed(2)} s`}${ended}\n`);
  }
}

/** Returns the names that were asked for; undefined for all. A name that does not exist ends the run. */
function wanted(
  given: readonly string[] | undefined,
  known: readonly string[],
  what: string,
): ReadonlySet<string> | undefined {
  if (given === undefined) return undefined;
  const names = given.flatMap((each) => each.split(','));
  for (const name of names) {
    if (known.includes(name)) continue;
    process.stderr.write(`bench: there is no ${what} ${name}; there are: ${known.join(', ')}\n`);
    process.exit(2);
  }
  return new Set(names);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}
