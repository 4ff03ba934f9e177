/** Stands in for GitLab's reader of components: it takes inputs, and gives the job with its variables and its script. */
import { parseAllDocuments } from 'yaml';

type Texts = Readonly<Record<string, string>>;

interface Spec {
  readonly spec: {
    readonly inputs: Readonly<
      Record<string, { readonly default?: string; readonly options?: readonly string[] }>
    >;
  };
}

/** A job of a component, as a pipeline runs it. */
export interface GitLabJob {
  readonly stage: string;
  readonly image: { readonly name: string; readonly entrypoint: readonly string[] };
  readonly variables: Texts;
  readonly script: readonly string[];
  readonly artifacts: { readonly paths: readonly string[]; readonly reports: { readonly dotenv: string } };
}

/** Returns the jobs of a component by name, its inputs filled in. Throws an Error for inputs that it does not take. */
export function jobsOf(component: string, given: Texts): Readonly<Record<string, GitLabJob>> {
  const [head, body] = parseAllDocuments(component);
  if (head === undefined || body === undefined) throw new Error('a component has two documents');
  const { inputs } = (head.toJS() as Spec).spec;
  const stray = Object.keys(given).find((name) => !Object.hasOwn(inputs, name));
  if (stray !== undefined) throw new Error(`the component has no input ${stray}`);
  const fill = (text: string): string =>
    text.replaceAll(/\$\[\[ inputs\.([\w-]+) \]\]/g, (_, name: string) => {
      const input = inputs[name];
      const value = given[name] ?? input?.default;
      if (value === undefined) throw new Error(`the input ${name} has no value`);
      if (input?.options !== undefined && !input.options.includes(value))
        throw new Error(`${name} does not take ${value}`);
      return value;
    });
  return filled(body.toJS(), fill) as Readonly<Record<string, GitLabJob>>;
}

/** Fills in every text of a document, keys included. */
function filled(value: unknown, fill: (text: string) => string): unknown {
  if (typeof value === 'string') return fill(value);
  if (Array.isArray(value)) return value.map((each) => filled(each, fill));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [fill(key), filled(each, fill)]));
}
