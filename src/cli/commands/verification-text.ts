/** The verdict of `verify`, in words for people and as JSON for programs. */
import type { Verification } from '../../jobs/compare/verify.ts';
import { displayPath, escapeText, pathFields, safeJsonText } from '../../report/escape.ts';
import { formatNumberOf } from '../../report/figures.ts';

/** Renders the verdict in words: a line for each platform, and one for each difference. */
export function renderVerification(result: Verification, a: string, b: string): string {
  const lines: string[] = [];
  for (const {
    platform,
    sameLayers,
    compared,
    differences,
    differenceCount,
    allowedMissing,
  } of result.platforms) {
    const where = escapeText(platform ?? 'image');
    const less =
      allowedMissing === 0 ? '' : `, ${formatNumberOf(allowedMissing, 'path')} removed as announced`;
    if (differenceCount === 0 && sameLayers)
      lines.push(`${where}: the same layers, byte for byte once unpacked`);
    else if (differenceCount === 0)
      lines.push(
        `${where}: the same, ${formatNumberOf(compared, 'path')} compared in every attribute${less}`,
      );
    else
      lines.push(
        `${where}: ${formatNumberOf(differenceCount, 'difference')} in ${formatNumberOf(compared, 'path')}${less}`,
      );
    for (const { path, what, a: before, b: after } of differences)
      lines.push(`  ${what.padEnd(8)} ${displayPath(path)}: ${escapeText(before)} → ${escapeText(after)}`);
    if (differences.length < differenceCount)
      lines.push(
        `  … and ${formatNumberOf(differenceCount - differences.length, 'more difference', 'more differences')}`,
      );
  }
  lines.push(
    result.equal ? `${escapeText(b)} is ${escapeText(a)}` : `${escapeText(b)} is NOT ${escapeText(a)}`,
  );
  return `${lines.join('\n')}\n`;
}

/** Renders the verdict as JSON. A path that is not UTF-8 has its bytes in `pathBase64`. */
export function renderVerificationJson(result: Verification): string {
  const platforms = result.platforms.map((platform) => ({
    ...platform,
    differences: platform.differences.map(({ path, ...rest }) => ({ ...pathFields(path), ...rest })),
  }));
  return `${safeJsonText(JSON.stringify({ ...result, platforms }, null, 2))}\n`;
}
