/**
 * Renders a verdict as SARIF 2.1.0 (OASIS), for code scanning. The rules are the gates that were asked; a breach is a result at the
 * image, with the layer as its logical location.
 */
import { escapeText } from '../escape.ts';
import { addressOf, fingerprint } from './location.ts';
import { breachesOf, fixText, type Judgement, type Told } from './judgement.ts';

/** Makes the document. */
export function sarifDocument(judgement: Judgement): object {
  const { tool, verdict, image } = judgement;
  const rules = [...new Map(verdict.gates.map((gate) => [gate.id, gate])).values()];
  const indexOf = new Map(rules.map(({ id }, i) => [id, i]));
  return {
    $schema: 'https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: tool.name,
            semanticVersion: tool.version,
            rules: rules.map(({ id, title, level }) => ({
              id,
              shortDescription: { text: `${title}.` },
              defaultConfiguration: { level },
            })),
          },
        },
        columnKind: 'utf16CodeUnits',
        results: breachesOf(judgement).map((told) => resultOf(told, image, indexOf.get(told.gate.id) ?? 0)),
      },
    ],
  };
}

function resultOf(told: Told, image: string, ruleIndex: number): object {
  const { gate, breach } = told;
  const fix = fixText(breach, image);
  return {
    ruleId: gate.id,
    ruleIndex,
    level: gate.level,
    message: { text: escapeText(`${breach.message}.${fix === '' ? '' : ` Fix: ${fix}`}`) },
    locations: [
      {
        physicalLocation: {
          artifactLocation: { uri: addressOf(image) },
          region: { startLine: 1 },
        },
        ...(breach.layer === null
          ? {}
          : { logicalLocations: [{ name: `layer ${breach.layer}`, kind: 'module' }] }),
      },
    ],
    partialFingerprints: { 'ocislim/v1': fingerprint(told, image) },
  };
}
