/** The command `check`: gates for CI. Its exit status is 3 where one that must be met is not. */
import { checkOptions } from '../../settings/tables/check.ts';
import { type Command, defineCommand, source as sourceArgument } from '../command.ts';

export const check: Command = defineCommand({
  name: 'check',
  describe: 'judge an image by gates for CI; exit with 3 if one is not met',
  details:
    'Gates are about sizes, layers and waste, about paths, packages, base images, ports and labels, about secrets, setuid files and root, and about mistakes of Dockerfiles. They stand in .ocislim.yaml or in the .dive-ci that is there already (or in --config FILE), or in options, which stand in for those of the file. Without any, the defaults of dive hold, secrets fail the check, and root and mistakes of Dockerfiles are warnings. The gates of dive pass exactly where "dive --ci" passes. Each gate that is not met has one line, with the fix. docs/check.md lists the gates.',
  positionals: [sourceArgument],
  options: checkOptions,
  examples: [
    ['ocislim check localhost:5000/team/lean:1', 'by the file of this folder, or by the defaults'],
    ['ocislim check localhost:5000/app:1 --max-size 100MB --forbid-path "**/.git/**"', 'by options'],
    [
      'ocislim check oci:app:1 --max-layers 20 --format sarif -o check.sarif',
      'for code scanning; also junit, github, gitlab, json',
    ],
  ],
  async run({ settings: given, secrets, line, console }) {
    const source = line.argument('src') ?? '';
    const { checkFiles, writeResult } = await import('../result-output.ts');
    const { format, output, quiet, report, stepSummary } = given;
    const hasFile = output !== null && output !== '-';
    const files = report.map((file) => ({ option: '--report', file }));
    await checkFiles([...files, ...(hasFile ? [{ option: '--output', file: output }] : [])], source);
    const { judgeOne } = await import('../../commands/check.ts');
    const { surroundingsOf } = await import('../../commands/surroundings.ts');
    const { renderVerdict } = await import('../../report/verdict/renderers.ts');
    const { Screen } = await import('../screen.ts');
    const { env, signal, stdout, stderr } = console;
    const settings = { ...given, config: given.config ?? (await foundHere(given.limit, signal)) };
    using screen = new Screen(settings, console);
    const surroundings = surroundingsOf({ env, signal, secrets, listener: screen.listener });
    const judged = await judgeOne(source, settings, surroundings);
    const { judgement } = judged;
    screen.stop();
    for (const file of report) {
      const { renderCheckPage } = await import('../../report/page/render-check.ts');
      await writeResult(await renderCheckPage(judged, signal), { output: file }, console);
    }
    const { renderVerdictText } = await import('../../report/verdict/text.ts');
    const { chooseStyle } = await import('../../report/style.ts');
    const text = (terminal: boolean) => renderVerdictText(judgement, chooseStyle(env, terminal));
    const pieces =
      format === 'text' ? [text(!hasFile && stdout.isTTY === true)] : await renderVerdict(judgement, format);
    await writeResult(pieces, settings, console);
    if (hasFile && !quiet) stderr.write(text(stderr.isTTY === true));
    if (stepSummary)
      await appendSummary(env['GITHUB_STEP_SUMMARY'], await renderVerdict(judgement, 'markdown'));
    return judgement.verdict.passed ? 0 : 3;
  },
});

/** Reads the file of gates of the working directory; null where it has no such file. @throws GATES_INVALID */
async function foundHere(
  overrides: Parameters<typeof import('../../settings/limits.ts').limitsOf>[0],
  signal: AbortSignal,
) {
  const { findGateFile } = await import('../../settings/gate-file.ts');
  const { limitsOf } = await import('../../settings/limits.ts');
  return findGateFile('', { limits: limitsOf(overrides), signal });
}

/** Appends Markdown to the summary of the job. @throws IO */
async function appendSummary(file: string | undefined, pieces: Iterable<string>): Promise<void> {
  if (file === undefined || file === '') return;
  const { appendFile } = await import('node:fs/promises');
  const { fileError } = await import('../../files/file-error.ts');
  try {
    await appendFile(file, [...pieces].join(''));
  } catch (error) {
    throw fileError(`write ${JSON.stringify(file)} ($GITHUB_STEP_SUMMARY)`, error);
  }
}
