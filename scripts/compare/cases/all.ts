import type { Case, Inputs } from '../case.ts';
import { corpusCases } from './corpus.ts';
import { exportCases, reportCases, traceCases, verifyCases } from './judgements.ts';
import { recompressCases, slimCases, squashCases } from './layers.ts';
import { placeCases } from './places.ts';
import { realCases } from './real.ts';
import { pruneCases, restoreCases } from './removals.ts';
import { usageCases } from './usage.ts';

/** Returns every case; the longest first, so that none of them runs alone at the end. */
export function allCases(inputs: Inputs): Case[] {
  const cases = [
    ...realCases(inputs),
    ...squashCases(inputs),
    ...pruneCases(inputs),
    ...recompressCases(inputs),
    ...slimCases(inputs),
    ...restoreCases(inputs),
    ...placeCases(inputs),
    ...verifyCases(inputs),
    ...exportCases(inputs),
    ...traceCases(inputs),
    ...reportCases(inputs),
    ...usageCases(inputs),
    ...corpusCases(inputs),
  ];
  return cases.map((one) => ({ ...one, name: one.name.replaceAll(`${inputs.folder}/`, '') }));
}
