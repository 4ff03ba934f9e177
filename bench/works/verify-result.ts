import { readFileSync } from 'node:fs';
import { account, type RunOptions } from '../measure/account.ts';
import { ocislimArgv } from '../rivals/ocislim.ts';
import {
  prunedPaths,
  resultArchive,
  resultLayout,
  type Contender,
  type Form,
  type Task,
  type Work,
} from './work.ts';

/**
 * Returns what `ocislim verify` says of a result, not timed: `same` where it is the image, or the image less what
 * was to be removed; else a line about the difference. Null where there is no image to compare.
 */
export async function verifyResult(
  { form, verify }: Work,
  { makes }: Contender,
  task: Task,
  options: RunOptions,
): Promise<string | null> {
  const pair = makes === undefined || makes === 'layout' ? references(form, task) : null;
  if (verify === null || pair === null) return null;
  const except = verify === 'pruned' ? prunedPaths.flatMap((path) => ['--except', path]) : [];
  const verdict = `${task.folder}/verdict`;
  const argv = ocislimArgv('verify', ...pair, ...except, '--progress', 'none');
  const { failure, said } = await account({ pipelines: [{ stages: [argv], output: verdict }] }, options);
  if (failure === null) return 'same';
  const lines = [...readFileSync(verdict, 'utf8').split('\n'), ...said].map((line) => line.trim());
  // The differences follow the line with their number.
  const count = lines.findIndex((line) => / differences? in /.test(line));
  return count < 0 ? failure : [lines[count], lines[count + 1]].join('; ').replaceAll(/\s+/g, ' ');
}

function references(form: Form, task: Task): readonly [string, string] | null {
  switch (form) {
    case 'layout':
      return [`oci:${task.layout}:v1`, `oci:${resultLayout(task)}:v1`];
    case 'registry':
      return [task.registry.source, task.registry.target];
    case 'archive':
      return [`docker-archive:${task.archive}`, `docker-archive:${resultArchive(task)}`];
    case 'none':
      return null;
  }
}
