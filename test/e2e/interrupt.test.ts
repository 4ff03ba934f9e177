import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { rewrite, startOcislim } from '../support/e2e/cli.ts';
import { DockerRegistry, type LoggedRequest } from '../support/e2e/docker-registry.ts';
import { inspectRaw, pull, push } from '../support/e2e/judge.ts';
import { removeFolder, workFolder } from '../support/e2e/programs.ts';

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

describe.each(Object.keys(jobs))('the job %s', (job) => {
  const [command = '', ...args] = jobs[job] as readonly string[];
  const repository = job.replace(/\W+/g, '-');

  /** Starts the job over an image that exists, and ends it by a signal at a moment. */
  async function stop(
    signal: NodeJS.Signals,
    name: string,
    moment: Moment,
  ): Promise<{ status: number | null; signal: NodeJS.Signals | null; left: string[] }> {
    const id = `${signal}-${name}`.replace(/\W+/g, '-').toLowerCase();
    const temporary = join(work, `${repository}-${id}`);
    mkdirSync(temporary);
    const target = `${registry.host}/${repository}/${id}:v1`;
    await push(`oci:${images}/python-base:v1`, target);
    const before = JSON.stringify(await inspectRaw(target));
    const start = (await registry.requests()).length;
    const child = startOcislim([command, source, target, ...args], { TMPDIR: temporary });
    const ended = new Promise<{ status: number | null; signal: NodeJS.Signals | null }>((resolve) =>
      child.once('close', (status, signal) => resolve({ status, signal })),
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
    return { ...end, left: readdirSync(temporary, { recursive: true }) as string[] };
  }

  describe.each(moments)('stopped %s', (name, moment) => {
    it.each([
      ['SIGINT', 130],
      ['SIGTERM', 143],
    ] as const)('by %s leaves the old tag and no files', async (signal, status) => {
      expect(await stop(signal, name, moment)).toEqual({ status, signal: null, left: [] });
    });

    it('T19: by SIGKILL leaves the old tag and no files', async () => {
      expect(await stop('SIGKILL', name, moment)).toEqual({ status: null, signal: 'SIGKILL', left: [] });
    });
  });
});

it('does the whole job where a killed one left off', async () => {
  const target = `${registry.host}/prune-shadowed/sigkill-at-its-first-upload:v1`;
  const digest = await rewrite(['squash', source, target, '--last', '3']);
  expect(await rewrite(['squash', source, `${registry.host}/fresh/nginx:v1`, '--last', '3'])).toBe(digest);
});
