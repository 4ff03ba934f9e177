import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { RuledKind } from '../../src/rules/rule.ts';
import { expandPresets, presets, safePresets } from '../../src/slim/presets.ts';
import { createMatcher, parseRule } from '../../src/rules/rules.ts';
import { programKind, programsOf } from '../../src/rootfs/surface/programs.ts';
import { p } from '../support/bytes.ts';

// debian.txt: lines of the listings of three real Debian images. others.txt: what other distributions and tools leave.
const kinds: Record<string, RuledKind> = { d: 'directory', f: 'file', l: 'symlink', o: 'other' };
const listing = new Map<string, RuledKind>();
for (const file of ['debian.txt', 'others.txt']) {
  const text = readFileSync(new URL(`listings/${file}`, import.meta.url), 'utf8');
  for (const line of text.trimEnd().split('\n'))
    listing.set(line.slice(2), kinds[line.charAt(0)] as RuledKind);
}

function removed(...names: string[]): string[] {
  const { remove } = expandPresets(names);
  const match = createMatcher(remove, (path) => listing.has(path));
  return [...listing].filter(([path, kind]) => match(p(path), kind) !== null).map(([path]) => path);
}
const below = (prefix: string, paths: Iterable<string>): string[] =>
  [...paths].filter((path) => path.startsWith(prefix));

/** What each preset removes from the listings, to the last path. The long ones have tests of their own below. */
const expected: Record<string, readonly string[]> = {
  'apt-lists': [
    'var/lib/apt/lists/auxfiles',
    'var/lib/apt/lists/mirror.example_debian_dists_bookworm_InRelease',
    'var/lib/apt/lists/mirror.example_debian_dists_bookworm_main_binary-amd64_Packages',
    'var/lib/apt/lists/mirror.example_debian_dists_bookworm_main_i18n_Translation-en',
    'var/lib/apt/lists/lock',
  ],
  'apt-cache': [
    'var/cache/apt/archives/nodejs_18.20.4+dfsg-1~deb12u2_amd64.deb',
    'var/cache/apt/archives/openssl_3.0.20-1~deb12u2_amd64.deb',
    'var/cache/apt/archives/readline-common_8.2-1.3_all.deb',
    'var/cache/apt/pkgcache.bin',
    'var/cache/apt/srcpkgcache.bin',
  ],
  'apt-misc': [
    'var/cache/debconf/config.dat-old',
    'var/cache/debconf/templates.dat-old',
    'var/cache/ldconfig/aux-cache',
    'var/lib/dpkg/diversions-old',
    'var/lib/dpkg/status-old',
  ],
  'apk-cache': ['var/cache/apk/APKINDEX.b89edf6e.tar.gz'],
  'yum-dnf-cache': [
    'root/.cache/libdnf5/fedora-1/solv/fedora.solv',
    'var/cache/dnf/fedora-2d95c80a1fa0a67d/repodata/repomd.xml',
    'var/cache/dnf/last_makecache',
    'var/cache/libdnf5/fedora-1/repodata/repomd.xml',
    'var/cache/yum/x86_64/7/base/repomd.xml',
  ],
  'zypper-cache': ['var/cache/zypp/solv/@System/solv'],
  'pip-cache': [
    'root/.cache/pip/http-v2/0/a/b/c/0abc',
    'root/.cache/pip/selfcheck/0abc.json',
    'tmp/pip-build-env-a1b2c3_4',
    'tmp/pip-build-env-a1b2c3_4/overlay/bin/cmake',
  ],
  'npm-yarn-cache': [
    'home/node/.cache/yarn/v6/npm-x/package.json',
    'home/node/.npm/_cacache/index-v5/00/aa',
    'root/.cache/yarn/v6/.tmp/x',
    'root/.npm/_cacache/content-v2/sha512/00/00/abcd',
    'root/.npm/_logs/2024-01-01T00_00_00_000Z-debug-0.log',
    'usr/local/share/.cache/yarn/v6/npm-lodash/package.json',
  ],
  'dnf-repos': ['var/lib/dnf/repos/fedora-2d95c80a1fa0a67d/countme'],
  'uv-cache': ['root/.cache/uv/CACHEDIR.TAG', 'root/.cache/uv/archive-v0/0abc/numpy/__init__.py'],
  'pnpm-store': ['.pnpm-store/v3/files/00/0a1b', 'home/node/.local/share/pnpm/store/v3/files/00/0a1b'],
  'go-cache': [
    'go/pkg/mod/cache/download/github.com/pkg/errors/@v/v0.9.1.zip',
    'root/.cache/go-build/00/00ff-a',
  ],
  'go-modules': [
    'go/pkg/mod/cache/download/github.com/pkg/errors/@v/v0.9.1.zip',
    'go/pkg/mod/github.com/pkg/errors@v0.9.1/errors.go',
  ],
  'cargo-cache': [
    'root/.cargo/registry/cache/index.crates.io-6f17d22bba15001f/libc-0.2.150.crate',
    'usr/local/cargo/git/db/x/HEAD',
    'usr/local/cargo/registry/cache/index.crates.io-6f17d22bba15001f/libc-0.2.150.crate',
    'usr/local/cargo/registry/index/index.crates.io-6f17d22bba15001f/config.json',
    'usr/local/cargo/registry/src/index.crates.io-6f17d22bba15001f/libc-0.2.150/build.rs',
  ],
  locales: [
    'usr/share/locale/de',
    'usr/share/locale/de/LC_MESSAGES',
    'usr/share/locale/de/LC_MESSAGES/bash.mo',
    'usr/share/locale/de/LC_MESSAGES/dpkg.mo',
    'usr/share/locale/fr/LC_MESSAGES/a.mo',
    'usr/share/locale/ja',
    'usr/share/locale/ja/LC_MESSAGES',
    'usr/share/locale/ja/LC_MESSAGES/bash.mo',
    'usr/share/locale/ja/LC_MESSAGES/dpkg.mo',
  ],
  'i18n-src': [
    'usr/lib/locale/de_DE.utf8',
    'usr/lib/locale/de_DE.utf8/LC_CTYPE',
    'usr/lib/locale/locale-archive',
    'usr/share/i18n/charmaps/UTF-8.gz',
  ],
  logs: [
    'var/log/alternatives.log',
    'var/log/apt/eipp.log.xz',
    'var/log/apt/history.log',
    'var/log/apt/term.log',
    'var/log/btmp',
    'var/log/dpkg.log',
    'var/log/faillog',
    'var/log/lastlog',
    'var/log/nginx/old.log',
    'var/log/wtmp',
  ],
  tmp: [
    'tmp/pip-build-env-a1b2c3_4',
    'tmp/pip-build-env-a1b2c3_4/overlay/bin/cmake',
    'tmp/pip-requirements.txt',
    'tmp/staged',
    'tmp/staged/model.bin',
    'var/tmp/x',
  ],
  'static-libs': ['usr/lib/libbar.la', 'usr/lib/libfoo.a', 'usr/lib/x86_64-linux-gnu/libc.a'],
  'headers-pc': [
    'usr/include/iproute2',
    'usr/include/iproute2/bpf_elf.h',
    'usr/include/stdio.h',
    'usr/lib/x86_64-linux-gnu/pkgconfig/zlib.pc',
    'usr/share/aclocal/pkg.m4',
    'usr/share/pkgconfig/bash-completion.pc',
  ],
  vcs: [
    'app/.git',
    'app/.git/HEAD',
    'app/.git/objects',
    'app/.git/objects/pack/pack-1.pack',
    'app/lib/.git',
    'app/lib/.hg',
    'app/lib/.hg/dirstate',
    'app/lib/.svn',
    'app/lib/.svn/wc.db',
  ],
  setuid: [],
  shells: [
    'bin/ash',
    'bin/sh',
    'bin/zsh-5.9',
    'etc/alternatives/ksh',
    'usr/bin/bash',
    'usr/bin/dash',
    'usr/bin/ksh93',
    'usr/bin/rbash',
    'usr/bin/sh',
  ],
  'package-managers': [
    'etc/apt/apt.conf.d/70debconf',
    'etc/apt/sources.list.d/debian.sources',
    'opt/yarn-v1.22.22/bin/yarn',
    'root/.nvm/versions/node/v20.1.0/bin/npm',
    'root/.nvm/versions/node/v20.1.0/lib/node_modules/npm/bin/npm-cli.js',
    'sbin/apk',
    'srv/venv/bin/pip3.12',
    'srv/venv/lib/python3.12/site-packages/pip-24.0.dist-info/METADATA',
    'srv/venv/lib/python3.12/site-packages/pip/__init__.py',
    'usr/bin/apt',
    'usr/bin/apt-get',
    'usr/bin/cpan',
    'usr/bin/cpan5.36-x86_64-linux-gnu',
    'usr/bin/dnf-3',
    'usr/bin/dpkg',
    'usr/bin/dpkg-query',
    'usr/bin/rpm',
    'usr/lib/apt/methods/http',
    'usr/lib/dpkg/methods/apt',
    'usr/local/bin/bundle',
    'usr/local/bin/gem3.3',
    'usr/local/bin/npx',
    'usr/local/cargo/bin/cargo',
    'usr/local/lib/node_modules/npm/bin/npx-cli.js',
    'usr/local/lib/python3.12/ensurepip/_bundled/pip-24.0-py3-none-any.whl',
    'usr/sbin/dpkg-reconfigure',
    'usr/share/dpkg/cputable',
    'usr/share/nodejs/npm/lib/cli.js',
  ],
};

describe('presets on real listings', () => {
  it.each(Object.entries(expected))('%s removes what it should and nothing else', (name, paths) => {
    expect(removed(name).sort()).toEqual([...paths].sort());
  });

  it('apt-lists keeps the directory partial, and empties it', () => {
    const match = createMatcher(expandPresets(['apt-lists']).remove);
    expect(match(p('var/lib/apt/lists/partial'), 'directory')).toBeNull();
    expect(match(p('var/lib/apt/lists/partial/x_InRelease'), 'file')?.origin).toBe('preset apt-lists');
    expect(match(p('var/lib/apt/lists'), 'directory')).toBeNull();
  });

  it('docs keeps copyright and licence files, links to them, and the directories of manual pages', () => {
    const gone = new Set(removed('docs'));
    const kept = below('usr/share/doc/', listing.keys()).filter((path) => !gone.has(path));
    expect(kept.sort()).toEqual([
      'usr/share/doc/adduser/copyright',
      'usr/share/doc/bash/copyright',
      'usr/share/doc/gcc-12-base/copyright',
      'usr/share/doc/kde/HTML/C/index.docbook',
      'usr/share/doc/libgcc-s1',
      'usr/share/doc/libstdc++6',
      'usr/share/doc/libx/COPYING',
      'usr/share/doc/libx/COPYING.LESSER',
      'usr/share/doc/libx/LICENSE.md',
      'usr/share/doc/libx/LICENSES/MIT.txt',
      'usr/share/doc/libx/NOTICE',
      'usr/share/doc/libx/copyright',
      'usr/share/doc/openssl/copyright',
    ]);
    expect(below('usr/share/man/', listing.keys()).filter((path) => !gone.has(path))).toEqual(
      ['man1', 'man3', 'man5', 'man7', 'man8'].map((name) => `usr/share/man/${name}`),
    );
    for (const path of [
      'usr/share/doc',
      'usr/share/man',
      'usr/share/info',
      'usr/share/lintian/overrides',
      'usr/share/common-licenses/GPL-3',
    ]) {
      expect(gone.has(path), path).toBe(false);
    }
    for (const path of [
      'usr/share/licenses/zlib/LICENSE',
      'usr/share/gnome/help/gedit/C/gedit.xml',
      'usr/share/omf/gedit/gedit-C.emf',
    ]) {
      expect(gone.has(path), path).toBe(false);
    }
    for (const path of [
      'usr/share/doc/adduser',
      'usr/share/doc/adduser/examples/README',
      'usr/share/doc/bash/changelog.gz',
      'usr/share/doc/kde/HTML/de/index.docbook',
      'usr/share/doc/libx/latest',
      'usr/share/gnome/help/gedit/de/gedit.xml',
      'usr/share/info/bash.info.gz',
      'usr/share/linda/overrides/x',
      'usr/share/lintian/overrides/bash',
      'usr/share/man/de/man1',
      'usr/share/man/man1/awk.1.gz',
      'usr/share/man/man8/useradd.8.gz',
      'usr/share/omf/gedit/gedit-de.emf',
    ]) {
      expect(gone.has(path), path).toBe(true);
    }
  });

  it('logs keeps links, directories and pipes', () => {
    const gone = new Set(removed('logs'));
    for (const path of ['var/log/nginx', 'var/log/nginx/access.log', 'var/log/journal.fifo'])
      expect(gone.has(path), path).toBe(false);
  });

  it('pyc takes compiled modules only where the source is', () => {
    const gone = removed('pyc');
    const compiled = [...listing.keys()].filter((path) => /\.py[co]$/.test(path));
    expect(compiled.filter((path) => !gone.includes(path)).sort()).toEqual([
      'app/legacy.pyc',
      'app/sourceless/__pycache__/gone.cpython-311.pyc',
      'app/sourceless/core.pyc',
      // the listing is an extract, and lacks the source of this one
      'usr/lib/python3.11/test/__pycache__/__init__.cpython-311.pyc',
    ]);
    expect(gone).toContain('app/mod.pyo');
    expect(gone).toContain('usr/lib/python3.11/__pycache__/ast.cpython-311.pyc');
    expect(gone.every((path) => /\.py[co]$/.test(path))).toBe(true);
    const blind = createMatcher(expandPresets(['pyc']).remove);
    expect([...listing].some(([path, kind]) => blind(p(path), kind) !== null)).toBe(false);
  });

  it('py-tests stays out of site-packages and dist-packages', () => {
    expect(removed('py-tests').filter((path) => !path.startsWith('usr/lib/python3.11/test'))).toEqual([
      'usr/lib64/python3.12/test/support/__init__.py',
      'usr/local/lib/libpython3.11.a',
      'usr/local/lib/python3.11/config-3.11-x86_64-linux-gnu/libpython3.11.a',
      'usr/local/lib/python3.11/ctypes/test/test_arrays.py',
      'usr/local/lib/python3.11/idlelib/idle_test/htest.py',
      'usr/local/lib/python3.11/lib2to3/tests/test_all_fixers.py',
    ]);
    expect(removed('py-tests')).toContain('usr/lib/python3.11/test/support/__init__.py');
    const match = createMatcher(expandPresets(['py-tests']).remove);
    expect(match(p('usr/local/lib/python3.11/site-packages/numpy/tests'), 'directory')).toBeNull();
    expect(match(p('usr/lib/python3/dist-packages/numpy/tests'), 'directory')).toBeNull();
  });

  it('pkg-db takes the databases of all package managers, and nothing else', () => {
    const gone = removed('pkg-db');
    expect(gone.filter((path) => !path.startsWith('var/lib/dpkg/'))).toEqual([
      'lib/apk/db/installed',
      'usr/lib/apk/db/installed',
      'usr/lib/sysimage/rpm/rpmdb.sqlite',
      'var/lib/rpm/rpmdb.sqlite',
    ]);
    expect(gone).toContain('var/lib/dpkg/status');
    expect(below('var/lib/dpkg/', listing.keys()).every((path) => gone.includes(path))).toBe(true);
  });

  it.each([
    ['shells', 'shell', ['busybox', 'toybox', 'toolbox']],
    ['package-managers', 'package-manager', []],
  ] as const)('%s takes what the attack surface counts', (preset, kind, others) => {
    const match = createMatcher(expandPresets([preset]).remove);
    const taken = (name: string): boolean =>
      [`usr/bin/${name}`, `opt/app/bin/${name}`].every((path) => match(p(path), 'file') !== null);
    expect(programsOf(kind).filter((name) => !taken(name))).toEqual(others);
    // Of any version too.
    for (const name of [
      'pip3.12',
      'gem3.1',
      'dnf-3',
      'dnf5',
      'cpan5.36-x86_64-linux-gnu',
      'bundle3.1',
      'zsh-5.9',
    ]) {
      if (programKind(name) === kind) expect(taken(name), name).toBe(true);
    }
  });

  it('setuid removes no file', () => {
    const { remove, clearSetuid } = expandPresets(['setuid']);
    expect(remove).toEqual([]);
    const match = createMatcher(clearSetuid);
    expect(match(p('usr/bin/su'), 'file')?.origin).toBe('preset setuid');
    expect(match(p('var/mail'), 'directory')).toBeNull();
  });

  it('every preset has a test', () => {
    // cuda-preset.test.ts has a listing of its own.
    const tested = new Set([...Object.keys(expected), 'docs', 'pyc', 'py-tests', 'pkg-db', 'cuda']);
    expect(Object.keys(presets).filter((name) => !tested.has(name))).toEqual([]);
  });

  it('together they remove what each removes alone', () => {
    const names = Object.keys(presets);
    const union = new Set(names.flatMap((name) => removed(name)));
    expect(removed(...names).sort()).toEqual([...union].sort());
    expect(union.has('usr/local/lib/libpython3.11.a')).toBe(true); // static-libs keeps it, py-tests does not
  });
});

describe('the table of presets', () => {
  it('the safe ones are caches without risk', () => {
    expect(safePresets).toEqual([
      'apt-lists',
      'apt-cache',
      'apt-misc',
      'apk-cache',
      'yum-dnf-cache',
      'zypper-cache',
      'pip-cache',
      'npm-yarn-cache',
    ]);
    for (const preset of Object.values(presets))
      expect(preset.safe, preset.name).toBe(preset.risk === 'none');
  });
  it('names, titles and notes are words for a person', () => {
    for (const [name, preset] of Object.entries(presets)) {
      expect(preset.name).toBe(name);
      expect(name).toMatch(/^[a-z][a-z0-9-]*$/);
      expect(preset.title).not.toBe('');
      expect(preset.note).toMatch(/\.$/);
    }
  });
  it('a rule of the person takes back from a preset', () => {
    const match = createMatcher([
      ...expandPresets(['logs', 'docs']).remove,
      parseRule('!usr/share/doc/bash', '--rule'),
    ]);
    expect(match(p('usr/share/doc/bash/README.gz'), 'file')).toBeNull();
    expect(match(p('usr/share/doc/adduser/TODO'), 'file')?.origin).toBe('preset docs');
  });
  it('a preset does not take back from a rule of the person', () => {
    const match = createMatcher([parseRule('usr/share/doc', '--rule'), ...expandPresets(['docs']).remove]);
    expect(match(p('usr/share/doc/bash/copyright'), 'file')?.origin).toBe('--rule');
  });
  it('an unknown name is a usage error with a guess and the list', () => {
    const error = (name: string): unknown => {
      try {
        expandPresets(['docs', name]);
      } catch (thrown) {
        return thrown;
      }
      return undefined;
    };
    expect(error('apt-list')).toMatchObject({
      code: 'USAGE',
      message: 'there is no preset "apt-list". Did you mean apt-lists?',
    });
    expect(error('apt')).toMatchObject({ message: expect.stringMatching(/Did you mean apt-/) });
    expect(error('locale')).toMatchObject({ message: expect.stringMatching(/Did you mean locales/) });
    expect(error('quantum')).toMatchObject({ message: 'there is no preset "quantum".' });
    expect(error('toString')).toMatchObject({ code: 'USAGE' });
    expect(error('x')).toMatchObject({ advice: expect.stringContaining('apt-lists, apt-cache, ') });
  });
});
