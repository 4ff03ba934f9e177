/** The table of the formats of a verdict. `--format` finds a row by its name; a new format is a row. */
import type { Judgement } from './judgement.ts';

/** Returns the content in pieces. */
type Render = (judgement: Judgement) => Promise<Iterable<string>>;

/** Renders a document as JSON. */
async function json(document: object): Promise<Iterable<string>> {
  return (await import('../json.ts')).renderJson(document);
}

const renderers = {
  text: async (judgement) => [(await import('./text.ts')).renderVerdictText(judgement)],
  json: async (judgement) => json((await import('./document.ts')).verdictDocument(judgement)),
  markdown: async (judgement) => [(await import('./markdown.ts')).renderVerdictMarkdown(judgement)],
  sarif: async (judgement) => json((await import('./sarif.ts')).sarifDocument(judgement)),
  junit: async (judgement) => (await import('./junit.ts')).renderJunit(judgement),
  github: async (judgement) => [(await import('./github.ts')).renderGithub(judgement)],
  gitlab: async (judgement) => json((await import('./gitlab.ts')).gitlabDocument(judgement)),
} as const satisfies Readonly<Record<string, Render>>;

export type VerdictFormat = keyof typeof renderers;

/** The words of `--format`, in the order of help. */
export const verdictFormats = Object.keys(renderers) as VerdictFormat[];

/** Renders a verdict in a format. */
export function renderVerdict(judgement: Judgement, format: VerdictFormat): Promise<Iterable<string>> {
  return renderers[format](judgement);
}
