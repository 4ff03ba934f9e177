/**
 * The names of the project in the world, which a maintainer fills in once, before the first release: `project.json` has the address of
 * the repository, the name of the image in a registry, and the address below which attestations name their types. `npm run project`
 * writes them where others read them, and a test holds that all agree.
 */
import { readFileSync } from 'node:fs';
import { root } from './manifest.ts';

/** What `project.json` says; null where it has not been filled in. */
export interface Project {
  /** The address of the repository for browsers, without `.git`. */
  readonly repository: string | null;
  /** The image, without a tag. */
  readonly image: string | null;
  /**
   * The address before the names of types in attestations, `…/transform/v1`. It is part of every attestation, so it must not change
   * later, and should lead to docs/provenance.md.
   */
  readonly types: string | null;
}

/** Stands in files for names that have not been filled in: in a domain that is reserved for examples (RFC 2606). */
const placeholders = {
  repository: 'https://github.example/owner/ocislim',
  image: 'registry.example/owner/ocislim',
  types: 'https://ocislim.example',
} as const;

/** Files that name the repository or the image, package.json aside. */
export const namingFiles: readonly string[] = [
  'README.md',
  'action.yml',
  'templates/ocislim.yml',
  'ci/jenkins/Jenkinsfile',
  'ci/kubernetes/job.yaml',
  'ci/tekton/task.yaml',
  'docs/ci.md',
  'docs/install.md',
  'docs/recipes/ci-gate.md',
];

/** Files that name types of attestations. */
export const typeNamingFiles: readonly string[] = ['src/attest/names.ts', 'docs/provenance.md'];

/** Reads `project.json`. */
export function readProject(): Project {
  return JSON.parse(readFileSync(new URL('project.json', import.meta.url), 'utf8')) as Project;
}

/** Reads a file of the checkout. */
export function readNaming(file: string): string {
  return readFileSync(`${root}${file}`, 'utf8');
}

const version = String.raw`\d+\.\d+\.\d+(?:-(?:alpha|beta|rc)\.\d+)?`;

/**
 * Where files name the project: the image with its tag, the action, the component, the release page with its files, and the version
 * that the action takes.
 */
const patterns = {
  image: new RegExp(String.raw`[\w.:-]+(?:\/[\w.-]+)*\/ocislim:${version}`, 'g'),
  action: new RegExp(String.raw`(?<=\buses: )[\w.-]+\/ocislim@v${version}`, 'g'),
  component: new RegExp(String.raw`(?<=\bcomponent: \$CI_SERVER_FQDN\/)\S+@${version}`, 'g'),
  releases: /https:\/\/\S+\/releases\/download\b/g,
  files: new RegExp(
    String.raw`(?<=\/releases\/download\/v|\bocislim[-_])${version}(?=\/|[-_](?:linux|amd64|arm64)\b)`,
    'g',
  ),
  default: /(?<=\n {2}version:\n(?: {4}.*\n)*? {4}default: )\S+/g,
};

/** Returns a text that names the project as it is called. The last part of both names is `ocislim`. */
export function withNames(text: string, project: Project, version: string): string {
  const repository = project.repository ?? placeholders.repository;
  const path = new URL(repository).pathname.slice(1);
  return text
    .replaceAll(patterns.image, `${project.image ?? placeholders.image}:${version}`)
    .replaceAll(patterns.action, `${path}@v${version}`)
    .replaceAll(patterns.component, `${path}/ocislim@${version}`)
    .replaceAll(patterns.releases, `${repository}/releases/download`)
    .replaceAll(patterns.files, version)
    .replaceAll(patterns.default, version);
}

const types = /https:\/\/[\w.:/-]+?(?=\/(?:transform\/v1|equivalence\/v1|cli)(?![\w/-]))/g;

/** Returns a text in which types of attestations are called as the project names them. */
export function withTypes(text: string, project: Pick<Project, 'types'>): string {
  return text.replaceAll(types, project.types ?? placeholders.types);
}

/** Returns package.json with the fields that name the repository; or without them, where the project has no address. */
export function withRepository(
  manifest: Readonly<Record<string, unknown>>,
  { repository }: Project,
): Readonly<Record<string, unknown>> {
  const { homepage: _, bugs: __, repository: ___, ...rest } = manifest;
  if (repository === null) return rest;
  return {
    ...rest,
    homepage: `${repository}#readme`,
    bugs: { url: `${repository}/issues` },
    repository: { type: 'git', url: `git+${repository}.git` },
  };
}
