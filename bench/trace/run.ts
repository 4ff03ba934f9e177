/**
 * Prunes real images by the traces of real workloads, and runs what is left: `npm run bench:trace -- --images DIR [NAME…]`.
 * DIR is what fixtures/images/build.sh and build-small.sh filled. Writes results.json beside it, and the table into
 * README.md; images that are named only print theirs. Needs strace, bubblewrap and tar; root is of no use to it.
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
const work = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'trace-'));
process.once('exit', () => rmSync(work, { recursive: true, force: true }));

const wanted = workloads.filter(({ image }) => positionals.length === 0 || positionals.includes(image));
const results = new Map<string, readonly Measured[]>();
let failed = false;
const queue = [...wanted];
// Two at a time: each is one process most of the time.
await Promise.all(
  [0, 1].map(async () => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const { image } = next;
      const start = Date.now();
      try {
        const layout = folders.map((folder) => join(resolve(folder), image)).find((path) => existsSync(path));
        if (layout === undefined) throw new Error(`${image} is not there: see fixtures/images`);
        results.set(image, await measure(next, layout, join(work, image)));
      } catch (error) {
        failed = true;
        process.stderr.write(`${image}: ${(error as Error).message}\n`);
      }
      process.stderr.write(`${image}: ${Math.round((Date.now() - start) / 1000)} s\n`);
    }
  }),
);
const all = wanted.flatMap(({ image }) => results.get(image) ?? []);
process.stdout.write(`${renderTable(all)}\n`);
for (const { image, granularity, failure } of all)
  if (failure !== null) process.stdout.write(`${image}, ${granularity}: ${failure.trim()}\n`);
if (positionals.length === 0 && !failed) {
  const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
  writeFileSync(here('results.json'), `${JSON.stringify(all, null, 2)}\n`);
  const readme = here('../../README.md');
  writeFileSync(readme, withTable(readFileSync(readme, 'utf8'), renderTable(all)));
}
process.exitCode = failed ? 1 : 0;
