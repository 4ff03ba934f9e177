import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { launchHere } from '../../src/jobs/record/launch.ts';
import { record } from '../../src/jobs/record/record.ts';
import { readRootNames } from '../../src/jobs/record/root-names.ts';
import { straceArguments } from '../../src/jobs/record/strace.ts';
import { missingPaths } from '../../src/jobs/record/trial/missing-paths.ts';
import { removeFolder, workFolder } from '../support/e2e/programs.ts';

// What a run asked for in vain, by the real strace.

let work: string;
beforeAll(() => {
  work = workFolder('missing');
  for (const side of ['original', 'pruned']) mkdirSync(join(work, side));
  const original = join(work, 'original');
  writeFileSync(join(original, 'conf'), '');
  mkdirSync(join(original, 'logs'));
  symlinkSync('conf', join(original, 'link'));
  writeFileSync(join(original, 'used'), '');
  writeFileSync(join(work, 'pruned/used'), '');
});
afterAll(() => removeFolder(work));

it('a run in a pruned folder shows what the original folder has', async () => {
  const { signal } = new AbortController();
  const pruned = join(work, 'pruned');
  const script = 'cat used link ./conf neither; echo x > logs/x; mkdir new; rmdir new; cat new; exit 7';
  const recording = await record({
    launch: launchHere(['sh', '-c', `cd ${pruned}; { ${script}; } 2> /dev/null`], process.cwd(), process.env),
    strace: await straceArguments(false, signal),
    name: 'app.trace',
    stop: signal,
    grace: 1000,
  });
  expect(recording.end).toEqual({ status: 7, signal: null });
  const at = pruned.slice(1);
  const inside = recording.absent
    .filter((path) => path.startsWith(`${at}/`))
    .map((path) => path.slice(at.length + 1));
  expect(inside).toEqual(['link', 'conf', 'neither', 'logs/x', 'logs']);
  const [before, after] = await Promise.all(
    ['original', 'pruned'].map((side) => readRootNames(join(work, side), signal)),
  );
  const found = missingPaths(inside, before as never, after as never);
  expect(found).toEqual(['conf', 'link', 'logs']);
});
