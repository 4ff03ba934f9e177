/**
 * The part of a report about what scanners had found in the source (`--findings`). `schema.ts` is made of it.
 */
import * as z from 'zod';
import { findingFates } from '../analyze/scanned/match-findings.ts';
import { severities } from '../analyze/scanned/scanned.ts';
import { count } from './schema-values.ts';

const bySeverity = z
  .strictObject({
    critical: count,
    high: count,
    medium: count,
    low: count,
    negligible: count,
    unknown: count,
  })
  .describe('Numbers of findings.');

const scannedFinding = z.strictObject({
  id: z.string().describe('As the scanner names it: "CVE-2024-1234".'),
  severity: z.enum(severities),
  package: z.string().nullable(),
  version: z.string().nullable(),
  purl: z.string().nullable().describe('The package URL, as the scanner or else the image has it.'),
  fate: z
    .enum(findingFates)
    .describe(
      'gone: no file of the package is left. partly: some files went. stays: nothing of it went. unmatched: the image has no such package or file.',
    ),
  listed: z
    .boolean()
    .describe(
      'Whether a package database of the result still lists the package, so that scanners report it.',
    ),
});

export const scanned = z.strictObject({
  files: z.array(
    z.strictObject({ file: z.string(), format: z.enum(['trivy', 'grype', 'sarif']), findings: count }),
  ),
  before: bySeverity,
  after: bySeverity.describe('The numbers of those that are not gone.'),
  findings: z
    .array(scannedFinding)
    .describe('Every finding, the worst first; the same finding of two files once.'),
});
