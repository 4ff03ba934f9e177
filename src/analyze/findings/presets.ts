/**
 * Findings about files that presets of rules remove: caches, documentation, static libraries, development files, debug symbols. Each
 * preset is one finding, and a file counts for the first preset that names it.
 */
import { type Path, parentOf } from '../../bytes/path.ts';
import type { NodeKind } from '../../rootfs/filesystem.ts';
import { distributionOf } from '../../rootfs/packages/distribution.ts';
import { type Rule, type RuledKind } from '../../rules/rule.ts';
import { matcherSteps, parseRule } from '../../rules/rules.ts';
import { findPreset, presetRules } from '../../slim/presets.ts';
import { itemsPerStep, type Steps } from '../../steps.ts';
import type { WasteFinding, WasteKind } from '../analysis.ts';
import { counted, type FindingContext, leastBytes, nameLayer, Places } from './finding.ts';

/** A kind of files that an image could do without. */
interface Row {
  readonly kind: WasteKind;
  /** The preset that removes them; null where rules do. */
  readonly preset: string | null;
  /** Rules, for a row without a preset. */
  readonly rules: readonly string[];
  /** What they are, in the plural. */
  readonly what: string;
  readonly dockerfile: Advice;
}

/** What to change in a Dockerfile: in every one, or by what installs the packages of the distribution. */
type Advice = string | Readonly<Record<Installer | 'other', string>>;
type Installer = 'dpkg' | 'rpm' | 'apk';

/** By the ID of os-release(5). */
const distributions: Readonly<Record<Installer, readonly string[]>> = {
  dpkg: ['debian', 'ubuntu', 'devuan', 'kali', 'linuxmint', 'raspbian'],
  rpm: ['fedora', 'rhel', 'centos', 'rocky', 'almalinux', 'ol', 'amzn', 'mariner', 'azurelinux', 'photon'],
  apk: ['alpine', 'wolfi', 'chainguard', 'postmarketos'],
};

function installerOf({ fs, facts }: FindingContext): Installer | 'other' {
  const id = distributionOf(fs, facts)?.id ?? '';
  const installers = ['dpkg', 'rpm', 'apk'] as const;
  return installers.find((installer) => distributions[installer].includes(id)) ?? 'other';
}

const byPreset = (kind: WasteKind, preset: string, what: string, dockerfile: Advice): Row => ({
  kind,
  preset,
  rules: [],
  what,
  dockerfile,
});

const rows: readonly Row[] = [
  byPreset(
    'cache',
    'apt-lists',
    'package lists of apt',
    'End the RUN that calls apt-get with: && rm -rf /var/lib/apt/lists/*',
  ),
  byPreset(
    'cache',
    'apt-cache',
    'downloaded packages and caches of apt',
    'End the RUN that calls apt-get with: && apt-get clean',
  ),
  byPreset('cache', 'apk-cache', 'packages in the cache of apk', 'Use apk add --no-cache.'),
  byPreset(
    'cache',
    'yum-dnf-cache',
    'files in the caches of yum and dnf',
    'End the RUN that calls dnf with: && dnf clean all',
  ),
  byPreset(
    'cache',
    'zypper-cache',
    'files in the cache of zypper',
    'End the RUN that calls zypper with: && zypper clean --all',
  ),
  byPreset(
    'cache',
    'pip-cache',
    'downloads of pip',
    'Use pip install --no-cache-dir, or RUN --mount=type=cache,target=/root/.cache/pip.',
  ),
  byPreset(
    'cache',
    'uv-cache',
    'files in the cache of uv',
    'Use uv --no-cache, or RUN --mount=type=cache,target=/root/.cache/uv.',
  ),
  byPreset(
    'cache',
    'npm-yarn-cache',
    'downloads of npm and Yarn',
    'Use RUN --mount=type=cache,target=/root/.npm, or end the RUN with: && npm cache clean --force',
  ),
  byPreset(
    'cache',
    'go-cache',
    'files in the build cache of Go',
    'Build in a stage of its own, or use RUN --mount=type=cache,target=/root/.cache/go-build.',
  ),
  byPreset(
    'cache',
    'cargo-cache',
    'downloads of cargo',
    'Build in a stage of its own, or use RUN --mount=type=cache,target=/usr/local/cargo/registry.',
  ),
  {
    kind: 'cache',
    preset: null,
    rules: [
      'root/.m2/repository/**',
      'home/*/.m2/repository/**',
      'root/.gradle/caches/**',
      'home/*/.gradle/caches/**',
    ],
    what: 'files in the repositories of Maven and Gradle',
    dockerfile: 'Build in a stage of its own, or use RUN --mount=type=cache,target=/root/.m2.',
  },
  {
    kind: 'cache',
    preset: null,
    rules: [
      'opt/conda/pkgs/**',
      'root/*conda*/pkgs/**',
      'root/.composer/cache/**',
      'root/.bundle/cache/**',
      'usr/local/bundle/cache/**',
    ],
    what: 'downloads of conda, Composer and Bundler',
    dockerfile:
      'End the RUN with: && conda clean --all --yes (composer clear-cache, rm -rf /usr/local/bundle/cache)',
  },
  {
    kind: 'debug-symbols',
    preset: null,
    rules: ['usr/lib/debug/**', '**/.debug/**', '**/*.debug', '**/*.dSYM/**', '**/*.pdb'],
    what: 'files with debug symbols',
    dockerfile: 'Leave out the packages *-dbg and *-dbgsym, and strip what is built (install -s).',
  },
  byPreset(
    'static-libraries',
    'static-libs',
    'static libraries',
    'Build in a stage of its own and COPY --from the programs.',
  ),
  byPreset('documentation', 'docs', 'files of documentation', {
    dpkg: 'Exclude them before packages are installed: /etc/dpkg/dpkg.cfg.d with path-exclude=/usr/share/doc/*',
    rpm: 'Leave them out where packages are installed: dnf install --setopt=tsflags=nodocs',
    apk: 'Leave out the packages *-doc.',
    other: 'Leave them out where packages are installed, or remove them in the same RUN.',
  }),
  byPreset('documentation', 'locales', 'translated messages', {
    dpkg: 'Exclude them before packages are installed: /etc/dpkg/dpkg.cfg.d with path-exclude=/usr/share/locale/*',
    rpm: 'Name the languages before packages are installed: /etc/rpm/macros with %_install_langs C:en',
    apk: 'Leave out the packages *-lang.',
    other: 'Leave them out where packages are installed, or remove them in the same RUN.',
  }),
  byPreset(
    'development',
    'headers-pc',
    'headers and pkg-config files',
    'Install -dev or -devel packages in a build stage only.',
  ),
  byPreset(
    'development',
    'cuda',
    'development files of GPU toolkits',
    'Use a runtime base image in place of a devel one.',
  ),
  byPreset('development', 'vcs', 'files of git, Subversion and Mercurial', 'Name .git in .dockerignore.'),
];

/** Returns the rules of a row, grouped so that its exceptions take back from no other. */
function rulesOf(row: Row): readonly Rule[] {
  if (row.preset !== null) return presetRules(findPreset(row.preset));
  const group = `finding ${row.what}`;
  return row.rules.map((text) => ({ ...parseRule(text, group), group }));
}

/** A file that the rules of a row remove. */
interface Matched {
  readonly row: Row;
  readonly path: Path;
  readonly bytes: number;
  readonly layer: number;
  names: number;
}

export function* presetFindings(context: FindingContext): Steps<readonly WasteFinding[]> {
  const { fs } = context;
  const rowOf = new Map<string, Row>();
  // Of several rules that match, the last one counts.
  const rules = rows.toReversed().flatMap((row) => {
    const own = rulesOf(row);
    for (const { group } of own) rowOf.set(group ?? '', row);
    return own;
  });
  const match = yield* matcherSteps(rules, (path) => fs.kind(path) !== null);
  /** By inode: a file goes only with all of its names. */
  const matched = new Map<number, Matched>();
  let seen = 0;
  for (const path of fs.all()) {
    if (++seen % itemsPerStep === 0) yield;
    const kind = fs.kind(path);
    if (kind !== 'file') continue;
    const row = rowOf.get(match(path, ruledKind(kind))?.group ?? '');
    const carrier = row === undefined ? null : fs.carrier(path);
    if (row === undefined || carrier === null) continue;
    const known = matched.get(carrier.id);
    if (known === undefined)
      matched.set(carrier.id, { row, path, bytes: fs.size(path), layer: carrier.layer, names: 1 });
    else known.names++;
  }
  const places = new Map<Row, Places>();
  for (const each of matched.values()) {
    if (each.names < fs.names(each.path).length) continue;
    let sum = places.get(each.row);
    if (sum === undefined) places.set(each.row, (sum = new Places()));
    sum.add(parentOf(each.path), each.bytes, each.layer);
  }
  return [...places].flatMap(([row, sum]) => (sum.bytes < leastBytes ? [] : [findingOf(context, row, sum)]));
}

function ruledKind(kind: NodeKind): RuledKind {
  return kind === 'char' || kind === 'block' || kind === 'fifo' ? 'other' : kind;
}

function findingOf(context: FindingContext, row: Row, places: Places): WasteFinding {
  const heaviest = places.heaviestLayer;
  const where =
    places.layer !== null
      ? nameLayer(context, places.layer)
      : heaviest === null
        ? 'the image'
        : `several layers, most of all ${nameLayer(context, heaviest)},`;
  return {
    kind: row.kind,
    bytes: places.bytes,
    files: places.files,
    layer: places.layer,
    by: null,
    why: `${where} ${places.layer === null && heaviest !== null ? 'leave' : 'leaves'} ${row.what} in the image (${counted(places.files, 'file')})`,
    places: places.heaviest(),
    dockerfile: typeof row.dockerfile === 'string' ? row.dockerfile : row.dockerfile[installerOf(context)],
    command:
      row.preset !== null
        ? ['prune', '--preset', row.preset]
        : ['prune', ...row.rules.flatMap((rule) => ['--rule', rule])],
  };
}
