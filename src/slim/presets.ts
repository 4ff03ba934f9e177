/**
 * Presets: named sets of rules for files that images rarely need. The options and plans of `prune` and `slim` expand them, and
 * `docs/presets.md` is written from this table.
 */
import { closestWord } from '../closest-word.ts';
import { OcislimError } from '../errors.ts';
import type { Rule } from '../rules/rule.ts';
import { parseRule } from '../rules/rules.ts';
import { cudaPreset } from './cuda-preset.ts';
import { each, homes, only, optional, type Preset, type PresetRule, safe } from './preset.ts';

export type { Preset } from './preset.ts';

/** The directories of Python's standard library. */
const stdlibs = ['usr/lib/python[23].*', 'usr/lib64/python[23].*', 'usr/local/lib/python[23].*'];
/** The random part of a directory that Python's tempfile makes. */
const random = '[a-z0-9_]'.repeat(8);

/** Returns the globs of programs, given as a text of their names, in every directory `bin`. */
const programs = (names: string): string[] => each(['**/bin'], ...names.split(' '));

const table: readonly Preset[] = [
  {
    name: 'apt-lists',
    title: 'package lists of apt',
    ...safe,
    note: '`apt-get update` is needed before the next install, as always.',
    // apt wants lists/partial to exist: the directory stays, what was half downloaded goes.
    rules: ['var/lib/apt/lists/**', '!var/lib/apt/lists/partial', 'var/lib/apt/lists/partial/**'],
  },
  {
    name: 'apt-cache',
    title: 'downloaded .deb files and the caches of apt',
    ...safe,
    note: 'apt makes them again.',
    rules: ['var/cache/apt/archives/*.deb', 'var/cache/apt/archives/partial/**', 'var/cache/apt/*.bin'],
  },
  {
    name: 'apt-misc',
    title: 'backup copies of dpkg and debconf, the auxiliary cache of ldconfig',
    ...safe,
    note: 'The current files stay; ldconfig makes its cache again.',
    rules: ['var/cache/debconf/*-old', 'var/lib/dpkg/*-old', 'var/cache/ldconfig/aux-cache'],
  },
  {
    name: 'apk-cache',
    title: 'package cache of apk',
    ...safe,
    note: 'apk downloads again.',
    rules: ['var/cache/apk/**', 'etc/apk/cache/**'],
  },
  {
    name: 'yum-dnf-cache',
    title: 'caches of yum and dnf',
    ...safe,
    note: 'dnf downloads again.',
    rules: [...each(['var/cache'], 'yum/**', 'dnf/**', 'libdnf5/**'), ...each(homes, '.cache/libdnf5/**')],
  },
  {
    name: 'zypper-cache',
    title: 'cache of zypper',
    ...safe,
    note: 'zypper downloads again.',
    rules: ['var/cache/zypp/**'],
  },
  {
    name: 'pip-cache',
    title: "pip's download cache and the build directories that it left in /tmp",
    ...safe,
    note: 'pip downloads again.',
    rules: [...each(homes, '.cache/pip/**'), `tmp/pip-*-${random}`],
  },
  {
    name: 'npm-yarn-cache',
    title: 'download caches and logs of npm and Yarn 1',
    ...safe,
    note: 'npm downloads again. The caches of newer Yarns are not touched: with Plug’n’Play, programs run out of them.',
    rules: [
      ...each(homes, '.npm/_cacache/**', '.npm/_logs/**', '.cache/yarn/**'),
      'usr/local/share/.cache/yarn/**',
    ],
  },
  {
    name: 'dnf-repos',
    title: 'what dnf notes about its repositories',
    ...optional,
    risk: 'medium',
    note: 'dnf counts this machine as a new one, and downloads its lists again.',
    rules: ['var/lib/dnf/repos/**'],
  },
  {
    name: 'uv-cache',
    title: "uv's cache: downloads, and the files that it links or copies into environments",
    ...optional,
    risk: 'medium',
    note: 'uv downloads again. Environments that `uvx` and `uv run --with` have made lie in the cache and go with it, and so does what uv has installed as symlinks (`UV_LINK_MODE=symlink`). Files that are hard links into the cache stay, and nothing is saved by their other name.',
    rules: each(homes, '.cache/uv/**'),
  },
  {
    name: 'pnpm-store',
    title: 'the store of pnpm',
    ...optional,
    risk: 'high',
    note: 'node_modules may hold hard links or symlinks into the store: symlinks break, and nothing is saved where data is still linked.',
    rules: [...each(homes, '.local/share/pnpm/store/**', '.pnpm-store/**'), '.pnpm-store/**'],
  },
  {
    name: 'go-cache',
    title: "Go's build cache and module downloads",
    ...optional,
    risk: 'low',
    note: 'Compiled programs do not need them; a build in the image downloads and compiles again.',
    rules: [...each(homes, '.cache/go-build/**', 'go/pkg/mod/cache/**'), 'go/pkg/mod/cache/**'],
  },
  {
    name: 'go-modules',
    title: 'the sources of Go modules',
    ...optional,
    risk: 'medium',
    note: 'Builder images cannot build offline any more.',
    rules: ['go/pkg/mod/**', ...each(homes, 'go/pkg/mod/**')],
  },
  {
    name: 'cargo-cache',
    title: "cargo's downloads",
    ...optional,
    risk: 'low',
    note: 'Compiled programs do not need them; builder images cannot build offline any more.',
    rules: each(
      ['usr/local/cargo', 'root/.cargo', 'home/*/.cargo'],
      'registry/cache/**',
      'registry/index/**',
      'registry/src/**',
      'git/**',
    ),
  },
  {
    name: 'docs',
    title: 'documentation and manual pages; licences stay',
    ...optional,
    risk: 'low',
    note: 'No Debian program may need /usr/share/doc (policy 12.3). Copyright and licence files stay, and so do the man directories, which some package scripts expect. Links in /etc/alternatives to manual pages dangle.',
    rules: [
      ...each(
        ['usr/share'],
        'doc/**',
        'info/**',
        'man/**',
        'linda/**',
        'gnome/help/**',
        'omf/**',
        'lintian/overrides/**',
      ),
      ...each(['!usr/share/doc/**'], 'copyright', 'COPYRIGHT*', 'COPYING*', 'LICEN[CS]E*', 'NOTICE*'),
      // The licence of many a package is reached by a link from its directory to that of another.
      ...only('symlink', '!usr/share/doc/*'),
      '!usr/share/doc/kde/HTML/C/*',
      '!usr/share/gnome/help/*/C/*',
      '!usr/share/omf/*/*-C.emf',
      ...only('directory', '!usr/share/man/man[1-9]'),
    ],
  },
  {
    name: 'locales',
    title: 'translated messages',
    ...optional,
    risk: 'medium',
    note: 'Programs speak English whatever LANG says.',
    rules: [
      'usr/share/locale/**',
      ...each(['!usr/share/locale'], 'locale.alias', 'languages', 'all_languages', 'currency/*', 'l10n/*'),
    ],
  },
  {
    name: 'i18n-src',
    title: 'compiled locales other than C.UTF-8, and their sources',
    ...optional,
    risk: 'high',
    note: 'setlocale() fails where LANG or LC_* names another locale.',
    rules: ['usr/share/i18n/**', 'usr/lib/locale/*', '!usr/lib/locale/C.utf8', '!usr/lib/locale/C.UTF-8'],
  },
  {
    name: 'logs',
    title: 'log files; directories and links such as access.log -> /dev/stdout stay',
    ...optional,
    risk: 'low',
    note: 'A program that opens its log without creating it fails; most create it.',
    rules: only('file', 'var/log/**'),
  },
  {
    name: 'tmp',
    title: 'what lies in /tmp and /var/tmp',
    ...optional,
    risk: 'low',
    note: 'Some images stage files there. The directories stay, with their mode.',
    rules: ['tmp/**', 'var/tmp/**'],
  },
  {
    name: 'pyc',
    title: 'compiled Python modules whose source is there',
    ...optional,
    risk: 'low',
    note: 'The first start compiles again, and every start does where the directory is read-only. A module without its source is never touched.',
    rules: ['**/*.pyc', '**/*.pyo'].map((glob) => ({ glob, only: 'file', needs: 'python-source' })),
  },
  {
    name: 'py-tests',
    title: "the tests of Python's standard library, and its static library",
    ...optional,
    risk: 'low',
    note: 'Programs that import test.support fail. Tests in site-packages stay: numpy.testing and the like are imported in earnest.',
    rules: [
      ...each(stdlibs, '**/test', '**/tests', '**/idle_test'),
      '!**/site-packages',
      '!**/dist-packages',
      ...only('file', 'usr/**/libpython*.a'),
      ...only('symlink', 'usr/**/libpython*.a'),
    ],
  },
  {
    name: 'static-libs',
    title: 'static libraries and libtool files',
    ...optional,
    risk: 'low',
    note: 'Nothing can be linked in the image any more. libpython*.a stays, and so do the .la files of ImageMagick, slapd and others that load their modules by them.',
    rules: [
      ...only('file', 'usr/**/*.a', 'usr/**/*.la'),
      ...only('symlink', 'usr/**/*.a', 'usr/**/*.la'),
      '!usr/**/libpython*.a',
      ...each(['!usr/**'], 'ImageMagick*', 'GraphicsMagick*', 'ldap', 'openldap', 'libgphoto2*'),
    ],
  },
  {
    name: 'headers-pc',
    title: 'headers, pkg-config files and autoconf macros',
    ...optional,
    risk: 'medium',
    note: 'Builder images break, and so do programs that compile at run time (numba, triton, cffi).',
    rules: ['usr/include/**', 'usr/lib/**/pkgconfig/**', 'usr/share/pkgconfig/**', 'usr/share/aclocal/**'],
  },
  cudaPreset,
  {
    name: 'vcs',
    title: 'the data of git, Subversion and Mercurial',
    ...optional,
    risk: 'medium',
    note: '`git describe` and setuptools_scm fail.',
    // The whole directory: an empty .git confuses git more than none.
    rules: ['**/.git', '**/.svn', '**/.hg'],
  },
  {
    name: 'pkg-db',
    title: 'the databases of package managers',
    ...optional,
    risk: 'high',
    note: 'Vulnerability scanners go blind, package managers break, and no tool can tell what the image contains.',
    rules: [
      'var/lib/dpkg/**',
      'lib/apk/db/**',
      'usr/lib/apk/db/**',
      'var/lib/rpm/**',
      'usr/lib/sysimage/rpm/**',
    ],
  },
  {
    name: 'setuid',
    title: 'clears the setuid and setgid bits of files',
    safe: false,
    effect: 'clear-setuid',
    risk: 'medium',
    note: 'su, sudo, passwd, ping and mount work for root only.',
    rules: only('file', '**'),
  },
  {
    name: 'shells',
    title: 'shells, in every directory named bin',
    ...optional,
    risk: 'high',
    note: 'Scripts do not start: entrypoints such as docker-entrypoint.sh, commands and health checks in the shell form, what programs run by system() or popen(). A shell cannot be opened in the container, and no Dockerfile can RUN anything on top. Where sh is BusyBox its names as a shell go, but busybox itself stays, for its other programs: `busybox sh` still is a shell.',
    rules: [
      ...programs('sh bash rbash bash-static dash ash hush static-sh sash yash'),
      ...programs(
        'zsh zsh5 zsh-[0-9]* zsh-static rzsh fish ksh rksh ksh93 rksh93 mksh mksh-static lksh pdksh oksh',
      ),
      ...programs('csh tcsh bsd-csh elvish nu pwsh xonsh'),
      ...each(['etc/alternatives'], 'sh', 'ksh', 'rksh', 'csh'),
    ],
  },
  {
    name: 'package-managers',
    title: 'programs that install software, with what only they use; their databases stay',
    ...optional,
    risk: 'high',
    note: 'Nothing can be installed any more, and `npm start`, `bundle exec` and `cargo run` do not work: name the program itself in the command. What the databases in /var/lib/dpkg, /lib/apk/db and /var/lib/rpm say stays for scanners, and so do the shared libraries of package managers.',
    rules: [
      ...programs('apt apt-* aptitude aptitude-curses dpkg dpkg-* dselect'),
      ...each(['**/sbin'], 'dpkg-*', 'apk'),
      ...each(['usr/lib/apt', 'usr/libexec/dpkg', 'usr/lib/dpkg', 'usr/share/dpkg', 'etc/apt'], '**'),
      ...programs('apk rpm rpm2cpio rpm2archive rpmdb rpmkeys rpmquery rpmverify rpmsign rpmspec rpmbuild'),
      ...programs(
        'yum yum-* yumdownloader dnf dnf-* dnf4 dnf5 microdnf tdnf zypper pacman pacman-* opkg opkg-cl',
      ),
      ...programs('xbps-* emerge nix nix-* guix snap flatpak brew conda mamba micromamba'),
      // Virtual environments have a pip of their own.
      ...programs('pip pip[0-9]* pipx easy_install easy_install-* uv uvx poetry pdm'),
      ...each(['**/site-packages', '**/dist-packages'], 'pip', 'pip-*.dist-info'),
      ...each(stdlibs, 'ensurepip'),
      ...programs('npm npx corepack yarn yarnpkg pnpm pnpx'),
      ...each(['**/lib/node_modules'], 'npm', 'corepack', 'yarn', 'pnpm'),
      'usr/share/nodejs/npm',
      'opt/yarn-v*',
      ...programs('gem gem[0-9]* bundle bundle[0-9]* bundler bundler[0-9]* cpan cpan[0-9]* cpanm'),
      ...programs('composer composer.phar pear peardev pecl cargo luarocks luarocks-* nuget cabal opam'),
    ],
  },
];

/** The presets by name, in the order of the documentation. */
export const presets: Readonly<Record<string, Preset>> = Object.fromEntries(
  table.map((preset) => [preset.name, preset]),
);

/** The names of the presets that `slim` uses unasked: caches that nothing at run time reads. */
export const safePresets: readonly string[] = table
  .filter((preset) => preset.safe)
  .map((preset) => preset.name);

/** The rules of some presets: those that remove, and those for files whose setuid and setgid bits are cleared. */
export interface ExpandedPresets {
  readonly remove: readonly Rule[];
  readonly clearSetuid: readonly Rule[];
}

/**
 * Returns the rules of presets. They stand before the user's rules, whose `!` rules then take back from them.
 * @throws USAGE for a name that is not known.
 */
export function expandPresets(names: readonly string[]): ExpandedPresets {
  const chosen = [...new Set(names)].map(findPreset);
  const expand = (effect: Preset['effect']): Rule[] =>
    chosen.filter((preset) => preset.effect === effect).flatMap(presetRules);
  return { remove: expand('remove'), clearSetuid: expand('clear-setuid') };
}

/** Returns the rules of one preset, in a group of their own. */
export function presetRules({ name, rules }: Preset): Rule[] {
  return rules.map((rule) => makeRule(rule, name));
}

function makeRule(rule: PresetRule, name: string): Rule {
  const { glob, ...conditions } = typeof rule === 'string' ? { glob: rule } : rule;
  return { ...parseRule(glob, `preset ${name}`), group: `preset ${name}`, ...conditions };
}

/** Returns the preset of a name. @throws USAGE with the nearest name and all others */
export function findPreset(name: string): Preset {
  const preset = table.find((candidate) => candidate.name === name);
  if (preset !== undefined) return preset;
  const near = closestWord(
    name,
    table.map((candidate) => candidate.name),
  );
  const meant = near === null ? '' : ` Did you mean ${near}?`;
  throw new OcislimError('USAGE', `there is no preset ${JSON.stringify(name)}.${meant}`, {
    advice: `Presets: ${table.map((candidate) => candidate.name).join(', ')}.`,
  });
}
