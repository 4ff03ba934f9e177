/** Turns a verdict into the document that is printed as JSON. The table of renderers loads it. */
import type * as z from 'zod';
import { commandLine } from '../analyze/command-line.ts';
import { pathFields } from '../escape.ts';
import type { Judgement } from './judgement.ts';
import type { verdictSchema } from './schema.ts';

/** The name of the JSON Schema of verdicts. A new version gets a new one. */
export const verdictId = 'urn:ocislim:schema:verdict:1';

type VerdictDocument = z.infer<typeof verdictSchema>;

/** Makes the document of a verdict. */
export function verdictDocument({ verdict, tool, digest, ...about }: Judgement): VerdictDocument {
  return {
    $id: verdictId,
    verdictVersion: 1,
    tool: { ...tool },
    digest,
    ...about,
    passed: verdict.passed,
    gates: verdict.gates.map(({ breaches, ...gate }) => ({
      ...gate,
      passed: breaches.length === 0,
      breaches: breaches.map(({ path, command, ...breach }) => ({
        ...breach,
        command: command === null ? null : commandLine(command, about.image),
        ...(path === null ? { path } : pathFields(path)),
      })),
    })),
  };
}
