/**
 * npm run compare -- BEFORE AFTER [--images DIR] [--only TEXT]…: runs every command of two checkouts over the same inputs
 * and prints what differs in exit statuses, error codes, standard output, images, reports and other files. Exits with 1 where
 * something does. CONTRIBUTING.md says when to use it.
 */
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { freePort } from '../test/support/e2e/free-port.ts';
import type { Case } from './compare/case.ts';
import { allCases } from './compare/cases/all.ts';
import { type Checkout, openCheckout } from './compare/checkout.ts';
import { differences } from './compare/differences.ts';
import { makeInputs } from './compare/inputs.ts';
import type { Observation } from './compare/observation.ts';
import { runCase } from './compare/run-case.ts';
import { Runner } from './compare/runner.ts';

const usage = 'usage: npm run compare -- BEFORE AFTER [--images DIR] [--only TEXT]… [--list] [--keep]\n';

/** Cases that run at once. */
const lanes = 2;

interface Judged {
  readonly case: Case;
  /** Lines; empty where the checkouts agree. */
  readonly different: readonly string[];
}

/** A checkout, with the process that runs its commands and the folder for what has differed. */
interface Side {
  readonly checkout: Checkout;
  readonly runner: Runner;
  readonly aside: string;
}

interface Arguments {
  readonly before: string;
  readonly after: string;
  readonly images: string | null;
  /** Parts of the names of cases; none for all cases. */
  readonly only: readonly string[];
  readonly list: boolean;
  readonly keep: boolean;
}

/** Reads the command line. Null where it cannot be understood. */
function readArguments(): Arguments | null {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        images: { type: 'string' },
        only: { type: 'string', multiple: true },
        list: { type: 'boolean' },
        keep: { type: 'boolean' },
      },
    });
    const [before, after, ...more] = positionals;
    if (before === undefined || after === undefined || more.length > 0) return null;
    const { images = null, only = [], list = false, keep = false } = values;
    return { before, after, images: images === null ? null : resolve(images), only, list, keep };
  } catch {
    return null;
  }
}

async function main(): Promise<number> {
  const given = readArguments();
  if (given === null) {
    process.stderr.write(usage);
    return 2;
  }
  const work = await mkdtemp(join(tmpdir(), 'ocislim-compare-'));
  let status = 0;
  try {
    const inputs = await makeInputs(join(work, 'inputs'), given.images);
    const cases = allCases(inputs).filter(
      ({ name }) => given.only.length === 0 || given.only.some((text) => name.includes(text)),
    );
    if (given.list) {
      process.stdout.write(cases.map(({ name }) => `${name}\n`).join(''));
      return 0;
    }
    const sides = [await openCheckout(given.before), await openCheckout(given.after)] as const;
    const judged = await compareAll(cases, sides, work);
    process.stdout.write(renderTable(judged));
    status = judged.some(({ different }) => different.length > 0) ? 1 : 0;
    return status;
  } finally {
    if (status === 1 && given.keep) process.stdout.write(`What differs is in ${work}/before and after.\n`);
    else await rm(work, { recursive: true, force: true });
  }
}

async function compareAll(
  cases: readonly Case[],
  [before, after]: readonly [Checkout, Checkout],
  work: string,
): Promise<Judged[]> {
  const judged: Judged[] = [];
  const waiting = cases.entries();
  const lane = async (): Promise<void> => {
    const sides = [
      { checkout: before, runner: new Runner(before), aside: join(work, 'before') },
      { checkout: after, runner: new Runner(after), aside: join(work, 'after') },
    ] as const;
    for (const [i, one] of waiting) {
      const different = await compareCase(one, String(i), sides, work);
      judged.push({ case: one, different });
      tell(judged, cases.length);
    }
    for (const { runner } of sides) runner.close();
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return judged;
}

/** Runs a case twice in the same folder, which is moved aside in between. What agrees is removed. */
async function compareCase(
  one: Case,
  number: string,
  sides: readonly [Side, Side],
  work: string,
): Promise<string[]> {
  const port = await freePort();
  const folder = join(work, 'run', number);
  const observe = async ({ checkout, runner, aside }: Side): Promise<Observation> => {
    await mkdir(folder, { recursive: true });
    const observation = await runCase(one, { checkout, runner, folder, port });
    await mkdir(aside, { recursive: true });
    await rename(folder, join(aside, number));
    return { ...observation, folder: join(aside, number) };
  };
  const before = await observe(sides[0]);
  const after = await observe(sides[1]);
  const different = await differences(before, after);
  if (different.length === 0) for (const { folder } of [before, after]) await rm(folder, { recursive: true });
  return different;
}

/** Prints how the last case has ended: progress to standard error, differences to standard output. */
function tell(judged: readonly Judged[], total: number): void {
  const last = judged.at(-1);
  if (last === undefined) return;
  const { case: one, different } = last;
  if (different.length > 0)
    process.stdout.write(`${[`DIFFERS  ${one.name}`, ...different].join('\n    ')}\n`);
  if (judged.length % 50 === 0 || one.group === 'real')
    process.stderr.write(`${judged.length} of ${total} cases: ${one.name}\n`);
}

/** A row for each group of cases: how many agree, and how many do not. */
function renderTable(judged: readonly Judged[]): string {
  const row = (name: string, same: string, differ: string): string =>
    `${name.padEnd(12)} ${same.padStart(6)} ${differ.padStart(7)}\n`;
  const count = (name: string, list: readonly Judged[]): string => {
    const same = list.filter(({ different }) => different.length === 0).length;
    return row(name, String(same), String(list.length - same));
  };
  const groups = Map.groupBy(judged, (one) => one.case.group);
  return (
    row('cases', 'same', 'differ') +
    [...groups].map(([name, list]) => count(name, list)).join('') +
    count('all', judged)
  );
}

process.exitCode = await main();
