/**
 * Makes what two checkouts have written comparable. The comparison calls these on output, reports and events.
 */
import type { Checkout } from './checkout.ts';

/**
 * Replaces what must or may differ between two checkouts: where the checkout is, its version, the random part of a
 * temporary name, times of day, and the wording of a report's warnings and reasons (of those that were forced, their number
 * counts). Everything else counts as a difference.
 */
export function normalise(text: string, { folder, version }: Checkout): string {
  return (
    text
      .replaceAll(folder, 'CHECKOUT')
      .replaceAll(`"ocislim", "version": "${version}"`, '"ocislim", "version": "VERSION"')
      .replaceAll(`"ocislim","version":"${version}"`, '"ocislim","version":"VERSION"')
      .replace(new RegExp(`^${version.replaceAll('.', '\\.')}$`, 'm'), 'VERSION')
      .replace(/\bocislim-[A-Za-z0-9]{6}\b/g, 'ocislim-XXXXXX')
      // When a report was made, for how long, and by which schema.
      .replace(/^ +"(?:\$id|started|durationSeconds)": .*\n/gm, '')
      .replace(/"time":"\d{4}-\d\d-\d\dT[\d:.]+Z"/g, '"time":"NOW"')
      .replace(/("code": ?"[A-Z_]+", ?"message": ?)"(?:[^"\\]|\\.)*"/g, '$1"…"')
      .replace(/^(- `[A-Z_]+`): .*$/gm, '$1: …')
      .replace(/("detail": ?)"(?:[^"\\]|\\.)*"/g, '$1"…"')
      .replace(
        /("forced": ?)\[((?:\s*"(?:[^"\\]|\\.)*",?)*)\s*\]/g,
        (_, key: string, reasons: string) => `${key}${(reasons.match(/"(?:[^"\\]|\\.)*"/g) ?? []).length}`,
      )
  );
}

/** Returns the figures of a text for people, sorted: its sentences may be worded in another way, its numbers may not differ. */
export function figuresIn(text: string): string[] {
  return (text.match(/\d[\d.,]*(?: ?(?:%|[kMG]?B\b))?/g) ?? []).sort();
}

/** Returns the error and warning codes that a run has written to standard error, sorted. */
export function codesIn(stderr: string): string[] {
  return [...stderr.matchAll(/\[([A-Z][A-Z_]+)\]$/gm)].map(([, code]) => code as string).sort();
}

/** Returns the long options that a help text or completion script names, sorted, each once. */
export function optionsIn(text: string): string[] {
  const names = [...text.matchAll(/(?<![\w-])(?:--|-l )([a-z][a-z0-9-]+)/g)].map(
    ([, name]) => name as string,
  );
  return [...new Set(names)].sort();
}

/** Members of events that are times or sentences. */
const reworded = ['time', 'message', 'outcome'];

/**
 * Returns the events of `--progress json`, sorted, since layers are worked on side by side. How a transfer was cut
 * into chunks and the wording of messages and outcomes do not count; types, codes, names and totals do.
 */
export function eventsIn(stderr: string): string[] {
  const events = stderr.split('\n').flatMap((line) => {
    if (!line.startsWith('{')) return [];
    const event = JSON.parse(line) as Readonly<Record<string, unknown>>;
    if (event['type'] === 'task-progress') return [];
    return [JSON.stringify(event, (key, value: unknown) => (reworded.includes(key) ? undefined : value))];
  });
  return events.sort();
}
