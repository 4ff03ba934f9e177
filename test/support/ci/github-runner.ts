/**
 * Stands in for the runner of GitHub Actions: it runs the steps of a composite action in bash as the runner does, with files for outputs and
 * the summary. It knows the expressions `inputs.…` and `steps.….outputs.…`, and refuses all others.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { type Ended, runToEnd } from '../e2e/programs.ts';

type Texts = Readonly<Record<string, string>>;

interface Step {
  readonly id: string;
  readonly shell: string;
  readonly env: Texts;
  readonly run: string;
}

interface Action {
  readonly inputs: Readonly<
    Record<string, { readonly required?: boolean; readonly default?: string | boolean }>
  >;
  readonly outputs: Readonly<Record<string, { readonly value: string }>>;
  readonly runs: { readonly using: string; readonly steps: readonly Step[] };
}

/** What a job sees of an action that it has run. */
export interface ActionRun {
  /** 0 where all steps succeeded. */
  readonly status: number | null;
  readonly outputs: Texts;
  /** The Markdown of the job's summary. */
  readonly summary: string;
  /** What the steps printed. */
  readonly log: string;
}

/** Runs a composite action. `folder` is the job's own; `env` is that of the job. Throws an Error for inputs that the action does not have. */
export async function runAction(file: string, given: Texts, { folder, env }: Job): Promise<ActionRun> {
  const action = parse(await readFile(file, 'utf8')) as Action;
  const inputs = inputsOf(action, given);
  const [temporary, summary] = [join(folder, 'temp'), join(folder, 'summary')];
  await mkdir(temporary, { recursive: true });
  await writeFile(summary, '');
  const outputs = new Map<string, Texts>();
  const evaluate = (text: string): string => evaluated(text, inputs, outputs);
  const ended: Ended[] = [];
  for (const [i, step] of action.runs.steps.entries()) {
    const output = join(folder, `output-${i}`);
    const script = join(folder, `step-${i}.sh`);
    await writeFile(output, '');
    await writeFile(script, step.run);
    if (step.shell !== 'bash') throw new Error(`no shell but bash is known here: ${step.shell}`);
    const own = Object.entries(step.env).map(([name, value]) => [name, evaluate(value)]);
    const files = { GITHUB_OUTPUT: output, GITHUB_STEP_SUMMARY: summary, RUNNER_TEMP: temporary };
    const runner = { RUNNER_OS: 'Linux', RUNNER_ARCH: process.arch === 'arm64' ? 'ARM64' : 'X64' };
    const variables = { ...runner, ...files, ...env, ...Object.fromEntries(own) } as Texts;
    ended.push(
      await runToEnd('bash', ['--noprofile', '--norc', '-eo', 'pipefail', script], { env: variables }),
    );
    outputs.set(step.id, linesOf(await readFile(output, 'utf8')));
    if (ended.at(-1)?.status !== 0) break;
  }
  return {
    status: ended.at(-1)?.status ?? null,
    outputs: Object.fromEntries(
      Object.entries(action.outputs).map(([name, { value }]) => [name, evaluate(value)]),
    ),
    summary: await readFile(summary, 'utf8'),
    log: ended.map(({ stdout, stderr }) => stdout + stderr).join(''),
  };
}

/** A job that an action is a step of. */
export interface Job {
  readonly folder: string;
  readonly env: Texts;
}

function inputsOf({ inputs }: Action, given: Texts): ReadonlyMap<string, string> {
  const stray = Object.keys(given).find((name) => !Object.hasOwn(inputs, name));
  if (stray !== undefined) throw new Error(`the action has no input ${stray}`);
  return new Map(
    Object.entries(inputs).map(([name, input]) => {
      const value = given[name] ?? input.default;
      if (input.required === true && value === undefined) throw new Error(`the input ${name} is required`);
      return [name, value === undefined ? '' : String(value)];
    }),
  );
}

function evaluated(
  text: string,
  inputs: ReadonlyMap<string, string>,
  outputs: ReadonlyMap<string, Texts>,
): string {
  return text.replaceAll(/\$\{\{ ?(.*?) ?\}\}/g, (_, expression: string) => {
    const input = /^inputs\.([\w-]+)$/.exec(expression)?.[1];
    const [, step, output] = /^steps\.([\w-]+)\.outputs\.([\w-]+)$/.exec(expression) ?? [];
    const value = input === undefined ? null : inputs.get(input);
    if (typeof value === 'string') return value;
    if (step === undefined || output === undefined) throw new Error(`an unknown expression: ${expression}`);
    return outputs.get(step)?.[output] ?? '';
  });
}

/** Reads the lines `name=value` of a file for outputs. */
function linesOf(text: string): Texts {
  const lines = text.split('\n').slice(0, -1);
  return Object.fromEntries(
    lines.map((line) => {
      const [, name, value] = /^([\w-]+)=(.*)$/.exec(line) ?? [];
      if (name === undefined || value === undefined) throw new Error(`not a line for outputs: ${line}`);
      return [name, value];
    }),
  );
}
