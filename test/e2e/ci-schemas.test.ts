/**
 * Holds the files for CI services against what others know of their forms: actionlint for workflows, the published schemas of GitHub, GitLab
 * and Kubernetes, shellcheck for every script.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parse, parseAllDocuments, stringify } from 'yaml';
import { jobsOf } from '../support/ci/gitlab-component.ts';
import { stepOf } from '../support/ci/tekton-task.ts';
import { removeFolder, run, runToEnd, workFolder } from '../support/e2e/programs.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const read = (file: string) => readFileSync(join(root, file), 'utf8');
const workflows = readdirSync(join(root, '.github/workflows')).map((name) => `.github/workflows/${name}`);
const component = read('templates/ocislim.yml');
const inputs = { source: 'registry.example/app:1', destination: 'registry.example/app:1-slim' };
let work: string;

beforeAll(() => {
  work = workFolder('ci-schemas');
});
afterAll(() => removeFolder(work));

/** Checks a file against a schema that check-jsonschema has inside. */
function checkSchema(schema: string, file: string): Promise<string> {
  return run('check-jsonschema', ['--builtin-schema', `vendor.${schema}`, file]);
}

function write(name: string, text: string): string {
  const file = join(work, name);
  writeFileSync(file, text);
  return file;
}

/** The workflows that docs/ci.md shows. */
function shownWorkflows(): readonly string[] {
  const blocks = read('docs/ci.md').matchAll(/^```yaml\n(.*?)^```/gms);
  return [...blocks].flatMap(([, text = '']) => (/^jobs:/m.test(text) ? [text] : []));
}

it.each(workflows)('actionlint and the schema of workflows find nothing in %s', async (file) => {
  const { stdout, status } = await runToEnd('actionlint', ['-no-color', join(root, file)]);
  expect({ stdout, status }).toEqual({ stdout: '', status: 0 });
  await checkSchema('github-workflows', join(root, file));
});

it('actionlint finds nothing in the workflows of docs/ci.md', async () => {
  const shown = shownWorkflows();
  expect(shown.length).toBeGreaterThan(1);
  for (const [i, text] of shown.entries()) {
    const { stdout, status } = await runToEnd('actionlint', ['-no-color', write(`shown-${i}.yml`, text)]);
    expect({ stdout, status }).toEqual({ stdout: '', status: 0 });
  }
});

it('actionlint finds a mistake where there is one', async () => {
  const wrong = (shownWorkflows()[0] ?? '').replace('runs-on:', 'run-on:');
  const { stdout, status } = await runToEnd('actionlint', ['-no-color', write('wrong.yml', wrong)]);
  expect(stdout).toContain('run-on');
  expect(status).toBe(1);
});

it('the action has the form of an action', async () => {
  await checkSchema('github-actions', join(root, 'action.yml'));
});

it('the component has the form of a component, and its job that of a job', async () => {
  const [head] = parseAllDocuments(component);
  await checkSchema('gitlab-ci', write('spec.yml', stringify(head)));
  await checkSchema('gitlab-ci', write('job.yml', stringify(jobsOf(component, inputs))));
});

it('the job of Kubernetes has the form of a job', async () => {
  await run('kubernetes-validate', ['--strict', join(root, 'ci/kubernetes/job.yaml')]);
});

it.each([
  ['the first step of the action', 'bash', () => actionSteps()[0]],
  ['the second step of the action', 'bash', () => actionSteps()[1]],
  ['the component', 'sh', () => jobsOf(component, inputs)['ocislim']?.script.join('\n')],
  ['the task', 'sh', () => stepOf(read('ci/tekton/task.yaml'), taskRun).script],
  ['the pipeline', 'sh', () => /sh '''\n([^]*?)'''/.exec(read('ci/jenkins/Jenkinsfile'))?.[1]],
])('shellcheck finds nothing in the script of %s', async (_, shell, script) => {
  // The services call shells that end at the first failure.
  const file = write('script', `set -e\n${script() ?? ''}`);
  const { stdout, status } = await runToEnd('shellcheck', [`--shell=${shell}`, file]);
  expect({ stdout, status }).toEqual({ stdout: '', status: 0 });
});

const taskRun = { params: inputs, results: '/results', dockerconfig: '' };

function actionSteps(): readonly string[] {
  const { runs } = parse(read('action.yml')) as { runs: { steps: { run: string }[] } };
  return runs.steps.map((step) => step.run);
}
