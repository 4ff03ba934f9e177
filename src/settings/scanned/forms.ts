/**
 * The forms of scanners' output, as schemas of zod: what is read of Trivy's and Grype's JSON and of SARIF 2.1.0, and nothing else. Unknown
 * members are passed over. `read-findings.ts` imports it where an option names such files.
 */
import * as z from 'zod';

/** A text that may be missing or null, as Go writes empty members. */
const text = z.string().nullish();

/** A list that may be missing or null. */
const listOf = <Item extends z.ZodType>(item: Item) => z.array(item).nullish();

/** The JSON of Trivy (`--format json`, SchemaVersion 2). */
export const trivyForm = z.object({
  SchemaVersion: z.number(),
  Results: listOf(
    z.object({
      Target: text,
      Class: text,
      Type: text,
      Vulnerabilities: listOf(
        z.object({
          VulnerabilityID: z.string(),
          PkgName: text,
          PkgPath: text,
          PkgIdentifier: z.object({ PURL: text }).nullish(),
          InstalledVersion: text,
          Severity: text,
        }),
      ),
    }),
  ),
});

/** The JSON of Grype (`-o json`). */
export const grypeForm = z.object({
  matches: z
    .array(
      z.object({
        vulnerability: z.object({ id: z.string(), severity: text }),
        artifact: z.object({
          name: text,
          version: text,
          type: text,
          purl: text,
          locations: listOf(z.object({ path: text, accessPath: text })),
        }),
      }),
    )
    .nullable(),
  descriptor: z.object({ name: text }).nullish(),
});

const message = z.object({ text }).nullish();

/** SARIF 2.1.0, section 3.13, as Trivy and Grype write it. */
export const sarifForm = z.object({
  version: z.string(),
  runs: z.array(
    z.object({
      tool: z.object({
        driver: z.object({
          name: text,
          rules: listOf(
            z.object({
              id: z.string(),
              help: message,
              properties: z.object({ tags: listOf(z.string()) }).nullish(),
            }),
          ),
        }),
      }),
      results: listOf(
        z.object({
          ruleId: text,
          ruleIndex: z.int().nullish(),
          message,
          locations: listOf(
            z.object({
              physicalLocation: z.object({ artifactLocation: z.object({ uri: text }).nullish() }).nullish(),
              logicalLocations: listOf(z.object({ name: text })),
            }),
          ),
        }),
      ),
    }),
  ),
});
