import { readdirSync, readFileSync } from 'node:fs';
import { writeFinding } from './findings.ts';
import { parseOptions, type Options, usage } from './options.ts';
import { newFolder } from './scratch.ts';
import { formatTable } from './table.ts';
import { type Result, watch } from './watchdog.ts';

const folder = new URL('targets/', import.meta.url);
const sources = new URL('../src/', import.meta.url).href;
const names = readdirSync(folder)
  .filter((file) => file.endsWith('.ts'))
  .map((file) => file.slice(0, -3));

function watchTarget(name: string, options: Options, time: number, only?: Uint8Array): Promise<Result> {
  return watch({
    module: new URL(`${name}.ts`, folder).href,
    seed: options.seed,
    limits: { time, executions: Number.POSITIVE_INFINITY },
    counted: sources,
    ...(only === undefined ? {} : { only }),
    onFinding: (found) => console.log(only === undefined ? writeFinding(name, found) : found.stack),
  });
}

async function main(options: Options): Promise<number> {
  const { targets, jobs, seconds, input } = options;
  if (input !== null) {
    const [name = ''] = targets;
    const { findings } = await watchTarget(name, options, 60_000, new Uint8Array(readFileSync(input)));
    console.log(`${name}: ${findings.length === 0 ? 'no finding' : findings[0]?.message}`);
    return findings.length;
  }
  console.log(`seed ${options.seed}`);
  const left = [...targets];
  const results = new Map<string, Result>();
  const time = (seconds * 1000 * Math.min(jobs, targets.length)) / targets.length;
  const work = async (): Promise<void> => {
    for (let name = left.shift(); name !== undefined; name = left.shift())
      results.set(name, await watchTarget(name, options, time));
  };
  await Promise.all(Array.from({ length: jobs }, work));
  const rows = targets.map((name) => [name, results.get(name) as Result] as const);
  console.log(formatTable(rows));
  return rows.reduce((sum, [, { findings }]) => sum + findings.length, 0);
}

// Threads that are ended leave their files behind, all of them in this folder.
process.env['TMPDIR'] = newFolder();
try {
  process.exitCode = (await main(parseOptions(process.argv.slice(2), names))) > 0 ? 1 : 0;
} catch (error) {
  console.error(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
  process.exitCode = 2;
}
