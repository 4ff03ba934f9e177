/** The options of `diff`. Its command, help and the documentation pages read them. */
import { type Ignorable, ignorable } from '../../analyze/diff/image-diff.ts';
import { closestWord } from '../../closest-word.ts';
import { OcislimError } from '../../errors.ts';
import { diffFormats, diffSuffixes } from '../../report/diff/renderers.ts';
import { choice, count, flag, list, type SettingsOf, splitNames } from '../option.ts';
import { checkGlobs } from '../rule-files.ts';
import { reaching } from './commands.ts';
import { otherFormats, outputFile, reportFiles } from './looking.ts';
import { platform } from './result.ts';

export const diffOptions = {
  ignore: list(readIgnored, {
    value: 'ASPECT',
    describe: 'leave these differences out of the verdict and the lists (repeatable)',
    details: `Aspects, with commas between them: ${ignorable.map((aspect) => `\`${aspect}\``).join(', ')}. \`config\` has \`env\` and \`labels\` with it. [The guide](../diff.md#aspects) says what each one is.`,
    suggest: async () => ignorable,
    group: 'Comparison',
  }),
  path: list(checkGlobs, {
    value: 'GLOB',
    describe: 'compare only the paths that this matches, and nothing else (repeatable)',
    group: 'Comparison',
  }),
  also: list((references) => references, {
    value: 'REF',
    describe: 'compare what clients download among A, this version and B (repeatable)',
    details:
      'Only manifests and configs of these are read. The result has a table from version to version: A, these in their order, and B.',
    group: 'Comparison',
  }),
  layers: flag({
    describe: 'compare each layer with the one in its place, entry by entry',
    group: 'Comparison',
  }),
  patch: flag({
    describe: 'show unified diffs of texts up to 64 KiB',
    details:
      'The layers that hold them are read once more. Larger and binary files have their sizes and digests. To apply patches, write `--format patch`.',
    group: 'Comparison',
  }),
  exitCode: flag({ describe: 'exit with 3 if the images differ', group: 'Comparison' }),
  format: choice(diffFormats, {
    default: 'text',
    describe: 'choose what is printed',
    details: '`patch`: only the patches, for `git apply` and `patch -p1`.',
    instead: { ...otherFormats, diff: 'Write patch.' },
    group: 'Reports',
  }),
  output: outputFile,
  report: reportFiles(diffSuffixes),
  top: count(0, {
    value: 'N',
    default: 20,
    describe: 'show so many rows of each list of the text and of Markdown',
    details: 'Of files and packages the largest ones. JSON has all rows.',
    group: 'Reports',
  }),
  summary: flag({ describe: 'show sizes, counts and the verdict, and no lists', group: 'Reports' }),
  platform,
  ...reaching,
};
export type DiffSettings = SettingsOf<typeof diffOptions>;

/** Words of other tools for an aspect, and what people may write for it. */
const otherWords: Readonly<Record<string, Ignorable>> = {
  time: 'mtime',
  times: 'mtime',
  timestamp: 'mtime',
  timestamps: 'mtime',
  permissions: 'mode',
  xattrs: 'xattr',
  hardlinks: 'links',
  environment: 'env',
  label: 'labels',
  annotation: 'annotations',
  attestations: 'artifacts',
};

/** @throws USAGE for a word that is not an aspect */
function readIgnored(texts: readonly string[], where: string): readonly Ignorable[] {
  const words = new Set(splitNames(texts).map((word) => readAspect(word, where)));
  return ignorable.filter((aspect) => words.has(aspect));
}

function readAspect(word: string, where: string): Ignorable {
  const known = ignorable.find((aspect) => aspect === word);
  if (known !== undefined) return known;
  const lower = word.toLowerCase();
  const near = (Object.hasOwn(otherWords, lower) ? otherWords[lower] : null) ?? closestWord(word, ignorable);
  throw new OcislimError(
    'USAGE',
    `${where} takes ${ignorable.join(', ')}, not ${JSON.stringify(word)}`,
    near === null ? {} : { advice: `Did you mean ${near}?` },
  );
}
