import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { ocislim } from '../support/e2e/cli.ts';
import { removeFolder, run, workFolder } from '../support/e2e/programs.ts';

// `slim --record --creport` with the real strace and bubblewrap.

let work: string;

beforeAll(() => {
  work = workFolder('creport');
});
afterAll(() => removeFolder(work));

interface Report {
  readonly monitors: {
    readonly fan: { readonly process_files: Readonly<Record<string, Readonly<Record<string, object>>>> };
    readonly pt: {
      readonly enabled: boolean;
      readonly syscall_stats: Readonly<Record<string, { readonly num?: number; readonly name: string }>>;
    };
  };
  readonly image: { readonly files: readonly { readonly file_path: string; readonly flags?: object }[] };
}

it('a recorded image gets a report in the form of SlimToolkit, which can be read as a trace', async () => {
  const [file, profile] = [join(work, 'creport.json'), join(work, 'seccomp.json')];
  const [result, tar] = [`oci:${join(work, 'slim')}:v1`, join(work, 'slim.tar')];
  await ocislim([
    'slim',
    `oci:${inject('images')}/busybox:v1`,
    result,
    '--record',
    '--creport',
    file,
    '--seccomp',
    profile,
  ]);
  await ocislim(['export', result, tar]);
  const listed = await run('tar', ['-tf', tar]);
  const names = listed.split('\n').filter((name) => name !== '' && !name.endsWith('/'));

  const { monitors, image } = JSON.parse(readFileSync(file, 'utf8')) as Report;
  expect(image.files.map(({ file_path }) => file_path).sort()).toEqual(
    names.map((name) => `/${name.replace(/^\.?\//, '')}`).sort(),
  );
  expect(monitors.fan.process_files['1']).toHaveProperty(['/app/run.sh']);
  expect(monitors.pt.enabled).toBe(true);
  const { syscall_stats } = monitors.pt;
  for (const [key, { num }] of Object.entries(syscall_stats)) expect(key).toBe(String(num));

  const shown = await ocislim(['trace', 'show', file]);
  expect(shown.stdout).toContain('of creport');
  const again = await ocislim(['trace', 'seccomp', file]);
  expect(JSON.parse(again.stdout)).toEqual(JSON.parse(readFileSync(profile, 'utf8')));
});
