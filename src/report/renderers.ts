import type { Report } from './report.ts';

/** One form of the report. A new form is a row of the table below. */
export interface Renderer {
  /** The end of a file's name that asks for it. */
  readonly suffix: string;
  readonly name: string;
  readonly mediaType: string;
  /** Returns the content as one text, or in pieces where it may be long. */
  readonly render: (report: Report) => Promise<string | Iterable<string>>;
}

const renderers: readonly Renderer[] = [
  {
    suffix: '.json',
    name: 'JSON',
    mediaType: 'application/json',
    render: async (report) => (await import('./json.ts')).renderJson(report),
  },
  {
    suffix: '.md',
    name: 'Markdown',
    mediaType: 'text/markdown',
    render: async (report) => (await import('./markdown.ts')).renderMarkdown(report),
  },
  {
    suffix: '.env',
    name: 'variables',
    mediaType: 'text/plain',
    render: async (report) => (await import('./variables.ts')).renderVariables(report),
  },
];

/** The suffixes that a report's file may have. */
export const reportSuffixes: readonly string[] = renderers.map(({ suffix }) => suffix);

/** Returns the renderer for a file by the end of its name, or null. */
export function rendererFor(file: string): Renderer | null {
  return renderers.find(({ suffix }) => file.endsWith(suffix)) ?? null;
}
