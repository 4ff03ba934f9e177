import { type Platform, formatPlatform, parsePlatform } from '../platform.ts';
import type { Form, Refuse } from './form.ts';

/** The image without layers, for each of some platforms. It is in no place, and nothing can be written there. */
export interface ScratchReference {
  readonly kind: 'scratch';
  /** At least one. With several, the reference names an index. */
  readonly platforms: readonly Platform[];
}

/** What `ocislim build` begins with where it has no base. */
export const scratchForm: Form<ScratchReference> = {
  prefix: 'scratch:',
  syntax: 'scratch:OS/ARCH',
  isLocal: true,
  isWrittenWhole: false,
  promisesDigest: false,
  defaultName: null,
  parse,
  problemOf: () => null,
  format: ({ platforms }) => `scratch:${platforms.map(formatPlatform).join(',')}`,
  nameOf: () => null,
  withName: (reference) => reference,
  withDigest: (reference) => reference,
};

function parse(rest: string, refuse: Refuse): readonly ScratchReference[] {
  if (rest === '') throw refuse('it names no platform', 'Write scratch:linux/amd64.');
  return [{ kind: 'scratch', platforms: rest.split(',').map(parsePlatform) }];
}
