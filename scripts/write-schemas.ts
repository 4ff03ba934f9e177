import { writeFileSync } from 'node:fs';
import { reportJsonSchema } from '../src/report/schema.ts';

/** Writes the published JSON Schemas. A test fails when they are not what this would write. */
export const schemas: Readonly<Record<string, () => object>> = {
  'schemas/report.schema.json': reportJsonSchema,
};

/** The text of a published schema. */
export function renderSchema(make: () => object): string {
  return `${JSON.stringify(make(), null, 2)}\n`;
}

if (import.meta.main) {
  for (const [file, make] of Object.entries(schemas)) {
    writeFileSync(new URL(`../${file}`, import.meta.url), renderSchema(make));
  }
}
