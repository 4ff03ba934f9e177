/** The shape of a case of scripts/compare-checkouts.ts, and the few ways to make one. The tables in cases/ use them. */

/** One run of the command line within a case. */
export interface Step {
  /** After the program's name. `{port}` stands for the port of the case's registry. */
  readonly args: readonly string[];
  /**
   * How standard output is compared. `exact`: line by line, JSON by its members. `options`: only which `--options` it
   * names, since help texts may be reworded. `figures`: the numbers of a text for people. Default: `exact`.
   */
  readonly stdout?: 'exact' | 'options' | 'figures';
  /** A file for standard input. Default: none. */
  readonly stdin?: string;
  /** Whether the events that `--progress json` writes to standard error are compared too. Default: no. */
  readonly events?: boolean;
}

/** What is run over one checkout, in a folder of its own, and then compared with the same over the other. */
export interface Case {
  /** Unique, and what `--only` looks for. */
  readonly name: string;
  /** The row of the table that the script prints. */
  readonly group: string;
  /** Run one after the other in the same folder; a step that fails does not keep the next from being run. */
  readonly steps: readonly Step[];
  /** Whether `ocislim registry serve` runs beside the steps, over the folder `store`. */
  readonly registry?: boolean;
  /** Whether each step is a process of its own, started by `bin/ocislim`. Default: one process runs many cases. */
  readonly alone?: boolean;
}

/** The files that both checkouts read. Paths are absolute. */
export interface Inputs {
  readonly folder: string;
  /** A layout with the tags `app`, `base`, `docker`, `index`, `plain` and `traced`. */
  readonly layout: string;
  /** What `docker save` wrote before Docker 25. */
  readonly oldArchive: string;
  /** The digest of layer 4 of `app`. */
  readonly fourthLayer: string;
  /** The folder of a copy of the trace fixtures. */
  readonly traces: string;
  /** The names of the plans in the folder. */
  readonly plans: readonly string[];
  /** The names of the tars of the corpus, in the order of their layouts. */
  readonly corpus: readonly string[];
  /** References of real images, by name. */
  readonly images: ReadonlyMap<string, string>;
}

/** Splits a line into arguments, none of which has a space. */
export function words(line: string): string[] {
  return line.split(' ').filter((word) => word !== '');
}

/** Every file that a rewriting command can write about its result. */
const reports = words(
  '--report report.json --report report.md --digestfile digest --iidfile iid --metadata-file metadata.json',
);

/** Makes a case of one command that rewrites an image into the layout `out`, with every kind of report. */
export function rewriting(
  group: string,
  command: string,
  source: string,
  options: readonly string[],
  label = '',
): Case {
  const steps = [{ args: [command, source, 'oci:out:new', ...options, ...reports] }];
  return { name: [command, label, ...options].filter((word) => word !== '').join(' '), group, steps };
}

/** Makes a case of several commands, each in a line. */
export function lines(group: string, name: string, ...commands: readonly string[]): Case {
  return { name, group, steps: commands.map((command) => ({ args: words(command) })) };
}
