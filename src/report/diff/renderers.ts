/**
 * The table of the formats of a comparison that programs read and files hold. `--format` finds a row by its name, `--report` by the end
 * of a file's name; a new format is a row. Text for the terminal is `text.ts`.
 */
import type { ImageDiff } from '../../analyze/diff/image-diff.ts';
import type { DiffRenderOptions } from './words.ts';

/** What a renderer is asked for. */
export interface DiffFileOptions extends DiffRenderOptions {
  readonly tool: { readonly name: string; readonly version: string };
  /** What cancels the work on long lists. */
  readonly signal: AbortSignal;
}

/** One format. */
export interface DiffRenderer {
  /** The word of `--format`; null for a format that only files have. */
  readonly format: string | null;
  /** The end of a file's name that asks for it. */
  readonly suffix: string;
  /** Returns the content in pieces, since lists of files may be long. */
  readonly render: (diff: ImageDiff, options: DiffFileOptions) => Promise<Iterable<string | Uint8Array>>;
}

const renderers: readonly DiffRenderer[] = [
  {
    format: 'json',
    suffix: '.json',
    render: async (diff, { tool, summary }) => {
      const [{ renderJson }, { diffDocument }] = await Promise.all([
        import('../json.ts'),
        import('./document.ts'),
      ]);
      return renderJson(diffDocument(diff, tool, { summary }));
    },
  },
  {
    format: 'markdown',
    suffix: '.md',
    render: async (diff, options) => [(await import('./markdown.ts')).renderDiffMarkdown(diff, options)],
  },
  {
    format: 'patch',
    suffix: '.patch',
    render: async (diff) => (await import('./patch.ts')).renderPatches(diff),
  },
  {
    format: null,
    suffix: '.html',
    render: async (diff, options) => (await import('../page/render-diff.ts')).renderDiffPage(diff, options),
  },
];

/** The words of `--format`, in the order of help. */
export const diffFormats = ['text', 'json', 'markdown', 'patch'] as const;

/** The suffixes that a report's file may have. */
export const diffSuffixes: readonly string[] = renderers.map(({ suffix }) => suffix);

/** Returns the renderer for a file by the end of its name, or null. */
export function diffRendererFor(file: string): DiffRenderer | null {
  return renderers.find(({ suffix }) => file.endsWith(suffix)) ?? null;
}

/** Returns the renderer of a word of `--format`; null for text. */
export function diffRendererOf(format: (typeof diffFormats)[number]): DiffRenderer | null {
  return renderers.find((renderer) => renderer.format === format) ?? null;
}
