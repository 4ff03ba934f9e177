/**
 * Measures time and memory of ocislim against the size of its input: `node bench/scaling.ts`, after `npm run
 * build`. Writes scaling.json and scaling.md beside it, or into `--out DIR`. `--large` adds 10 GiB and a million
 * entries (25 GB of disk); `--quick` keeps the two smallest cases of each kind; `--axis bytes|entries|layers`
 * selects one kind; `--keep` keeps earlier figures of what is not measured now; `--render` only writes the page.
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { readManifest } from './inputs/layout-files.ts';
import { writeLayout } from './inputs/write-layout.ts';
import { account, type RunOptions, type Usage } from './measure/account.ts';
import { program } from './measure/command.ts';
import { describeMachine } from './measure/machine.ts';
import { askVersion } from './rivals/find-rivals.ts';
import { ocislimArgv } from './rivals/ocislim.ts';
import { axes, cases, commands, type Case, type ScalingResults, type ScalingRow } from './scaling/cases.ts';
import { renderScaling } from './scaling/page.ts';

const { values } = parseArgs({
  options: {
    large: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
    render: { type: 'boolean', default: false },
    axis: { type: 'string', multiple: true },
    runs: { type: 'string', default: '3' },
    date: { type: 'string' },
    out: { type: 'string', default: fileURLToPath(new URL('.', import.meta.url)) },
    scratch: { type: 'string', default: tmpdir() },
  },
});
const out = resolve(values.out);
const abort = new AbortController();
const { signal } = abort;
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => abort.abort());
const scratch = mkdtempSync(join(resolve(values.scratch), 'ocislim-scaling-'));
process.once('exit', () => rmSync(scratch, { recursive: true, force: true }));
const temporary = join(scratch, 'temporary');
mkdirSync(temporary);
const env = { PATH: process.env['PATH'] ?? '', HOME: scratch, TMPDIR: temporary, CI: 'true' };
const options: RunOptions = { folder: scratch, env, limit: 3600, signal };

const status = await scale().then(
  () => 0,
  (error: Error) => {
    process.stderr.write(signal.aborted ? 'scaling: interrupted\n' : `scaling: ${error.message}\n`);
    return signal.aborted ? 130 : 1;
  },
);
process.exit(status);

async function scale(): Promise<void> {
  const file = join(out, 'scaling.json');
  mkdirSync(out, { recursive: true });
  if (values.render) {
    const known = JSON.parse(readFileSync(file, 'utf8')) as ScalingResults;
    return writeFileSync(join(out, 'scaling.md'), renderScaling(known));
  }
  const old =
    values.keep && existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as ScalingResults).rows : [];
  let rows = new Map<string, ScalingRow>(old.map((row) => [keyOf(row), row]));
  for (const each of wantedCases()) {
    const layout = join(scratch, 'image');
    await writeLayout(layout, each.layers(), { level: each.large ? 1 : 6, signal });
    for (const argv of commands) {
      const row = await measure(each, argv, layout);
      process.stderr.write(
        `${each.axis} ${each.at}, ${row.command}: ${row.failure ?? row.runs[0]?.seconds.toFixed(2)}\n`,
      );
      rows = new Map([...rows, [keyOf(row), row]]);
    }
    rmSync(layout, { recursive: true });
    const results: ScalingResults = {
      machine: describeMachine(),
      date: values.date ?? null,
      version: await askVersion(ocislimArgv('--version'), env),
      // Rows are in the order of the cases, whenever they were measured.
      rows: axes.flatMap((axis) =>
        [...rows.values()].filter((row) => row.axis === axis).toSorted((a, b) => a.at - b.at),
      ),
    };
    writeFileSync(file, `${JSON.stringify(results, null, 2)}\n`);
    writeFileSync(join(out, 'scaling.md'), renderScaling(results));
  }
}

function wantedCases(): readonly Case[] {
  return axes.flatMap((axis) => {
    if (values.axis !== undefined && !values.axis.includes(axis)) return [];
    const sized = cases.filter((each) => each.axis === axis && (values.large || !each.large));
    return values.quick ? sized.slice(0, 2) : sized;
  });
}

function keyOf({ axis, at, command }: ScalingRow): string {
  return `${axis} ${at} ${command}`;
}

/** Runs one command several times over one image. Every result is inspected, and the first one verified. */
async function measure(
  { axis, at, large }: Case,
  argv: readonly string[],
  layout: string,
): Promise<ScalingRow> {
  const result = join(scratch, 'result');
  const [source, target] = [`oci:${layout}:v1`, `oci:${result}:v1`];
  const [command = '', ...rest] = argv;
  const runs: Usage[] = [];
  let failure: string | null = null;
  const count = readManifest(layout).layers.length;
  // Large cases take minutes, and are measured once.
  for (let i = 0; i < (large ? 1 : Number(values.runs)) && failure === null; i++) {
    const ended = await account(program(...ocislimArgv(command, source, target, ...rest, '-q')), options);
    failure = ended.failure ?? lookAt(result, command === 'squash' ? 1 : count);
    if (failure === null && i === 0 && !large) {
      const verified = await account(program(...ocislimArgv('verify', source, target, '-q')), options);
      if (verified.failure !== null) failure = `ocislim verify: ${verified.failure}`;
    }
    if (failure === null) runs.push(ended.usage);
    rmSync(result, { recursive: true, force: true });
  }
  return { axis, at, command: argv.join(' '), runs, failure };
}

function lookAt(result: string, wanted: number): string | null {
  const { length } = readManifest(result).layers;
  return length === wanted ? null : `the result has ${length} layers instead of ${wanted}`;
}
