/** The options that say how layers are relayered. `relayer` has them, and `slim` where it does the same. */
import { noiseModes, relayerBases } from '../../image/relayering.ts';
import { choice, count, flag, list, parsed } from '../option.ts';
import { parseHistory } from '../history.ts';
import { parseGroups } from '../relayer-groups.ts';
import { parseSize } from '../sizes.ts';

export const relayering = {
  maxLayers: count(1, {
    value: 'N',
    default: 64,
    describe: 'the most layers of the new image, those of a base included',
    details: 'Docker takes 127 at most. More layers let an update change fewer bytes.',
    group: 'Layers',
  }),
  maxLayer: parsed(parseSize, {
    value: 'SIZE',
    default: '1GiB',
    describe: 'the unpacked size that a new layer should not exceed',
    details: 'A single file may be larger, and so may layers where --max-layers leaves no room for more.',
    group: 'Layers',
  }),
  by: choice(relayerBases, {
    default: 'package',
    describe: 'what is kept together: packages, directories, or nothing but large files',
    group: 'Layers',
  }),
  group: list(parseGroups, {
    value: 'NAME=GLOB',
    describe: 'keep what this matches together, as a component of this name (repeatable)',
    details: 'The same name may be given several globs.',
    group: 'Layers',
  }),
  previous: list((references) => references, {
    value: 'REF',
    describe: 'keep the layout of this earlier version as far as possible (repeatable)',
    details:
      'The layout of the first is kept; all of them tell how often components change. Default: the image that the destination names now; else the layout that the source states.',
    group: 'Layers',
  }),
  history: list(parseHistory, {
    value: 'N|REF',
    describe: 'learn from earlier versions how often components change (repeatable)',
    details:
      'A number stands for that many of the newest earlier images of the repository, or the layout, that the destination or the source is in. Versions that `relayer` wrote are read by their manifests and configs alone; the layers of others are scanned, so use --cache-dir.',
    group: 'Layers',
  }),
  noise: choice(noiseModes, {
    default: 'keep',
    describe: 'adopt: take over from the previous version what differs in times alone',
    details:
      'A rebuild gives files new times, which would change every layer. The files of the previous version are the same, and its layers stay. [The guide](../relayer.md#noise) says what counts.',
    group: 'Layers',
  }),
};

export const planning = {
  planOnly: flag({
    describe: 'print which components each layer would have; write nothing',
    details:
      'A dry run, whose answer is the plan: one line for each layer on standard output, with --format json the report. Nothing is packed: sizes are estimates.',
    group: 'Layers',
  }),
};

export const relayerAfterwards = {
  relayer: flag({
    describe: 'lay the result out as layers of which an update changes few',
    details: 'With --base, only the layers above those of the base. See docs/relayer.md.',
    group: 'Layers',
  }),
  ...relayering,
};
