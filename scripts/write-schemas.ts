import { writeFileSync } from 'node:fs';
import { planJsonSchema } from '../src/settings/plan-schema.ts';
import { gateJsonSchema } from '../src/settings/gate-schema.ts';
import { verdictJsonSchema } from '../src/report/verdict/schema.ts';
import { analysisJsonSchema } from '../src/report/analyze/schema.ts';
import { diffJsonSchema } from '../src/report/diff/schema.ts';
import { reportJsonSchema } from '../src/report/schema.ts';

/** The published JSON Schemas by path. A test fails when a file differs from what this would write. */
export const schemas: Readonly<Record<string, () => object>> = {
  'schemas/analysis.schema.json': analysisJsonSchema,
  'schemas/gates.schema.json': gateJsonSchema,
  'schemas/verdict.schema.json': verdictJsonSchema,
  'schemas/diff.schema.json': diffJsonSchema,
  'schemas/plan.schema.json': planJsonSchema,
  'schemas/report.schema.json': reportJsonSchema,
};

/** Returns the text of a published schema. */
export function renderSchema(make: () => object): string {
  return `${JSON.stringify(make(), null, 2)}\n`;
}

if (import.meta.main) {
  for (const [file, make] of Object.entries(schemas)) {
    writeFileSync(new URL(`../${file}`, import.meta.url), renderSchema(make));
  }
}
