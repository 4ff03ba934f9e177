/** The target of what scanners write (--findings): JSON of Trivy and Grype, and SARIF. It is read, or refused. */
import { readFileSync } from 'node:fs';
import { severities } from '../../src/analyze/scanned/scanned.ts';
import { parseFindings } from '../../src/settings/scanned/read-findings.ts';
import { KiB } from '../../src/units.ts';
import { jsonMutators } from '../json-mutators.ts';
import { flood } from '../mutate.ts';
import { holds, outcomeOf, type Target } from '../target.ts';

const fixture = (name: string) => readFileSync(new URL(`../../fixtures/findings/${name}`, import.meta.url));

export const target: Target = {
  name: 'scanned',
  invariant:
    'what scanners write is read as findings with known severities and paths from the root, or refused; nothing lands in a prototype',
  seeds: () => ['trivy.json', 'grype.json', 'trivy.sarif', 'grype.sarif'].map(fixture),
  dictionary: [
    '"SchemaVersion":2',
    '"Vulnerabilities":',
    '"matches":',
    '"runs":',
    '"PURL":"pkg:npm/%40a/b@1"',
    'Package: x\\nInstalled Version: 1\\n',
    ' reports x at version 1 ',
    '__proto__',
    'null',
  ],
  mutators: [...jsonMutators, flood],
  maxBytes: 64 * KiB,
  run: async (bytes) => {
    const outcome = await outcomeOf(() => parseFindings(Buffer.from(bytes).toString(), 'the file'));
    holds(Object.keys(Object.prototype).length === 0, 'the prototype of all objects has got a member');
    if (outcome.kind === 'refused') return;
    for (const { id, severity, paths } of outcome.value.findings) {
      holds(typeof id === 'string', 'a finding has a name');
      holds(severities.includes(severity), 'a severity is a known word');
      holds(
        paths.every((path) => !path.startsWith('/')),
        'a path is from the root',
      );
    }
  },
};
