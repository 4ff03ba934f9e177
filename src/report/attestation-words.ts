/** Says what was signed and stated about a result. The summary and the Markdown report print it. */
import { knownTypes, typeNames } from '../attest/names.ts';
import { formatNumberOf } from './figures.ts';
import type { Report } from './report.ts';

type Row = NonNullable<Report['attestations']>['statements'][number];

/** Returns sentences without a full stop: the signature, then what stands beside the image and what is in files. */
export function attestationLines({ attestations, dryRun, unchanged }: Report): readonly string[] {
  if (attestations === undefined) return [];
  const { key, statements } = attestations;
  const isSignature = ({ predicateType }: Row) => predicateType === knownTypes.signature;
  const signature = statements.find(isSignature);
  const stated = statements.filter((row) => !isSignature(row));
  const by = key === null ? '' : ` (${key.kind}, key ${key.hint})`;
  const verb = dryRun ? 'would be signed' : 'signed';
  return [
    ...(signature === undefined ? [] : [`${verb}${by}`]),
    ...(stated.length === 0 ? [] : [statedText(stated, dryRun)]),
    ...(stated.length === 0 && unchanged ? ['nothing is stated of an image that is the same'] : []),
  ];
}

function statedText(rows: readonly Row[], dryRun: boolean): string {
  const equivalences = rows.filter(({ predicateType }) => predicateType === typeNames.equivalence).length;
  const kinds = [
    ...(rows.length > equivalences ? ['provenance'] : []),
    ...(equivalences === 0 ? [] : [dryRun ? 'equivalence' : formatNumberOf(equivalences, 'equivalence')]),
  ];
  const where = rows.some(({ isAttached }) => isAttached) ? 'beside the image' : 'in files';
  return `${dryRun ? 'would state' : 'stated'} ${where}: ${kinds.join(', ')}`;
}
