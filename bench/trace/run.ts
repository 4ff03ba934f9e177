/**
 * Prunes real images by the traces of real workloads, and runs what is left: `npm run bench:trace -- --images DIR
 * [--granularity G]… [--traces DIR] [--jobs N] [NAME…]`. --images names what fixtures/images/build.sh and build-small.sh filled, --traces a
 * folder in which the traces stay. Writes results.json beside it, in which other images keep their figures, and the table into
 * docs/measurements.md. Needs strace, bubblewrap and tar; the workloads that start as root need root.
 */
import { existsSync, readFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type Granularity, granularities, measure, type Measured } from './measure.ts';
import { renderTable, withTable } from './table.ts';
import { workloads } from './workloads/all.ts';

const { values, positionals } = parseArgs({
  options: {
    images: { type: 'string', multiple: true },
    granularity: { type: 'string', multiple: true },
    traces: { type: 'string' },
    jobs: { type: 'string', default: '2' },
  },
  allowPositionals: true,
});
const folders = values.images ?? [join(tmpdir(), 'ocislim-test-images')];
const scratch = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'trace-'));
process.once('exit', () => rmSync(scratch, { recursive: true, force: true }));

const levels = granularities.filter((each) => values.granularity?.includes(each) ?? true);
const wanted = workloads.filter(({ image }) => positionals.length === 0 || positionals.includes(image));
const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const known = (): readonly Measured[] =>
  existsSync(here('results.json'))
    ? (JSON.parse(readFileSync(here('results.json'), 'utf8')) as readonly Measured[])
    : [];
const queue = [...wanted];
// By default two images at a time: each is one process most of the time.
await Promise.all(Array.from({ length: Number(values.jobs) }, (_, i) => work(String(i))));
const page = here('../../docs/measurements.md');
writeFileSync(page, withTable(readFileSync(page, 'utf8'), renderTable(known())));
process.stdout.write(`${renderTable(known())}\n`);

async function work(name: string): Promise<void> {
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    const { image } = next;
    const start = Date.now();
    try {
      const layout = folders.map((folder) => join(resolve(folder), image)).find((path) => existsSync(path));
      if (layout === undefined) throw new Error('it is not there: see fixtures/images');
      const traces = values.traces === undefined ? null : join(resolve(values.traces), image);
      const measured = await measure(next, { layout, work: join(scratch, name), wanted: levels, traces });
      for (const { granularity, failure } of measured)
        if (failure !== null) process.stderr.write(`${image}, ${granularity}: ${failure.trim()}\n`);
      const results = updated(known(), image, measured);
      writeFileSync(here('results.json'), `${JSON.stringify(results, null, 2)}\n`);
    } catch (error) {
      process.exitCode = 1;
      process.stderr.write(`${image}: ${(error as Error).message}\n`);
    }
    process.stderr.write(`${image}: ${Math.round((Date.now() - start) / 1000)} s\n`);
  }
}

/** Returns the results with those of an image, in the order of the table. Granularities that were not measured keep their figures. */
function updated(
  known: readonly Measured[],
  image: string,
  measured: readonly Measured[],
): readonly Measured[] {
  const isNew = (granularity: Granularity): boolean =>
    measured.some((each) => each.granularity === granularity);
  const all = [...known.filter((each) => each.image !== image || !isNew(each.granularity)), ...measured];
  const rank = ({ granularity }: Measured): number => granularities.indexOf(granularity);
  return workloads.flatMap((each) =>
    all.filter((row) => row.image === each.image).toSorted((a, b) => rank(a) - rank(b)),
  );
}
