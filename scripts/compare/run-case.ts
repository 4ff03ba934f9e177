/**
 * Runs a case over one checkout. compare-checkouts.ts calls it twice for each case, with the same folder and the same port,
 * so that outputs which name paths or references are the same.
 */
import type { ChildProcess } from 'node:child_process';
import { mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import type { Case, Step } from './case.ts';
import type { Checkout } from './checkout.ts';
import { digestOfBytes } from './digests.ts';
import { codesIn, eventsIn, figuresIn, normalise, optionsIn } from './normal.ts';
import { type Fact, factOf, type Observation } from './observation.ts';
import { observeFolder } from './observe.ts';
import { type Ended, startNode, untilEnd } from './process.ts';
import type { Runner } from './runner.ts';

/** Where and by what a case runs. */
export interface Place {
  readonly checkout: Checkout;
  readonly runner: Runner;
  /** Empty before the run. */
  readonly folder: string;
  /** A free port for the registry of the case. */
  readonly port: number;
}

/** Runs the steps of a case, and describes what they have printed and left behind. */
export async function runCase(one: Case, place: Place): Promise<Omit<Observation, 'folder'>> {
  await mkdir(join(place.folder, 'tmp'), { recursive: true });
  const registry = one.registry === true ? await startRegistry(place) : null;
  const ended: Ended[] = [];
  try {
    for (const step of one.steps) ended.push(await runStep(step, one, place));
  } finally {
    registry?.child.kill('SIGTERM');
    await registry?.ended;
  }
  const facts = await observeFolder(place.folder, place.checkout);
  for (const [i, run] of ended.entries()) {
    const prefix = ended.length === 1 ? '' : `step ${i + 1}, `;
    for (const [key, fact] of factsOf(run, one.steps[i] as Step, place.checkout))
      facts.set(prefix + key, fact);
  }
  if (registry !== null) facts.set('registry, status', factOf(String((await registry.ended).status)));
  return { facts, stderr: ended.map(({ stderr }) => stderr).join('') };
}

interface Registry {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
}

async function startRegistry({ checkout, folder, port }: Place): Promise<Registry> {
  const child = startNode([checkout.bin, 'registry', 'serve', '-d', 'store', '-p', String(port)], folder);
  // It prints its name once it listens.
  const printed = new Promise((resolve) => child.stdout?.once('data', resolve).once('end', resolve));
  const ended = untilEnd(child);
  await printed;
  return { child, ended };
}

async function runStep({ args, stdin }: Step, { alone }: Case, place: Place): Promise<Ended> {
  const { checkout, folder, port, runner } = place;
  const filled = args.map((word) => word.replaceAll('{port}', String(port)));
  if (stdin !== undefined) {
    await using input = await open(stdin);
    return await untilEnd(startNode([checkout.bin, ...filled], folder, input.fd));
  }
  if (alone === true) return untilEnd(startNode([checkout.bin, ...filled], folder));
  return runner.run(filled, folder);
}

function factsOf({ status, stdout, stderr }: Ended, step: Step, checkout: Checkout): [string, Fact][] {
  const facts: [string, Fact][] = [
    ['status', factOf(String(status))],
    ['codes', { kind: 'lines', lines: codesIn(stderr) }],
    ['stdout', printed(stdout, step, checkout)],
  ];
  if (step.events === true) facts.push(['events', { kind: 'lines', lines: eventsIn(stderr) }]);
  return facts;
}

function printed(stdout: Buffer, step: Step, checkout: Checkout): Fact {
  if (stdout.includes(0)) return { kind: 'lines', lines: [digestOfBytes(stdout), `${stdout.length} bytes`] };
  const text = stdout.toString();
  if (step.stdout === 'options') return { kind: 'lines', lines: optionsIn(text) };
  const compared = normalise(text, checkout);
  return step.stdout === 'figures' ? { kind: 'lines', lines: figuresIn(compared) } : factOf(compared);
}
