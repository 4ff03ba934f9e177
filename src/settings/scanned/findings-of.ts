/**
 * Turns the output of scanners into findings: of Trivy's JSON, of Grype's JSON, and of SARIF, which both write. `read-findings.ts` gives it
 * parsed JSON.
 */
import type * as z from 'zod';
import { kindOf, type ScannedFile, type ScannedFinding, severityOf } from '../../analyze/scanned/scanned.ts';
import { grypeForm, sarifForm, trivyForm } from './forms.ts';

/** Findings, and the form that they were in. */
export type Scanned = Pick<ScannedFile, 'format' | 'findings'>;

/** Reads the output of a scanner; null for a document of another form. */
export function findingsOf(document: unknown): Scanned | null {
  const trivy = trivyForm.safeParse(document);
  if (trivy.success) return { format: 'trivy', findings: ofTrivy(trivy.data) };
  const grype = grypeForm.safeParse(document);
  if (grype.success) return { format: 'grype', findings: ofGrype(grype.data) };
  const sarif = sarifForm.safeParse(document);
  return sarif.success ? { format: 'sarif', findings: ofSarif(sarif.data) } : null;
}

function ofTrivy({ Results }: z.infer<typeof trivyForm>): readonly ScannedFinding[] {
  return (Results ?? []).flatMap(({ Target, Class, Type, Vulnerabilities }) =>
    (Vulnerabilities ?? []).map((found): ScannedFinding => {
      // The target of packages of a distribution is the image; that of others is a file, or a word such as "Node.js".
      const path = found.PkgPath ?? (Class === 'lang-pkgs' ? Target : null);
      return {
        id: found.VulnerabilityID,
        severity: severityOf(found.Severity),
        name: found.PkgName ?? null,
        version: found.InstalledVersion ?? null,
        kind: kindOf(Type),
        purl: filled(found.PkgIdentifier?.PURL),
        paths: pathsIn([path]),
      };
    }),
  );
}

function ofGrype({ matches }: z.infer<typeof grypeForm>): readonly ScannedFinding[] {
  return (matches ?? []).map(({ vulnerability, artifact }) => ({
    id: vulnerability.id,
    severity: severityOf(vulnerability.severity),
    name: artifact.name ?? null,
    version: artifact.version ?? null,
    kind: kindOf(artifact.type),
    purl: filled(artifact.purl),
    paths: pathsIn((artifact.locations ?? []).map(({ path, accessPath }) => path ?? accessPath)),
  }));
}

type SarifRun = z.infer<typeof sarifForm>['runs'][number];
type SarifResult = NonNullable<SarifRun['results']>[number];
type SarifRule = NonNullable<SarifRun['tool']['driver']['rules']>[number];

function ofSarif({ runs }: z.infer<typeof sarifForm>): readonly ScannedFinding[] {
  return runs.flatMap(({ tool: { driver }, results }) => {
    const rules = driver.rules ?? [];
    const byId = new Map(rules.map((rule) => [rule.id, rule]));
    return (results ?? []).map((result) =>
      ofResult(result, byId.get(result.ruleId ?? '') ?? rules[result.ruleIndex ?? -1]),
    );
  });
}

/** The package in a sentence of Grype, of today's and of that before 2024. */
const sentence =
  / (?:package: (?<name>[^\s,]{1,500}), version (?<version>\S{1,500}) was found|reports (?<name>\S{1,500}) at version (?<version>\S{1,500}) )/;

/** Reads a result. Trivy tells the package in lines of its message, Grype in lines of the help of its rule and in a sentence. */
function ofResult({ ruleId, message, locations }: SarifResult, rule: SarifRule | undefined): ScannedFinding {
  const lines = new Map([...fieldsIn(rule?.help?.text), ...fieldsIn(message?.text)]);
  const { name, version } = sentence.exec(message?.text ?? '')?.groups ?? {};
  const [, id] = /^Vulnerability (\S+)$/m.exec(rule?.help?.text ?? '') ?? [];
  const tag = rule?.properties?.tags?.find((each) => severityOf(each) !== 'unknown');
  return {
    id: id ?? ruleId ?? rule?.id ?? 'unknown',
    severity: severityOf(lines.get('Severity') ?? tag),
    name: name ?? lines.get('Package') ?? null,
    version: version ?? lines.get('Installed Version') ?? lines.get('Version') ?? null,
    kind: kindOf(lines.get('Type')),
    purl: null,
    paths: pathsIn(
      (locations ?? []).flatMap(({ physicalLocation, logicalLocations }) => {
        const logical = (logicalLocations ?? []).map((each) => each.name);
        return logical.length > 0 ? logical : [physicalLocation?.artifactLocation?.uri];
      }),
    ),
  };
}

/** Reads lines such as "Package: libssl3". */
function fieldsIn(text: string | null | undefined): readonly (readonly [name: string, value: string])[] {
  return (text ?? '').split('\n').flatMap((line) => {
    const [, name, value] = /^([A-Z][A-Za-z ]{0,40}): (.*)$/.exec(line) ?? [];
    return name === undefined || value === undefined ? [] : [[name, value.trim()] as const];
  });
}

function filled(text: string | null | undefined): string | null {
  return text === undefined || text === '' ? null : text;
}

/** Returns paths from the root, without a leading slash. Missing and empty ones are left out. */
function pathsIn(texts: readonly (string | null | undefined)[]): readonly string[] {
  return texts.flatMap((text) => (text == null || text === '' ? [] : [text.replace(/^\/+/, '')]));
}
