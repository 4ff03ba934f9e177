/**
 * Measures what each rule of the closure costs: `npm run bench:costs -- --images DIR --traces DIR [NAME…]`, where --traces names the
 * folder that bench/trace/run.ts filled. For every image it computes what stays, once with all rules, and once without each of them: the
 * difference is what only this rule keeps, with what follows from it. Writes costs.json beside it, in which other images keep their
 * figures, and the table in bench/README.md.
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

const { values, positionals } = parseArgs({
  options: {
    images: { type: 'string', multiple: true, default: [] },
    traces: { type: 'string', default: '' },
  },
  allowPositionals: true,
});
const signal = new AbortController().signal;
const rules = closureRules({ keep: [] });
const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

for (const { image } of workloads) {
  if (positionals.length > 0 && !positionals.includes(image)) continue;
  const layout = values.images.map((folder) => join(resolve(folder), image)).find((path) => existsSync(path));
  const folder = join(resolve(values.traces), image);
  if (layout === undefined || !existsSync(folder)) continue;
  const start = Date.now();
  const traces = readdirSync(folder).map((name) => join(folder, name));
  const measured = (await inputsOf(layout, traces)).flatMap((input) => costsIn(image, input));
  const others = known().filter((cost) => cost.image !== image);
  writeFileSync(here('costs.json'), `${JSON.stringify([...others, ...measured], null, 2)}\n`);
  process.stderr.write(`${image}: ${Math.round((Date.now() - start) / 1000)} s\n`);
}
const readme = here('../README.md');
writeFileSync(readme, withCosts(readFileSync(readme, 'utf8'), renderCosts(known())));

function known(): readonly Cost[] {
  if (!existsSync(here('costs.json'))) return [];
  return JSON.parse(readFileSync(here('costs.json'), 'utf8')) as readonly Cost[];
}

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
  return (['package', 'file'] as const).flatMap((granularity) => {
    const pruning = {
      layers: { from: 1, to: image.manifest.layers.length },
      rules: [],
      keep: [],
      shadowed: true,
      clearSetuid: [],
      packageDb: 'keep' as const,
      force: true,
      trace: { trace: toTraceData(trace), granularity, keepCommands: [] },
    };
    const closed = atOnce(closeImageSteps(image, pruning, fs, facts));
    return closed === null ? [] : [closed.input];
  });
}

/** Returns what each rule keeps in one image by itself. A rule that is the reason of no path keeps nothing that others do not keep. */
function costsIn(image: string, input: ClosureInput): readonly Cost[] {
  const whole = closeOver(input, rules);
  const all = bytesOf(whole, input);
  const reasons = new Set([...whole.paths()].map((path) => whole.why(path)?.rule));
  return rules
    .filter(({ name }) => reasons.has(name))
    .map((left) => {
      const others = rules.filter((rule) => rule !== left);
      const bytes = all - bytesOf(closeOver(input, others), input);
      return { image, granularity: input.granularity, rule: left.name, bytes };
    })
    .filter(({ bytes }) => bytes > 0);
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
