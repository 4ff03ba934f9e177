/**
 * Does what all rewriting commands have in common: check the outputs, show progress, write and print the result. The commands
 * themselves are in `commands/`.
 */
import type { RewritingCommand } from '../commands/index.ts';
import { errorOf, type Failure, type Outcome } from '../commands/outcome.ts';
import { OcislimError, PartlyPublished } from '../errors.ts';
import { isStream, parseReference } from '../oci/reference.ts';
import { type CommandLine, variableOf } from '../settings/command-line.ts';
import { listOptions, type Options } from '../settings/option.ts';
import type { JobSettings } from '../commands/rewrite.ts';
import type { Surroundings } from '../commands/surroundings.ts';
import { recording } from '../settings/tables/recording.ts';
import { planning } from '../settings/tables/relayering.ts';
import { TrialFailed } from '../commands/record/trial-failed.ts';
import { attesting } from '../settings/tables/attesting.ts';
import { configuring } from '../settings/tables/configuring.ts';
import { reports } from '../settings/tables/reports.ts';
import { result } from '../settings/tables/result.ts';
import { scanning } from '../settings/tables/scanning.ts';
import type { Call, Console } from './command.ts';
import { checkOutputs, writeOutputs, writeTrace } from './output-files.ts';
import { pipeToStdout } from './pipe.ts';
import { Screen } from './screen.ts';

/**
 * Refuses a missing or impossible destination, and files that could not be written, before anything is read, stdin above all.
 * @throws USAGE, IO
 */
export async function checkBefore(line: CommandLine, console: Console): Promise<void> {
  const { destinationsOf } = await import('../commands/destinations.ts');
  const { checkNames } = await import('../commands/archive-names.ts');
  const { tag, name, inPlace, dryRun } = result;
  const { saveTrace, seccomp, apparmor, creport } = recording;
  const { provenance } = attesting;
  const files = { ...reports, provenance, vex: scanning.vex, saveTrace, seccomp, apparmor, creport };
  const parsed = await line.parse({ tag, name, inPlace, dryRun, ...planning, ...files }, console);
  const settings = { ...parsed.settings, dryRun: parsed.settings.dryRun || parsed.settings.planOnly };
  const { readSource, requireForm } = await import('../jobs/read-reference.ts');
  const from = await readSource(line.argument('src') ?? '');
  for (const text of [line.argument('dst') ?? [], settings.tag].flat()) await requireForm(text);
  const destinations = destinationsOf(from, { ...settings, destination: line.argument('dst') });
  checkNames(destinations, settings);
  if (destinations.some(isStream) && !settings.dryRun) checkStdout(settings, console);
  const { checkLocalTargets } = await import('../jobs/open.ts');
  await checkLocalTargets(from, destinations, { inPlace: settings.inPlace, signal: console.signal });
  await checkOutputs(settings, [from, ...destinations]);
}

/** Refuses to write an archive to a terminal, or beside a report. @throws USAGE */
function checkStdout({ format }: Pick<JobSettings, 'format'>, { stdout }: Console): void {
  if (format === 'json')
    throw new OcislimError('USAGE', '--format json and an archive cannot both go to standard output', {
      advice: 'Write the report to a file: --report FILE.json.',
    });
  if (stdout.isTTY === true)
    throw new OcislimError('USAGE', 'an archive is not written to a terminal', {
      advice: 'Name a file instead of "-", or pipe it: ... docker-archive:- | docker load',
    });
}

/** Runs a rewriting command from its settings to its result on stdout. Returns the exit status. @throws OcislimError */
export async function runRewriting<Settings extends JobSettings>(
  command: RewritingCommand<Settings>,
  { settings, secrets, line, console }: Call<Options> & { readonly settings: Settings & CliSettings },
): Promise<number> {
  using screen = new Screen(settings, console);
  const { env, signal } = console;
  const words = line.argumentsOf('--');
  // Words after `--` are the command of --record.
  const asked = words.length === 0 ? settings : { ...settings, runCommand: words };
  const outcome = await command(line.argument('src') ?? '', line.argument('dst'), asked, {
    env,
    signal,
    secrets,
    listener: screen.listener,
    pauseOutput: () => screen.pause(),
    pipe: pipeToStdout,
    warnings: editsOfEnvironment(line),
    ...audienceOf(settings, console, screen),
  }).catch((error: unknown) => {
    if (error instanceof PartlyPublished) console.stdout.write(`${error.image}\n`);
    if (error instanceof TrialFailed)
      return writeTrace(settings.saveTrace, error.trace).then(() => Promise.reject(error));
    throw error;
  });
  screen.stop();
  if (outcome.name !== null) console.notePublished(outcome.name);
  const unwritten = await writeOutputs(outcome, settings);
  // A published image has its name on stdout, whatever failed since.
  await print(outcome, { ...settings, isPiped: isPiped(line, settings) }, console);
  const failures = [outcome.failure, unwritten].filter((failure) => failure !== null);
  if (failures.length > 0) throw failureAfter(outcome, failures);
  return 0;
}

/** Warns of variables that edit the image as options would: their names are common, and a pipeline may have them for something else. */
function editsOfEnvironment(line: CommandLine): Surroundings['warnings'] {
  const { label, annotation } = result;
  const [first, ...more] = line.fromEnvironment(
    listOptions({ ...configuring, label, annotation }).map(({ name }) => name),
  );
  if (first === undefined) return [];
  const others = more.map((name) => `, ${variableOf(name)} for --${name}`).join('');
  const message = `the environment edits the image: ${variableOf(first)} stands for --${first}${others}`;
  return [{ type: 'warning', code: 'ENVIRONMENT_USED', message }];
}

/** How a person takes part in a recording: reads what the program prints, and says when it is enough. */
function audienceOf(
  { verbose }: Pick<CliSettings, 'verbose'>,
  { stderr }: Console,
  screen: Screen,
): Pick<Surroundings, 'wait' | 'tell' | 'programOutput'> {
  const paused = {
    write: (text: string) => {
      screen.pause();
      return stderr.write(text);
    },
  };
  return {
    wait: async (after, signal) =>
      (await import('./commands/recording-wait.ts')).isEnough(after, paused, signal),
    tell: (line) => void paused.write(`ocislim: ${line}\n`),
    programOutput: verbose ? { write: (chunk) => paused.write(Buffer.from(chunk).toString('utf8')) } : null,
  };
}

/** Makes the error for what failed when the job was done. That of a dry run has published nothing. */
function failureAfter({ name }: Outcome, failures: readonly Failure[]): OcislimError {
  const [first] = failures;
  if (name === null && first !== undefined) return errorOf(first);
  const advice = failures.flatMap((failure) => failure.advice ?? [])[0];
  return new OcislimError(
    'PUBLISHED',
    `published, but ${failures.map(({ message }) => message).join('; ')}`,
    advice === undefined ? {} : { advice },
  );
}

/** Returns whether the image itself goes to standard output, so that its name cannot. */
function isPiped(line: CommandLine, { tag }: Pick<JobSettings, 'tag'>): boolean {
  return [line.argument('dst') ?? [], tag].flat().some((text) => isStream(parseReference(text)));
}

type CliSettings = Pick<JobSettings, 'quiet' | 'verbose' | 'format'> & {
  readonly saveTrace?: string | null;
  readonly planOnly?: boolean;
};

async function print(
  outcome: Outcome,
  { quiet, verbose, format, isPiped, planOnly = false }: CliSettings & { readonly isPiped: boolean },
  console: Console,
): Promise<void> {
  const { report, explanations, name } = outcome;
  // Standard output has the name of the image. In a run that names no image, it gets the answers.
  const isAsked = name === null && format !== 'json' && !isPiped;
  for (const line of explanations) (isAsked ? console.stdout : console.stderr).write(`${line}\n`);
  if (!quiet) {
    const { renderSummary } = await import('../report/summary.ts');
    const { chooseStyle } = await import('../report/style.ts');
    const style = chooseStyle(console.env, console.stderr.isTTY === true);
    const { columns } = console.stderr;
    console.stderr.write(
      renderSummary(report, { style, verbose, ...(columns === undefined ? {} : { width: columns }) }),
    );
  }
  if (format === 'json') {
    const { renderJson } = await import('../report/json.ts');
    for (const chunk of renderJson(report)) console.stdout.write(chunk);
  } else if (planOnly) {
    console.stdout.write((await import('../report/relayering-plan.ts')).renderPlan(report));
  } else if (name !== null) (isPiped ? console.stderr : console.stdout).write(`${name}\n`);
}
