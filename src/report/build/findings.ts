import type { Finding } from '../../slim/findings/findings.ts';
import { pathFields } from '../escape.ts';
import type { FindingReport, PlatformReport } from '../report.ts';

/** Reports what could go, too; the field is absent where nothing was found. */
export function reportFindings(findings: readonly Finding[]): Pick<PlatformReport, 'findings'> {
  return findings.length === 0 ? {} : { findings: findings.map(reportFinding) };
}

function reportFinding({ kind, library, files, bytes, option, places }: Finding): FindingReport {
  return {
    kind,
    ...(library === null ? {} : { library: pathFields(library).path }),
    files,
    bytes,
    option: option === null ? null : optionText(option),
    places: places.map((place) => ({
      ...pathFields(place.path),
      files: place.files,
      bytes: place.bytes,
    })),
  };
}

/** Writes an option as a shell takes it. */
function optionText({ name, value }: NonNullable<Finding['option']>): string {
  return name === '--rule' ? `${name} '${value}'` : `${name} ${value}`;
}
