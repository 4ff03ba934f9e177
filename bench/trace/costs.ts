/**
 * Measures what each rule of the closure costs: `npm run bench:costs -- --images DIR --traces DIR`, where --traces names the folder
 * that bench/trace/run.ts filled. For every image it computes what stays, once with all rules, and once without each of them: the
 * difference is what only this rule keeps, with what follows from it. Writes costs.json beside it and the table in bench/README.md.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { closeImageSteps, contentProbe } from '../../src/closure/close-image.ts';
import { type Closure, type ClosureInput, closeOver } from '../../src/closure/closure.ts';
import { closureRules } from '../../src/closure/rules/all.ts';
import { silent } from '../../src/events.ts';
import { inspectImage } from '../../src/jobs/inspect.ts';
import { openSource } from '../../src/jobs/open.ts';
import { readSource } from '../../src/jobs/read-reference.ts';
import { defaultLimits } from '../../src/limits.ts';
import { anonymous } from '../../src/registry/auth/credential.ts';
import { readTraces } from '../../src/settings/trace-files.ts';
import { atOnce } from '../../src/steps.ts';
import { toTraceData } from '../../src/trace/trace-data.ts';
import { GiB } from '../../src/units.ts';
import { type Cost, renderCosts, withCosts } from './table.ts';
import { workloads } from './workloads/all.ts';

const { values } = parseArgs({
  options: {
    images: { type: 'string', multiple: true, default: [] },
    traces: { type: 'string', default: '' },
  },
});
const signal = new AbortController().signal;
const rules = closureRules({ keep: [] });
const levels = ['package', 'file'] as const;

const costs = new Map<string, Cost>(
  rules.map(({ name }) => [
    name,
    { rule: name, package: { bytes: 0, images: 0 }, file: { bytes: 0, images: 0 } },
  ]),
);
const measured: string[] = [];
for (const { image } of workloads) {
  const layout = values.images.map((folder) => join(resolve(folder), image)).find((path) => existsSync(path));
  const folder = join(resolve(values.traces), image);
  if (layout === undefined || !existsSync(folder)) continue;
  const start = Date.now();
  const traces = readdirSync(folder).map((name) => join(folder, name));
  for (const input of await inputsOf(layout, traces)) addCosts(input);
  measured.push(image);
  process.stderr.write(`${image}: ${Math.round((Date.now() - start) / 1000)} s\n`);
}
const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const result = { images: measured, costs: [...costs.values()] };
writeFileSync(here('costs.json'), `${JSON.stringify(result, null, 2)}\n`);
const readme = here('../README.md');
writeFileSync(readme, withCosts(readFileSync(readme, 'utf8'), renderCosts(result.costs)));

/** Reads an image and its traces, and returns what its closures are computed from. */
async function inputsOf(layout: string, files: readonly string[]): Promise<readonly ClosureInput[]> {
  const source = await openSource(await readSource(`oci:${layout}:v1`), {
    listener: silent,
    credentials: anonymous,
    insecure: false,
    tlsVerify: true,
  });
  const options = { source, platform: null, jobs: availableParallelism(), maxScratch: 2 * GiB };
  const { image, fs, facts } = await inspectImage(
    { ...options, limits: defaultLimits, listener: silent, signal },
    contentProbe,
  );
  const [trace] = await readTraces(files, { roots: [], limits: defaultLimits, signal });
  if (trace === undefined) throw new Error(`there is no trace of ${layout}`);
  return levels.flatMap((granularity) => {
    const pruning = {
      layers: { from: 1, to: image.manifest.layers.length },
      rules: [],
      keep: [],
      shadowed: true,
      clearSetuid: [],
      force: true,
      trace: { trace: toTraceData(trace), granularity, keepCommands: [] },
    };
    const closed = atOnce(closeImageSteps(image, pruning, fs, facts));
    return closed === null ? [] : [closed.input];
  });
}

/** Adds what each rule keeps in one image by itself. */
function addCosts(input: ClosureInput): void {
  const all = bytesOf(closeOver(input, rules), input);
  for (const left of rules) {
    const others = rules.filter((rule) => rule !== left);
    const bytes = all - bytesOf(closeOver(input, others), input);
    const cost = costs.get(left.name)?.[input.granularity === 'file' ? 'file' : 'package'];
    if (cost === undefined || bytes <= 0) continue;
    cost.bytes += bytes;
    cost.images++;
  }
}

/** Adds up the files that stay, each once. */
function bytesOf(closure: Closure, { fs }: ClosureInput): number {
  const counted = new Map<number, number>();
  for (const path of closure.paths()) {
    const carrier = fs.carrier(path);
    if (carrier?.kind === 'file') counted.set(carrier.id, fs.size(path));
  }
  return [...counted.values()].reduce((sum, size) => sum + size, 0);
}
