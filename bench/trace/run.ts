/**
 * Prunes real images by the traces of real workloads, and runs what is left: `npm run bench:trace -- --images DIR
 * [NAME…]`. DIR is what fixtures/images/build.sh and build-small.sh filled. Writes results.json beside it, in which
 * other images keep their figures, and the table into README.md. Needs strace, bubblewrap and tar, but not root.
 */
import { existsSync, readFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { measure, type Measured } from './measure.ts';
import { renderTable, withTable } from './table.ts';
import { workloads } from './workloads.ts';

const { values, positionals } = parseArgs({
  options: { images: { type: 'string', multiple: true } },
  allowPositionals: true,
});
const folders = values.images ?? [join(tmpdir(), 'ocislim-test-images')];
const scratch = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'trace-'));
process.once('exit', () => rmSync(scratch, { recursive: true, force: true }));

const wanted = workloads.filter(({ image }) => positionals.length === 0 || positionals.includes(image));
const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
let results = existsSync(here('results.json'))
  ? (JSON.parse(readFileSync(here('results.json'), 'utf8')) as readonly Measured[])
  : [];
const queue = [...wanted];
// Two images at a time: each is one process most of the time.
await Promise.all([work('a'), work('b')]);
const readme = here('../../README.md');
writeFileSync(readme, withTable(readFileSync(readme, 'utf8'), renderTable(results)));
process.stdout.write(`${renderTable(results)}\n`);

async function work(name: string): Promise<void> {
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    const { image } = next;
    const start = Date.now();
    try {
      const layout = folders.map((folder) => join(resolve(folder), image)).find((path) => existsSync(path));
      if (layout === undefined) throw new Error('it is not there: see fixtures/images');
      const measured = await measure(next, layout, join(scratch, name));
      for (const { granularity, failure } of measured)
        if (failure !== null) process.stderr.write(`${image}, ${granularity}: ${failure.trim()}\n`);
      const known = [...results.filter((each) => each.image !== image), ...measured];
      results = workloads.flatMap((each) => known.filter((row) => row.image === each.image));
      writeFileSync(here('results.json'), `${JSON.stringify(results, null, 2)}\n`);
    } catch (error) {
      process.exitCode = 1;
      process.stderr.write(`${image}: ${(error as Error).message}\n`);
    }
    process.stderr.write(`${image}: ${Math.round((Date.now() - start) / 1000)} s\n`);
  }
}
