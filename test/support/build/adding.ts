/**
 * Makes layers of files for the tests of the room `build` and of what is made of it. Everything that an addition can state has its
 * default here.
 */
import { type Adding, openAddition } from '../../../src/build/index.ts';
import { root } from '../../../src/bytes/path.ts';
import { type Addition, placeInNothing, type Placement } from '../../../src/image/addition.ts';
import { defaultLimits } from '../../../src/limits.ts';
import { collect } from '../../../src/stream/collect.ts';
import { GiB } from '../../../src/units.ts';
import { p } from '../bytes.ts';

/** Returns an addition with defaults: a directory at the root of the image, with the attributes of its files. */
export function additionOf(given: Partial<Addition> & Pick<Addition, 'path'>): Addition {
  return {
    kind: 'directory',
    destination: root,
    into: true,
    name: p('name'),
    follows: false,
    rules: [],
    owner: null,
    mode: null,
    mtime: null,
    madeTime: 0,
    createdBy: 'a test',
    xattrs: false,
    ...given,
  };
}

/** Returns what an addition may use. `warnings` gets what it warns of. */
export function addingWith(warnings: string[] = [], signal = new AbortController().signal): Adding {
  return {
    limits: defaultLimits,
    signal,
    onBytes: () => {},
    listener: (event) => {
      if (event.type === 'warning') warnings.push(`${event.code} ${event.message}`);
    },
  };
}

/** Makes the tar of an addition. */
export function tarOf(
  given: Partial<Addition> & Pick<Addition, 'path'>,
  { placement, adding = addingWith() }: { placement?: Placement; adding?: Adding } = {},
): Promise<Uint8Array> {
  const addition = additionOf(given);
  return collect(openAddition(addition, placement ?? placeInNothing(addition), adding), GiB, 'the layer');
}
