/** The command `diff`: everything that differs between two images. With --exit-code its exit status is 3 when they differ. */
import { OcislimError } from '../../errors.ts';
import type { ImageDiff } from '../../analyze/diff/image-diff.ts';
import { diffRendererFor, diffRendererOf, diffSuffixes } from '../../report/diff/renderers.ts';
import { type DiffSettings, diffOptions } from '../../settings/tables/diff.ts';
import { type Command, type Console, defineCommand } from '../command.ts';

export const diff: Command = defineCommand({
  name: 'diff',
  describe: 'list everything that differs between two images, and what an update downloads',
  details:
    'Compares two images from any places, without unpacking them to disk: files with their contents and attributes, packages by version, the config, the history, manifests, layers, and the order and headers within layers; and what a client that has A downloads for B. The last line is the verdict. --ignore leaves aspects out: "identical but for mtime and history". A blob that both have is read once. Of an index, images are paired by platform. --src-creds are for A, --dest-creds for B.',
  positionals: [
    { name: 'a', describe: 'the image before', required: true },
    { name: 'b', describe: 'the image after', required: true },
  ],
  options: diffOptions,
  examples: [
    ['ocislim diff localhost:5000/app:1 localhost:5000/app:2', 'what a new version changes'],
    [
      'ocislim diff oci:app:1 oci:app:2 --ignore mtime,order,pax,layers,history,created',
      'whether a build is reproducible but for times and packing',
    ],
    ['ocislim diff oci:app:1 oci:app:2 --format markdown -o comment.md', 'for a pull request'],
    ["ocislim diff oci:app:1 oci:app:2 --path 'etc/**'", 'only some paths'],
    [
      "ocislim diff oci:app:1 oci:app:2 --path 'etc/**' --format patch -o etc.patch",
      'for git apply, or patch -p1',
    ],
  ],
  async run({ settings, secrets, line, console }) {
    const [a, b] = [line.argument('a') ?? '', line.argument('b') ?? ''];
    await checkPlaces(settings, [a, b]);
    const { diff: compare } = await import('../../commands/index.ts');
    const { Screen } = await import('../screen.ts');
    using screen = new Screen(settings, console);
    const { env, signal } = console;
    const patch = settings.patch || holdsPatches(settings);
    const found = await compare(
      a,
      b,
      { ...settings, patch },
      { env, signal, secrets, listener: screen.listener },
    );
    screen.stop();
    await writeAll(found, settings, console);
    return settings.exitCode && found.verdict.kind === 'different' ? 3 : 0;
  },
});

/** Whether some output is made of patches alone, so that they need no --patch. */
function holdsPatches({ format, report }: DiffSettings): boolean {
  return [diffRendererOf(format), ...report.map(diffRendererFor)].some((each) => each?.format === 'patch');
}

/** Refuses files that could not be written, or whose names do not say what they are to hold. @throws USAGE, IO */
async function checkPlaces({ report, output }: DiffSettings, images: readonly string[]): Promise<void> {
  for (const file of report)
    if (diffRendererFor(file) === null)
      throw new OcislimError(
        'USAGE',
        `--report ${JSON.stringify(file)}: the name must end in ${diffSuffixes.join(' or ')}`,
      );
  const { checkFiles } = await import('../result-output.ts');
  const files = report.map((file) => ({ option: '--report', file }));
  if (output !== null && output !== '-') files.push({ option: '--output', file: output });
  for (const image of images) await checkFiles(files, image);
}

async function writeAll(found: ImageDiff, settings: DiffSettings, console: Console): Promise<void> {
  const { writeResult } = await import('../result-output.ts');
  const { version } = await import('../../commands/version.ts');
  const { format, output, report, top, summary } = settings;
  const options = { top, summary, tool: { name: 'ocislim', version }, signal: console.signal };
  for (const file of report) {
    const pieces = await diffRendererFor(file)?.render(found, options);
    await writeResult(pieces ?? [], { output: file }, console);
  }
  const pieces = await (diffRendererOf(format)?.render(found, options) ??
    renderText(found, settings, console));
  // Patches have exact bytes, which may drive a terminal.
  const isSeen = format === 'patch' && output === null && console.stdout.isTTY === true;
  await writeResult(isSeen ? await escaped(pieces) : pieces, { output }, console);
}

async function escaped(pieces: Iterable<string | Uint8Array>): Promise<Iterable<string>> {
  const { escapeLines } = await import('../../report/escape.ts');
  return [...pieces].map((piece) => escapeLines(String(piece)));
}

async function renderText(
  found: ImageDiff,
  { top, summary, output }: DiffSettings,
  { stdout, env }: Console,
): Promise<Iterable<string>> {
  const { renderDiffText } = await import('../../report/diff/text.ts');
  const { chooseStyle } = await import('../../report/style.ts');
  return renderDiffText(found, {
    top,
    summary,
    style: chooseStyle(env, output === null && stdout.isTTY === true),
  });
}
