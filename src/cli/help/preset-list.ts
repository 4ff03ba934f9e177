/** Lists presets for people and for programs. The command `presets` prints what this returns. */
import type { Preset } from '../../slim/presets.ts';
import { paragraph, type Terminal, twoColumns, widthOfHelp } from './layout.ts';

/** Renders a line for each preset, and marks those that `slim` uses by default. */
export function renderPresets(presets: readonly Preset[], terminal: Terminal): string {
  const width = widthOfHelp(terminal);
  const rows = presets.map(({ name, title, risk, safe }) => {
    const marks = `${safe ? 'slim' : '    '}  ${risk.padEnd(6)}`;
    return [`${name.padEnd(widest(presets))}  ${marks}`, title] as const;
  });
  const column = widest(presets) + 2 + 'slim  medium'.length;
  const head = `${'name'.padEnd(widest(presets))}        risk`;
  return text([
    ...twoColumns([[head, 'what it removes'], ...rows], width, column),
    '',
    ...paragraph(
      '"slim" marks those that "ocislim slim" uses without being asked. Use others with --preset NAME,…',
      width,
    ),
    ...paragraph('Rules and remarks: "ocislim presets NAME".', width),
  ]);
}

/** Renders presets with their rules and what may go wrong. */
export function renderPresetRules(presets: readonly Preset[], terminal: Terminal): string {
  const width = widthOfHelp(terminal);
  const blocks = presets.map(({ name, title, risk, safe, note, effect, rules }) => [
    ...paragraph(`${name}: ${title} (risk: ${risk}${safe ? '; slim uses it by default' : ''})`, width),
    ...paragraph(note.replaceAll('`', '"'), width, '  '),
    ...(effect === 'clear-setuid' ? ['  Clears setuid and setgid bits; removes nothing.'] : []),
    ...rules.map((rule) => `    ${typeof rule === 'string' ? rule : rule.glob}`),
  ]);
  return text(blocks.flatMap((block, i) => (i === 0 ? block : ['', ...block])));
}

/** Renders presets as JSON, a list of objects. */
export function presetsJson(presets: readonly Preset[]): string {
  const listed = presets.map(({ safe, ...preset }) => ({ ...preset, slim: safe }));
  return `${JSON.stringify(listed, null, 2)}\n`;
}

function widest(presets: readonly Preset[]): number {
  return Math.max(...presets.map(({ name }) => name.length));
}

function text(lines: readonly string[]): string {
  return `${lines.join('\n')}\n`;
}
