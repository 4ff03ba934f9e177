/**
 * The verdict of `verify`, in words for people and as JSON for programs. The command prints one of the two.
 */
import type { ArtifactVerification, PlatformVerification, Verification } from '../../jobs/compare/verify.ts';
import { displayPath, escapeText, pathFields, safeJsonText } from '../../report/escape.ts';
import { formatNumberOf } from '../../report/figures.ts';

/** The images compared, and what allowed B to differ. */
export interface Compared {
  readonly a: string;
  readonly b: string;
  /** The files of --removed-by. */
  readonly reports: readonly string[];
  /** Whether --except was given. */
  readonly hasExceptions: boolean;
  /** Whether noise was not compared. Default: everything was. */
  readonly noiseless?: boolean;
}

/** Renders the verdict in words: a line for each platform, one for each difference, and at the end what was proved. */
export function renderVerification(result: Verification, compared: Compared): string {
  const lines = [
    ...result.platforms.flatMap((each) => platformLines(each, compared.noiseless === true)),
    ...artifactLines(result.artifacts),
    escapeText(provedBy(result, compared)),
  ];
  return `${lines.join('\n')}\n`;
}

/** Renders the verdict as JSON. A path that is not UTF-8 has its bytes in `pathBase64`. */
export function renderVerificationJson(result: Verification, compared: Compared): string {
  const platforms = result.platforms.map((platform) => ({
    ...platform,
    differences: platform.differences.map(({ path, ...rest }) => ({ ...pathFields(path), ...rest })),
  }));
  const document = { ...result, proved: provedBy(result, compared), platforms };
  return `${safeJsonText(JSON.stringify(document, null, 2))}\n`;
}

/** Returns the sentence that says what was proved of B. */
function provedBy(result: Verification, compared: Compared): string {
  const isSame = result.verdict === 'same' || result.verdict === 'less';
  const noise =
    isSame && compared.noiseless === true
      ? '; times, names of owners, and the times in compiled modules of Python were not compared'
      : '';
  return `${equalityOf(result, compared)}${noise}`;
}

function equalityOf(result: Verification, { a, b, reports, hasExceptions }: Compared): string {
  switch (result.verdict) {
    case 'identical':
      return `${b} is identical to ${a}`;
    case 'same':
      if (result.platforms.length === 0) return `${b} holds the same artifacts as ${a}`;
      return result.platforms.length === 1
        ? `${b} has the same root filesystem and configuration as ${a}`
        : `${b} has the same root filesystems and configurations as ${a}`;
    case 'less': {
      const sources = [...reports, ...(hasExceptions ? ['--except'] : [])].join(' and ');
      const missing = sum(result.platforms.map(({ allowedMissing }) => allowedMissing));
      const changes = sum(result.platforms.map(({ allowedChanges }) => allowedChanges));
      const parts = [
        ...(missing === 0 ? [] : [`less the ${formatNumberOf(missing, 'path')}`]),
        ...(changes === 0 ? [] : [`with the ${formatNumberOf(changes, 'change')}`]),
      ];
      return `${b} has the root filesystem and configuration of ${a}, ${parts.join(' and ')} of ${sources}`;
    }
    case 'nothing':
      return `nothing was proved: neither ${a} nor ${b} holds an image to compare, and their digests differ`;
    case 'different':
      return `${b} is NOT ${a}`;
  }
}

function platformLines(result: PlatformVerification, noiseless: boolean): string[] {
  const { platform, sameLayers, compared, differences, differenceCount, allowedMissing } = result;
  const where = escapeText(platform ?? 'image');
  const less = allowedMissing === 0 ? '' : `, ${formatNumberOf(allowedMissing, 'path')} removed as announced`;
  const lines = differences.map(
    ({ path, what, a, b }) => `  ${what.padEnd(8)} ${displayPath(path)}: ${escapeText(a)} → ${escapeText(b)}`,
  );
  if (differences.length < differenceCount)
    lines.push(
      `  … and ${formatNumberOf(differenceCount - differences.length, 'more difference', 'more differences')}`,
    );
  if (differenceCount > 0)
    return [
      `${where}: ${formatNumberOf(differenceCount, 'difference')} in ${formatNumberOf(compared, 'path')}${less}`,
      ...lines,
    ];
  return sameLayers
    ? [`${where}: the same layers, byte for byte once unpacked`]
    : [
        `${where}: the same, ${formatNumberOf(compared, 'path')} compared in every attribute${noiseless ? ' but noise' : ''}${less}`,
      ];
}

function artifactLines(artifacts: readonly ArtifactVerification[]): string[] {
  const shared = artifacts.filter(({ found }) => found === 'both').length;
  const lines = shared === 0 ? [] : [`${formatNumberOf(shared, 'artifact')}: the same digest in both`];
  for (const { digest, type, found, isDifference } of artifacts) {
    if (found === 'both') continue;
    const only = found === 'a' ? 'only in the first image' : 'only in the second image';
    const why = isDifference ? '' : ': not compared, since the image that it is about is in one of them only';
    lines.push(`${isDifference ? 'artifact' : 'attestation'} ${digest} (${escapeText(type)}): ${only}${why}`);
  }
  return lines;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
