/**
 * Stands in for Tekton: it fills in what a step of a task refers to, and gives its arguments and its script. Tests run these in the image of
 * the step.
 */
import { parse } from 'yaml';

/** A value of a parameter. */
export type Param = string | readonly string[];

/** What a run of a task has. */
export interface TaskRun {
  readonly params: Readonly<Record<string, Param>>;
  /** The folder that results are written into. */
  readonly results: string;
  /** The folder of the workspace with credentials; empty without one. */
  readonly dockerconfig: string;
}

interface Task {
  readonly spec: {
    readonly params: readonly { readonly name: string; readonly default?: Param }[];
    readonly results: readonly { readonly name: string }[];
    readonly steps: readonly TaskStep[];
  };
}

/** A step, as a container runs it. */
export interface TaskStep {
  readonly image: string;
  readonly env: readonly { readonly name: string; readonly value: string }[];
  readonly args: readonly string[];
  readonly script: string;
}

/** Returns the only step of a task. Throws an Error for a reference to what the task does not have. */
export function stepOf(task: string, run: TaskRun): TaskStep {
  const { spec } = parse(task) as Task;
  const values = new Map<string, Param>(
    spec.params.map(({ name, default: usual }) => {
      const value = run.params[name] ?? usual;
      if (value === undefined) throw new Error(`the parameter ${name} has no value`);
      return [`params.${name}`, value];
    }),
  );
  for (const { name } of spec.results) values.set(`results.${name}.path`, `${run.results}/${name}`);
  values.set('workspaces.dockerconfig.path', run.dockerconfig);
  const fill = (text: string): string =>
    text.replaceAll(/\$\(((?:params|results|workspaces|context)\.[\w.-]+)\)/g, (_, name: string) => {
      const value = values.get(name);
      if (typeof value !== 'string') throw new Error(`the task refers to ${name}`);
      return value;
    });
  const [step, ...more] = spec.steps;
  if (step === undefined || more.length > 0) throw new Error('not one step');
  return {
    image: fill(step.image),
    env: step.env.map(({ name, value }) => ({ name, value: fill(value) })),
    args: step.args.flatMap((arg) => {
      const list = /^\$\(params\.([\w-]+)\[\*\]\)$/.exec(arg)?.[1];
      return list === undefined ? [fill(arg)] : (values.get(`params.${list}`) ?? []);
    }),
    script: fill(step.script),
  };
}
