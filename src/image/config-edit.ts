/** An edit of an image config, as plain data: the third axis of a plan. `configure/` applies it, and settings and plans say it. */

/** Entries of an object or variables of the environment: what is set wins over what is removed. */
export interface EntriesEdit {
  /** New values by name, in the order in which missing names are added. */
  readonly set: Readonly<Record<string, string>>;
  readonly unset: readonly string[];
}

/** Members of a set of names (ports, volumes): what is added wins over what is removed. */
export interface NamesEdit {
  readonly add: readonly string[];
  readonly remove: readonly string[];
}

/** A command in one of the two forms of Dockerfiles. No words: the image has no such command. */
export type CommandEdit =
  | { readonly kind: 'exec'; readonly words: readonly string[] }
  /** A line for the shell of the image, which its config names; else for that of its operating system. */
  | { readonly kind: 'shell'; readonly line: string };

/** A health check as in Dockerfiles. `none` turns off that of a base image, `remove` takes the member away. */
export type HealthcheckEdit =
  | { readonly kind: 'remove' | 'none' }
  | {
      readonly kind: 'check';
      readonly command: CommandEdit;
      /** Nanoseconds, by the names of the config. What is left out has the runtime's default. */
      readonly times: Readonly<Partial<Record<HealthcheckTime, number>>>;
      /** How often it may fail in a row. Null: the runtime's default. */
      readonly retries: number | null;
    };

/** The options of Dockerfiles for the times of a health check, by the names of the config. */
export const healthcheckOptions = {
  Interval: '--interval',
  Timeout: '--timeout',
  StartPeriod: '--start-period',
  StartInterval: '--start-interval',
} as const;
export type HealthcheckTime = keyof typeof healthcheckOptions;
export const healthcheckTimes = Object.keys(healthcheckOptions) as readonly HealthcheckTime[];

/** What to change in a config. Null leaves a member as it is; an empty text or list takes it away. */
export interface ConfigEdit {
  readonly environment: EntriesEdit;
  /** With an entrypoint and no command, the config loses its command, as in a Dockerfile. */
  readonly entrypoint: CommandEdit | null;
  readonly command: CommandEdit | null;
  /** It counts for the shell forms of this edit too. */
  readonly shell: readonly string[] | null;
  readonly user: string | null;
  readonly workingDirectory: string | null;
  /** With their protocols: "80/tcp". */
  readonly ports: NamesEdit;
  readonly volumes: NamesEdit;
  readonly stopSignal: string | null;
  readonly healthcheck: HealthcheckEdit | null;
  readonly labels: EntriesEdit;
  readonly author: string | null;
}

/** The edit that changes nothing. */
export const noEdit: ConfigEdit = {
  environment: { set: {}, unset: [] },
  entrypoint: null,
  command: null,
  shell: null,
  user: null,
  workingDirectory: null,
  ports: { add: [], remove: [] },
  volumes: { add: [], remove: [] },
  stopSignal: null,
  healthcheck: null,
  labels: { set: {}, unset: [] },
  author: null,
};

/** Tells whether an edit asks for nothing. */
export function isNoEdit(edit: ConfigEdit): boolean {
  return JSON.stringify({ ...noEdit, ...edit }) === JSON.stringify(noEdit);
}
