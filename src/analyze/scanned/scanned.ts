/**
 * What vulnerability scanners found in an image, as plain data. `settings/scanned` reads it from their files, and `match-findings.ts` asks
 * what of it a pruning removed.
 */
import type { ComponentKind } from '../../rootfs/packages/package.ts';

/** From the worst to the least. Scanners have no more words than these; `unknown` stands for none, and for any other. */
export const severities = ['critical', 'high', 'medium', 'low', 'negligible', 'unknown'] as const;

export type Severity = (typeof severities)[number];

/** One vulnerability of one package, as a scanner reports it. Texts are as written there. */
export interface ScannedFinding {
  /** "CVE-2024-1234", "GHSA-…". */
  readonly id: string;
  readonly severity: Severity;
  /** The package; null where only paths are told. */
  readonly name: string | null;
  readonly version: string | null;
  /** Null where the scanner's word for the kind is not known. */
  readonly kind: ComponentKind | null;
  readonly purl: string | null;
  /** Where it was found, from the root, without a leading slash. Often the database that lists the package. */
  readonly paths: readonly string[];
}

/** The findings of one file. */
export interface ScannedFile {
  /** The file, as it was named. */
  readonly file: string;
  readonly format: 'trivy' | 'grype' | 'sarif';
  readonly findings: readonly ScannedFinding[];
}

/** Reads a scanner's word for a severity. */
export function severityOf(word: string | null | undefined): Severity {
  const lower = (word ?? '').trim().toLowerCase();
  return severities.find((severity) => severity === lower) ?? 'unknown';
}

/** The words of scanners and of package URLs for kinds of packages. */
const kinds: Readonly<Record<string, ComponentKind>> = {
  apk: 'apk',
  alpine: 'apk',
  wolfi: 'apk',
  chainguard: 'apk',
  deb: 'dpkg',
  dpkg: 'dpkg',
  debian: 'dpkg',
  ubuntu: 'dpkg',
  rpm: 'rpm',
  redhat: 'rpm',
  centos: 'rpm',
  rocky: 'rpm',
  alma: 'rpm',
  amazon: 'rpm',
  oracle: 'rpm',
  fedora: 'rpm',
  photon: 'rpm',
  'cbl-mariner': 'rpm',
  azurelinux: 'rpm',
  'opensuse-leap': 'rpm',
  'opensuse-tumbleweed': 'rpm',
  sles: 'rpm',
  'suse linux enterprise server': 'rpm',
  python: 'python',
  'python-pkg': 'python',
  pypi: 'python',
  pip: 'python',
  npm: 'node',
  'node-pkg': 'node',
  gem: 'ruby',
  gemspec: 'ruby',
  bundler: 'ruby',
  composer: 'composer',
  'composer-vendor': 'composer',
  'php-composer': 'composer',
  'php-composer-installed': 'composer',
  conda: 'conda',
  'conda-pkg': 'conda',
  jar: 'java',
  maven: 'java',
  'java-archive': 'java',
  gobinary: 'go',
  golang: 'go',
  gomod: 'go',
  'go-module': 'go',
};

/** Reads the word of a scanner, or the type of a package URL, for a kind of package; null for one that no reader has. */
export function kindOf(word: string | null | undefined): ComponentKind | null {
  const lower = (word ?? '').trim().toLowerCase();
  return Object.hasOwn(kinds, lower) ? (kinds[lower] ?? null) : null;
}
