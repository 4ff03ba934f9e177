/** The options of the result: where it goes, its names, and what is checked before it is published. Every rewriting command has them. */
import { parsePlatform } from '../../oci/platform.ts';
import { flag, fromVariable, list, parsePairs, parsed, splitNames, text } from '../option.ts';
import { parsePercent } from '../sizes.ts';
import { parseEpoch } from '../duration.ts';

export const platform = list((texts) => splitNames(texts).map(parsePlatform), {
  value: 'OS/ARCH',
  describe: 'select these platforms of a multi-platform image (repeatable)',
  group: 'Result',
});

export const result = {
  /** More destinations: tags of one repository or layout. */
  tag: list((references) => references, {
    alias: 't',
    value: 'REF',
    describe: 'set a destination; several tags of one repository (repeatable)',
    group: 'Result',
  }),
  /** Whether to write over the source. */
  inPlace: flag({ describe: 'write over the source', group: 'Result' }),
  /** Whether to stop before anything is written. */
  dryRun: flag({ describe: 'show what would happen; write nothing', group: 'Result' }),
  platform,
  /** Annotations that the new manifest gets, beside those that it has. */
  annotation: list(parsePairs, {
    value: 'K=V',
    describe: 'set an annotation of the manifest (repeatable)',
    group: 'Result',
  }),
  /** Labels that the new config gets, beside those that it has. */
  label: list(parsePairs, {
    value: 'K=V',
    describe: 'set a label of the image config (repeatable)',
    group: 'Result',
  }),
  /** The share, from 0 to 1, that the layers must shrink by together. Null: no condition. */
  requireSavings: parsed(parsePercent, {
    value: 'N%',
    describe: 'publish only if the layers shrink by this much; else exit with 3',
    group: 'Result',
  }),
  /** Seconds since 1970. Null: times of the source are kept, and new ones are the time of the run. */
  sourceDateEpoch: fromVariable('SOURCE_DATE_EPOCH', parseEpoch, {
    describe: 'the time, in seconds since 1970, of everything that is created',
    group: 'Result',
  }),
};

/** The caller's own check of the result. */
export const checking = {
  /** A command for `/bin/sh -c`. Null: no check. */
  verifyWith: text({
    value: 'COMMAND',
    describe: 'run this shell command on the result; publish only if it succeeds',
    details:
      'The result is written to a layout on local disk first. The command finds it by $OCISLIM_LAYOUT, $OCISLIM_REFERENCE and $OCISLIM_DIGEST.',
    group: 'Result',
  }),
};

export const debugging = {
  /** Where the debug image goes. Null: none is written. */
  debugTag: text({
    value: 'REF',
    describe: 'also write a debug image: the result with all removed files on top',
    details: 'A tag of the same repository, or a whole reference.',
    group: 'Result',
  }),
};
