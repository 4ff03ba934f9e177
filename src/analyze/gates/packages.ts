/** The gate about packages that must not be there, or not in some versions. The table of gates has it. */
import { type ComponentKind, componentKinds } from '../../rootfs/packages/package.ts';
import type { AnalyzedPackage } from '../analysis.ts';
import { breach, type Gate } from './gate.ts';
import { orderVersions } from './version.ts';

const comparisons = ['<=', '>=', '==', '!=', '<', '>', '='] as const;
type Comparison = (typeof comparisons)[number];

/** A package that must not be there. Plain data. */
export interface PackageSpec {
  /** As the user wrote it: `dpkg:openssl<3`. */
  readonly text: string;
  /** Null for any kind. */
  readonly kind: ComponentKind | null;
  /** The name; `*` stands for any characters. */
  readonly name: string;
  /** Null for every version. */
  readonly versions: { readonly comparison: Comparison; readonly version: string } | null;
}

/** Reads `[KIND:]NAME[<VERSION]`. Returns null for any other text. */
export function parsePackageSpec(text: string): PackageSpec | null {
  const found = /^(?:([a-z]+):)?([^\s<>=!]+)(?:\s*(<=|>=|==|!=|<|>|=)\s*([^\s<>=!]\S*))?$/.exec(text.trim());
  if (found === null) return null;
  const [, prefix, name = '', sign, version = ''] = found;
  const kind = componentKinds.find((each) => each === prefix) ?? null;
  if (prefix !== undefined && kind === null) return null;
  const comparison = comparisons.find((each) => each === sign);
  return {
    text: text.trim(),
    kind,
    name,
    versions: comparison === undefined ? null : { comparison, version },
  };
}

export const forbiddenPackages: Gate<readonly PackageSpec[]> = {
  title: 'No package is there that is forbidden, or in a forbidden version',
  isDeep: true,
  judge: (specs, { analysis }) =>
    specs.flatMap((spec) =>
      analysis.packages
        .filter((found) => isForbidden(spec, found))
        .map(({ kind, name, version, layer }) =>
          breach(`${[name, version ?? ''].join(' ').trim()} (${kind}) is forbidden by ${spec.text}`, {
            fix:
              spec.versions === null
                ? 'Do not install it'
                : 'Install another version, or rebuild on a newer base',
            layer,
          }),
        ),
    ),
};

/** Whether a specification names a package. One without a version is named only where no version is asked for. */
function isForbidden({ kind, name, versions }: PackageSpec, found: AnalyzedPackage): boolean {
  if (kind !== null && kind !== found.kind) return false;
  // `libssl3:amd64` is libssl3, too.
  const names = [found.name, found.name.replace(/:[a-z0-9]+$/, '')];
  if (!names.some((each) => matches(name, each))) return false;
  if (versions === null) return true;
  if (found.version === null) return false;
  return conditions[versions.comparison](orderVersions(found.kind, found.version, versions.version));
}

const conditions: Readonly<Record<Comparison, (difference: number) => boolean>> = {
  '<': (difference) => difference < 0,
  '<=': (difference) => difference <= 0,
  '>': (difference) => difference > 0,
  '>=': (difference) => difference >= 0,
  '!=': (difference) => difference !== 0,
  '=': (difference) => difference === 0,
  '==': (difference) => difference === 0,
};

/** Matches a name against a pattern with `*`, in linear time for each star: every piece is looked for behind the one before. */
function matches(pattern: string, name: string): boolean {
  const [first = '', ...rest] = pattern.split('*');
  const last = rest.pop();
  if (last === undefined) return pattern === name;
  if (!name.startsWith(first) || !name.endsWith(last) || name.length < first.length + last.length)
    return false;
  let at = first.length;
  for (const piece of rest) {
    const found = name.indexOf(piece, at);
    if (found < 0) return false;
    at = found + piece.length;
  }
  return at <= name.length - last.length;
}
