/**
 * What an argument of `fleet plan` names: a registry, the repositories below a name, one repository, or one image. The command reads its arguments here, and the
 * lists of --from.
 */
import { OcislimError } from '../errors.ts';
import type { Digest } from '../oci/digest.ts';
import { parseReference } from '../oci/reference.ts';

/** Where images are looked for. `label`: as it was written. */
export type FleetSource = { readonly label: string; readonly host: string } & (
  | { readonly kind: 'registry' }
  /** The repository of this name, and those below it; without `itself` only those. */
  | { readonly kind: 'below'; readonly name: string; readonly itself: boolean }
  | {
      readonly kind: 'image';
      readonly repository: string;
      readonly tag: string | null;
      readonly digest: Digest | null;
    }
);

/** A host without a repository: with a dot or a port, or `localhost`, as Docker tells them apart. */
const hostPattern =
  /^(?:localhost|\[[0-9a-fA-F:]+\]|[a-zA-Z0-9-]+(?:\.[a-zA-Z0-9-]+)+|[a-zA-Z0-9.-]+(?=:\d+$))(?::\d{1,5})?$/;

/**
 * Reads an argument: `registry.example`, `registry.example/team`, `registry.example/team/` (only what is below), `registry.example/app:1`.
 * @throws USAGE, REFERENCE_INVALID
 */
export function parseFleetSource(text: string): FleetSource {
  const label = text.trim();
  const plain = label.replace(/^docker:\/\//, '');
  const bare = plain.endsWith('/') ? plain.slice(0, -1) : plain;
  if (hostPattern.test(bare)) return { kind: 'registry', label, host: bare };
  const reference = parseReference(bare);
  if (reference.kind !== 'registry')
    throw new OcislimError('USAGE', `${JSON.stringify(label)} is not in a registry`, {
      advice: 'Name a registry, a repository or an image in one: registry.example/team.',
    });
  const { host, repository, tag, digest } = reference;
  if (tag !== null || digest !== null) return { kind: 'image', label, host, repository, tag, digest };
  return { kind: 'below', label, host, name: repository, itself: bare === plain };
}

/**
 * Returns how a repository is called below a source: globs of --include and --exclude are matched with that. Empty for the source's own repository; null for
 * one that is not below it.
 */
export function nameBelow(source: FleetSource, repository: string): string | null {
  if (source.kind === 'registry') return repository;
  if (source.kind === 'image') return source.repository === repository ? '' : null;
  if (repository === source.name) return source.itself ? '' : null;
  return repository.startsWith(`${source.name}/`) ? repository.slice(source.name.length + 1) : null;
}

/** Reads a list of sources, one on each line. Empty lines and those that begin with `#` say nothing. @throws USAGE naming the line */
export function parseFleetList(text: string, file: string): readonly FleetSource[] {
  return text.split(/\r?\n/).flatMap((line, i) => {
    const written = line.trim();
    if (written === '' || written.startsWith('#')) return [];
    try {
      return [parseFleetSource(written)];
    } catch (cause) {
      const reason = cause instanceof OcislimError ? cause.message : String(cause);
      throw new OcislimError('USAGE', `${file} line ${i + 1}: ${reason}`, { cause });
    }
  });
}
