import type { Results } from '../results.ts';
import { summarise } from './summary.ts';
import { times } from './table.ts';

/** Pipes and copying programs: not image tools, but bounds for them. */
const bounds = new Set(['zstd', 'pigz', 'gzip', 'cp', 'sha256sum']);
const left = 390;
const width = 340;
/** The longest bar. Longer ones are cut, and marked. */
const longest = 6;

/** Draws bars of times as multiples of ocislim's, a group for each work, legible on light and dark pages. */
export function renderChart(results: Pick<Results, 'rows'>): string {
  const parts: string[] = [];
  let y = 44;
  const groups = summarise(results).filter(
    ({ work, lines }) => work.charted === true && lines.filter(({ time }) => time !== null).length > 1,
  );
  const scale = width / longest;
  /** Where the bars of ocislim end. */
  const one = Math.round(left + scale);
  for (const { work, lines } of groups) {
    parts.push(`  <text x="20" y="${y + 14}" class="work">${escape(work.title)}</text>`);
    y += 24;
    const top = y;
    for (const { label, rival, time, output } of lines) {
      if (time === null) continue;
      const cut = time.median > longest;
      const length = Math.max(2, Math.round(Math.min(time.median, longest) * scale));
      const colour = rival === 'ocislim' ? '#2f81f7' : bounds.has(rival) ? '#57ab5a' : '#8b949e';
      // A result of another size is part of the comparison.
      const differs = output !== null && Math.abs(output - 1) >= 0.005;
      const size = differs ? `, ${(output * 100).toFixed(1)} % of the bytes` : '';
      parts.push(
        `  <text x="${left - 10}" y="${y + 13}" text-anchor="end">${escape(label)}</text>`,
        `  <rect x="${left}" y="${y}" width="${length}" height="17" rx="3" fill="${colour}"/>`,
        `  <text x="${Math.max(left + length, one) + 8}" y="${y + 13}">${cut ? '→ ' : ''}${times(time.median)}${size}</text>`,
      );
      y += 22;
    }
    parts.push(`  <line x1="${one}" y1="${top - 3}" x2="${one}" y2="${y - 2}"/>`);
    y += 12;
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 960 ${y}" role="img" aria-label="Times of other tools as multiples of that of ocislim">
  <style>text { font: 13px ui-monospace, monospace; fill: #57606a } .work { font-weight: bold } line { stroke: #8b949e; stroke-dasharray: 3 4 } @media (prefers-color-scheme: dark) { text { fill: #b1bac4 } }</style>
  <text x="20" y="24">Time as multiples of ocislim’s: longer is slower. Green: bytes through pipes only, no image</text>
${parts.join('\n')}
</svg>
`;
}

function escape(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
