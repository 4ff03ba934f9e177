/**
 * Compares what a page says that a command prints with what it prints. Digests, columns and small differences of sizes do not count:
 * they depend on the version of zlib, and on the length of the registry's name.
 */

/** How far figures may be from those of the page. */
const tolerance = 0.03;

/**
 * Returns the first line of a page's block that is not in the output, after those before it; null where all are. A line `…` stands for
 * lines that the page leaves out.
 */
export function missingLine(block: string, output: string, margin: number = tolerance): string | null {
  const printed = linesOf(output);
  let at = 0;
  for (const line of linesOf(block)) {
    if (line === '…') continue;
    const found = printed.findIndex((each, i) => i >= at && isLike(line, each, margin));
    if (found < 0) return line;
    at = found + 1;
  }
  return null;
}

function linesOf(text: string): readonly string[] {
  return text
    .replaceAll(/sha256:[0-9a-f]{64}/g, 'sha256:…')
    .split('\n')
    .map((line) => line.trim().replaceAll(/\s+/g, ' '))
    .filter((line) => line !== '');
}

const figure = /\d[\d,]*(?:\.\d+)?/g;

/** Whether two lines have the same words, and figures that are nearly the same. */
function isLike(told: string, printed: string, margin: number): boolean {
  if (told.replaceAll(figure, '#') !== printed.replaceAll(figure, '#')) return false;
  const [mine, theirs] = [told, printed].map((line) =>
    (line.match(figure) ?? []).map((text) => Number(text.replaceAll(',', ''))),
  ) as [number[], number[]];
  return mine.every((value, i) => {
    const other = theirs[i] ?? Number.NaN;
    return Math.abs(value - other) <= Math.max(1, margin * Math.max(value, other));
  });
}
