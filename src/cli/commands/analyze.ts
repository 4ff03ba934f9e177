/** The command `analyze`: what an image holds and wastes, and what to do about it. It prints a result and writes no image. */
import { OcislimError } from '../../errors.ts';
import type { Analyzed } from '../../report/analyze/analyzed.ts';
import { analysisRendererFor, analysisSuffixes, rendererOfFormat } from '../../report/analyze/renderers.ts';
import { type AnalyzeSettings, analyzeOptions } from '../../settings/tables/analyze.ts';
import { type Command, type Console, defineCommand, source as sourceArgument } from '../command.ts';

export const analyze: Command = defineCommand({
  name: 'analyze',
  describe: 'show what an image holds, what it wastes, by which instruction, and the fix',
  details:
    'Reads every layer once, from any place, without unpacking it to disk, and writes nothing. It begins with what to do: each finding has its bytes, the instruction that wasted them, the change of the Dockerfile, and a command to copy. Then come the layers, the largest files and directories, packages, the attack surface, and with --estimate what squash, prune and recompress would save, each by itself. The numbers of dive are computed as dive does, under its name; "reclaimable" is the truthful one: bytes that layers carry and no container sees. With --cache-dir a second command answers from the cache. docs/look-inside.md explains each number.',
  positionals: [sourceArgument],
  options: analyzeOptions,
  examples: [
    ['ocislim analyze localhost:5000/app:1', 'what to do, and what is there'],
    ['ocislim analyze oci:app:1 --format json -o analysis.json', 'for programs'],
    ['ocislim analyze oci:app:1 --format paths --all-layers | grep shadowed', 'files that no container sees'],
    [
      'ocislim analyze oci:app:1 --quick --report analysis.md',
      "dive's numbers only, and a summary in Markdown",
    ],
  ],
  async run(call) {
    const { settings, secrets, line, console } = call;
    const source = line.argument('src') ?? '';
    const { format, output, report } = settings;
    const { checkFiles, writeResult } = await import('../result-output.ts');
    checkReports(report);
    const files = report.map((file) => ({ option: '--report', file }));
    await checkFiles(
      [...files, ...(output === null || output === '-' ? [] : [{ option: '--output', file: output }])],
      source,
    );
    const { analyzeOne } = await import('../../commands/analyze.ts');
    const { Screen } = await import('../screen.ts');
    using screen = new Screen(settings, console);
    const { surroundingsOf } = await import('../../commands/surroundings.ts');
    const { env, signal } = console;
    const surroundings = surroundingsOf({ env, signal, secrets, listener: screen.listener });
    const analyzed = await analyzeOne(source, settings, surroundings);
    screen.stop();
    const options = { ...(await renderOptions(settings)), signal };
    for (const file of report) {
      const pieces = await analysisRendererFor(file)?.render(analyzed, options);
      await writeResult(pieces ?? [], { output: file }, console);
    }
    const pieces = await (rendererOfFormat(format)?.render(analyzed, options) ??
      renderText(analyzed, settings, console));
    await writeResult(pieces, { output }, console);
    return 0;
  },
});

/** @throws USAGE for a file whose name does not say what it is to hold */
function checkReports(files: readonly string[]): void {
  for (const file of files)
    if (analysisRendererFor(file) === null)
      throw new OcislimError(
        'USAGE',
        `--report ${JSON.stringify(file)}: the name must end in ${analysisSuffixes.join(' or ')}`,
      );
}

async function renderOptions({ allLayers, top, nul }: AnalyzeSettings) {
  const { version } = await import('../../commands/version.ts');
  const scope = allLayers ? ('layers' as const) : ('root' as const);
  return { scope, top, nul, tool: { name: 'ocislim', version } };
}

/** Renders the text for the terminal that it goes to, or in the columns of a page. */
async function renderText(
  { analysis }: Analyzed,
  { top, output }: AnalyzeSettings,
  { stdout, env }: Console,
): Promise<readonly string[]> {
  const { renderAnalysisText } = await import('../../report/analyze/text.ts');
  const { chooseStyle } = await import('../../report/style.ts');
  const isTerminal = output === null && stdout.isTTY === true;
  const width = (isTerminal ? stdout.columns : undefined) ?? widthOfPages;
  return [renderAnalysisText(analysis, { style: chooseStyle(env, isTerminal), width, top })];
}

const widthOfPages = 100;
