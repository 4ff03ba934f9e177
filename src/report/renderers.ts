/** The table of the forms of a report, by the ends of file names. The command line asks it before and after a run. */
import type { PackedFiles } from './page/packed-files.ts';
import type { Report } from './report.ts';

/** One form of the report. A new form is a row of the table below. */
export interface Renderer {
  /** The end of a file's name that asks for it. */
  readonly suffix: string;
  readonly name: string;
  readonly mediaType: string;
  /** Whether it shows files, so that a run must collect them. */
  readonly showsFiles: boolean;
  /** Returns the content as one text, or in pieces where it may be long. `files` are those of each platform, where they were collected. */
  readonly render: (
    report: Report,
    files: readonly (PackedFiles | null)[],
  ) => Promise<string | Iterable<string>>;
}

const renderers: readonly Renderer[] = [
  {
    suffix: '.json',
    name: 'JSON',
    mediaType: 'application/json',
    showsFiles: false,
    render: async (report) => (await import('./json.ts')).renderJson(report),
  },
  {
    suffix: '.md',
    name: 'Markdown',
    mediaType: 'text/markdown',
    showsFiles: false,
    render: async (report) => (await import('./markdown.ts')).renderMarkdown(report),
  },
  {
    suffix: '.html',
    name: 'HTML',
    mediaType: 'text/html',
    showsFiles: true,
    render: async (report, files) => (await import('./page/render.ts')).renderPage(report, files),
  },
  {
    suffix: '.env',
    name: 'variables',
    mediaType: 'text/plain',
    showsFiles: false,
    render: async (report) => (await import('./variables.ts')).renderVariables(report),
  },
];

/** The suffixes that a report's file may have. */
export const reportSuffixes: readonly string[] = renderers.map(({ suffix }) => suffix);

/** Tells whether a report that shows files is among these files of reports. */
export function showFiles(reports: readonly string[]): boolean {
  return reports.some((file) => rendererFor(file)?.showsFiles === true);
}

/** Returns the renderer for a file by the end of its name, or null. */
export function rendererFor(file: string): Renderer | null {
  return renderers.find(({ suffix }) => file.endsWith(suffix)) ?? null;
}
