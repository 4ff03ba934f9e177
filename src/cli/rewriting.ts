/**
 * Does what all rewriting commands have in common: check the outputs, show progress, write and print the result. The commands
 * themselves are in `commands/`.
 */
import type { RewritingCommand } from '../commands/index.ts';
import { errorOf, type Failure, type Outcome } from '../commands/outcome.ts';
import { OcislimError } from '../errors.ts';
import { parseReference } from '../oci/reference.ts';
import type { CommandLine } from '../settings/command-line.ts';
import type { Options } from '../settings/option.ts';
import type { JobSettings } from '../commands/rewrite.ts';
import { reports } from '../settings/tables/reports.ts';
import { result } from '../settings/tables/result.ts';
import type { Call, Console } from './command.ts';
import { checkOutputs, writeOutputs } from './output-files.ts';
import { Screen } from './screen.ts';

/**
 * Refuses a missing or impossible destination, and files that could not be written, before anything is read, stdin above all.
 * @throws USAGE, IO
 */
export async function checkBefore(line: CommandLine, console: Console): Promise<void> {
  const { destinationsOf } = await import('../commands/destinations.ts');
  const { tag, inPlace, dryRun } = result;
  const { settings } = await line.parse({ tag, inPlace, dryRun, ...reports }, console);
  const from = parseReference(line.argument('src') ?? '');
  const destinations = destinationsOf(from, { ...settings, destination: line.argument('dst') });
  if (!settings.inPlace) await (await import('../jobs/open.ts')).checkLocalTargets(from, destinations);
  await checkOutputs(settings, [from, ...destinations]);
}

/** Runs a rewriting command from its settings to its result on stdout. Returns the exit status. @throws OcislimError */
export async function runRewriting<Settings extends JobSettings>(
  command: RewritingCommand<Settings>,
  { settings, secrets, line, console }: Call<Options> & { readonly settings: Settings & CliSettings },
): Promise<number> {
  using screen = new Screen(settings, console);
  const { env, signal } = console;
  const outcome = await command(line.argument('src') ?? '', line.argument('dst'), settings, {
    env,
    signal,
    secrets,
    listener: screen.listener,
    pauseOutput: () => screen.pause(),
  });
  screen.stop();
  if (outcome.name !== null) console.notePublished(outcome.name);
  const unwritten = await writeOutputs(outcome, settings);
  // A published image has its name on stdout, whatever failed since.
  await print(outcome, settings, console);
  const failures = [outcome.failure, unwritten].filter((failure) => failure !== null);
  if (failures.length > 0) throw failureAfter(outcome, failures);
  return 0;
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

type CliSettings = Pick<JobSettings, 'quiet' | 'verbose' | 'format'>;

async function print(
  outcome: Outcome,
  { quiet, verbose, format }: CliSettings,
  console: Console,
): Promise<void> {
  const { report, explanations, name } = outcome;
  for (const line of explanations) console.stderr.write(`${line}\n`);
  if (!quiet) {
    const { renderSummary } = await import('../report/summary.ts');
    const { chooseStyle } = await import('../report/style.ts');
    const style = chooseStyle(console.env, console.stderr.isTTY === true);
    const { columns } = console.stderr;
    console.stderr.write(
      renderSummary(report, {
        style,
        verbose: verbose || report.dryRun,
        ...(columns === undefined ? {} : { width: columns }),
      }),
    );
  }
  if (format === 'json') {
    const { renderJson } = await import('../report/json.ts');
    for (const chunk of renderJson(report)) console.stdout.write(chunk);
  } else if (name !== null) console.stdout.write(`${name}\n`);
}
