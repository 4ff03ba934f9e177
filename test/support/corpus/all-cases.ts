import { endCases } from './end-cases.ts';
import { kindCases } from './kind-cases.ts';
import { nameCases, whiteoutCases } from './name-cases.ts';
import { numberCases } from './number-cases.ts';
import { paxRecordCases, paxSizeCases } from './pax-cases.ts';
import { sparseCases } from './sparse-cases.ts';
import type { TarCase } from './tar-case.ts';

/** The awkward tars that are made here, not taken from other projects. */
export const tarCases: readonly TarCase[] = [
  ...nameCases,
  ...whiteoutCases,
  ...paxSizeCases,
  ...paxRecordCases,
  ...kindCases,
  ...sparseCases,
  ...numberCases,
  ...endCases,
];
