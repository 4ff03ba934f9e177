import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { rewrite, startOcislim } from '../support/e2e/cli.ts';
import { DockerRegistry, type LoggedRequest } from '../support/e2e/docker-registry.ts';
import { inspectRaw, pull, push } from '../support/e2e/judge.ts';
import { removeFolder, workFolder } from '../support/e2e/programs.ts';
import { sample } from '../support/extent.ts';

const images = inject('images');
let work: string;
let registry: DockerRegistry;
let source: string;

beforeAll(async () => {
  work = workFolder('interrupt');
  registry = await DockerRegistry.start();
  source = `${registry.host}/real/nginx:v1`;
  await push(`oci:${images}/nginx:v1`, source);
});

afterAll(async () => {
  await registry?.stop();
  removeFolder(work);
});

type Moment = (requests: readonly LoggedRequest[], temporary: string) => boolean;

const moments: readonly (readonly [string, Moment])[] = [
  ['at its first request', (requests) => requests.length > 0],
  [
    'when the config was read',
    (requests) => requests.some(({ method, path }) => method === 'GET' && path.includes('/blobs/')),
  ],
  ['at its first upload', (requests) => requests.some(({ method }) => method === 'POST')],
  [
    'when the first upload is complete',
    (requests) => requests.some(({ method, status }) => method === 'PUT' && status === 201),
  ],
];

/** Jobs that still have many layers to write at each of the moments. */
const jobs: Readonly<Record<string, readonly string[]>> = {
  // This job reads every layer twice, through scratch files.
  'prune --shadowed': ['prune', '--shadowed'],
  'recompress to zstd': ['recompress', '--compression', 'zstd', '--level', '9'],
};

type Signal = 'SIGINT' | 'SIGTERM' | 'SIGKILL';

/** The exit status of a command that a signal ends; null where it cannot catch the signal. */
const statuses: Readonly<Record<Signal, number | null>> = { SIGINT: 130, SIGTERM: 143, SIGKILL: null };

interface Stopped {
  readonly target: string;
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  /** What is left in TMPDIR. */
  readonly left: readonly string[];
}

/** Starts a job over an image that exists, and ends it by a signal at a moment. The old image must still be whole. */
async function stop(job: string, name: string, moment: Moment, signal: Signal): Promise<Stopped> {
  const [command = '', ...args] = jobs[job] as readonly string[];
  const id = `${job}-${name}-${signal}`.replace(/\W+/g, '-').toLowerCase();
  const temporary = join(work, id);
  mkdirSync(temporary);
  const target = `${registry.host}/stopped/${id}:v1`;
  await push(`oci:${images}/python-base:v1`, target);
  const before = JSON.stringify(await inspectRaw(target));
  const start = (await registry.requests()).length;
  const child = startOcislim([command, source, target, ...args], { TMPDIR: temporary });
  const ended = new Promise<Pick<Stopped, 'status' | 'signal'>>((resolve) =>
    child.once('close', (status, by) => resolve({ status, signal: by })),
  );
  while (child.exitCode === null && !moment((await registry.requests()).slice(start), temporary))
    await sleep(5);
  expect(child.exitCode, 'ended before it could be stopped').toBe(null);
  child.kill(signal);
  const end = await ended;
  expect(JSON.stringify(await inspectRaw(target))).toBe(before);
  // skopeo reads every layer and checks its digest.
  const layout = join(work, 'whole');
  await pull(`docker://${target}`, layout);
  removeFolder(layout);
  return { target, ...end, left: readdirSync(temporary, { recursive: true }) as string[] };
}

const signals = Object.keys(statuses) as readonly Signal[];
const stops = signals.flatMap((signal) =>
  Object.keys(jobs).flatMap((job) => moments.map(([name, moment]) => [job, name, signal, moment] as const)),
);

it.each(sample(stops, 3))(
  'T19: the job %s, stopped %s by %s, leaves the old tag and no files',
  async (job, name, signal, moment) => {
    const { status, signal: by, left } = await stop(job, name, moment, signal);
    expect({ status, by, left }).toEqual({
      status: statuses[signal],
      by: signal === 'SIGKILL' ? signal : null,
      left: [],
    });
  },
);

it('does the whole job where a killed one left off', async () => {
  const [name, moment] = moments[2] as (typeof moments)[number];
  const repeated = `${name}, before another job`;
  const { target } = await stop('prune --shadowed', repeated, moment, 'SIGKILL');
  const digest = await rewrite(['squash', source, target, '--last', '3']);
  expect(await rewrite(['squash', source, `${registry.host}/fresh/nginx:v1`, '--last', '3'])).toBe(digest);
});
