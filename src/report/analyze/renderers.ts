/**
 * The table of the formats of an analysis that programs read and files hold. `--format` finds a row by its name, `--report` by the end of
 * a file's name; a new format is a row. Text for the terminal is `text.ts`.
 */
import type { Analyzed, RenderOptions } from './analyzed.ts';

/** One format. */
export interface AnalysisRenderer {
  /** The word of `--format`; null for a format that only files have. */
  readonly format: string | null;
  /** The end of a file's name that asks for it; null for a format that only `--format` names. */
  readonly suffix: string | null;
  /** Returns the content in pieces, since lists of files may be long. */
  readonly render: (analyzed: Analyzed, options: RenderOptions) => Promise<Iterable<string | Uint8Array>>;
}

const renderers = [
  {
    format: 'json',
    suffix: '.json',
    render: async ({ analysis }, { tool }) => {
      const [{ renderJson }, { analysisDocument }] = await Promise.all([
        import('../json.ts'),
        import('./document.ts'),
      ]);
      return renderJson(analysisDocument(analysis, tool));
    },
  },
  {
    format: 'markdown',
    suffix: '.md',
    render: async ({ analysis }, { top }) => [
      (await import('./markdown.ts')).renderAnalysisMarkdown(analysis, top),
    ],
  },
  {
    format: null,
    suffix: '.html',
    render: async (analyzed, options) =>
      (await import('../page/render-analysis.ts')).renderAnalysisPage(analyzed, options),
  },
  {
    format: 'csv',
    suffix: '.csv',
    render: async (analyzed, { scope }) => (await import('./csv.ts')).renderCsv(analyzed, scope),
  },
  {
    format: 'ncdu',
    suffix: null,
    render: async (analyzed, options) => (await import('./ncdu.ts')).renderNcdu(analyzed, options),
  },
  {
    format: 'paths',
    suffix: null,
    render: async (analyzed, options) => (await import('./paths.ts')).renderPaths(analyzed, options),
  },
  {
    format: 'dive-json',
    suffix: null,
    render: async (analyzed) => (await import('./dive-json.ts')).renderDiveJson(analyzed),
  },
] as const satisfies readonly AnalysisRenderer[];

/** The words of `--format`, in the order of help. */
export const analysisFormats = ['text', 'json', 'markdown', 'csv', 'ncdu', 'paths', 'dive-json'] as const;

/** The suffixes that a report's file may have. */
export const analysisSuffixes: readonly string[] = renderers.flatMap(({ suffix }) => suffix ?? []);

/** Returns the renderer for a file by the end of its name, or null. */
export function analysisRendererFor(file: string): AnalysisRenderer | null {
  return renderers.find(({ suffix }) => suffix !== null && file.endsWith(suffix)) ?? null;
}

/** Returns the renderer of a word of `--format`; null for text. */
export function rendererOfFormat(format: (typeof analysisFormats)[number]): AnalysisRenderer | null {
  return renderers.find((renderer) => renderer.format === format) ?? null;
}
