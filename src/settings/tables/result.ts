/** The options of the result: where it goes, its names, and what is checked before it is published. Every rewriting command has them. */
import { OcislimError } from '../../errors.ts';
import type { Platform } from '../../oci/platform.ts';
import { choice, flag, fromVariable, list, parsePairs, parsed, splitNames, text } from '../option.ts';
import { parsePercent } from '../sizes.ts';
import { parseEpoch } from '../duration.ts';

/** What happens to the artifacts about a source. */
const referrerModes = ['drop', 'copy', 'fail'] as const;

export const platform = list(readPlatforms, {
  value: 'OS/ARCH',
  describe: 'select these platforms of a multi-platform image (repeatable)',
  group: 'Result',
});

export const result = {
  tag: list((references) => references, {
    alias: 't',
    value: 'REF',
    describe: 'set a destination; several tags of one repository (repeatable)',
    group: 'Result',
  }),
  name: list(readNames, {
    value: 'NAME',
    describe: 'name the image in an archive (default: the names of the source)',
    details: '`docker load` and `podman load` tag the image by it. Repeatable.',
    group: 'Result',
  }),
  inPlace: flag({ describe: 'write over the source', group: 'Result' }),
  dryRun: flag({ describe: 'show what would happen; write nothing', group: 'Result' }),
  platform,
  annotation: list(parsePairs, {
    value: 'K=V',
    describe: 'set an annotation of the manifest (repeatable)',
    group: 'Result',
  }),
  label: list(parsePairs, {
    value: 'K=V',
    describe: 'set a label of the image config (repeatable)',
    group: 'Result',
  }),
  referrers: choice(referrerModes, {
    default: 'drop',
    describe: 'leave signatures and SBOMs of the source, take them along, or fail',
    details:
      'They name the old digest, so that they do not hold for a changed image: drop tells of each. copy takes them to another place together with what they are about, unchanged. fail exits with 3 before anything is written. See docs/referrers.md.',
    group: 'Result',
  }),
  requireSavings: parsed(parsePercent, {
    value: 'N%',
    describe: 'publish only if the layers shrink by this much; else exit with 3',
    group: 'Result',
  }),
  sourceDateEpoch: fromVariable('SOURCE_DATE_EPOCH', parseEpoch, {
    describe: 'the time, in seconds since 1970, of everything that is created',
    group: 'Result',
  }),
};

/** The caller's own check of the result. */
export const checking = {
  verifyWith: text({
    value: 'COMMAND',
    describe: 'run this shell command on the result; publish only if it succeeds',
    details:
      'The result is written to a layout on local disk first. The command finds it by $OCISLIM_LAYOUT, $OCISLIM_REFERENCE and $OCISLIM_DIGEST.',
    group: 'Result',
  }),
};

export const debugging = {
  debugTag: text({
    value: 'REF',
    describe: 'also write a debug image: the result with all removed files on top',
    details: 'A tag of the same repository, or a whole reference.',
    group: 'Result',
  }),
};

/** Reads names of images with their tags. Default tag: latest. @throws REFERENCE_INVALID */
async function readNames(texts: readonly string[]): Promise<readonly string[]> {
  if (texts.length === 0) return [];
  const { parseRegistry } = await import('../../oci/forms/registry-form.ts');
  const { withoutPassword } = await import('../../oci/reference.ts');
  return texts.map((text) => {
    const refuse = (why: string, advice = 'Write a name and a tag: --name app:1') =>
      new OcislimError('USAGE', `--name ${JSON.stringify(withoutPassword(text))}: ${why}`, { advice });
    const { tag, digest, untagged } = parseRegistry(text.trim(), refuse);
    if (digest !== null || untagged) throw refuse('a name has a tag, and no digest');
    return tag === null ? `${text.trim()}:latest` : text.trim();
  });
}

/** Loads what reads platforms only where some are given. */
async function readPlatforms(texts: readonly string[]): Promise<readonly Platform[]> {
  if (texts.length === 0) return [];
  const { parsePlatform } = await import('../../oci/platform.ts');
  return splitNames(texts).map(parsePlatform);
}
