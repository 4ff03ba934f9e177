/** What a source of the application keeps, for each language. Sources are in var/app, where no tree stays whole by itself. */
import { describe, expect, it } from 'vitest';
import { closureRules } from '../../../src/closure/rules/all.ts';
import { jarOf } from '../../support/jar.ts';
import { symlink, type Table, text } from '../rig.ts';
import { stays } from '../rules/stays.ts';
import { below, dpkg, gem, node, site, wheel } from './trees.ts';

interface Case {
  /** The name of the source in var/app, and its text. */
  readonly source: string;
  readonly text: string;
  /** What stays, and what the image has else. */
  readonly kept: Table;
  readonly gone?: Table;
  readonly environment?: Readonly<Record<string, string>>;
}

const python: Readonly<Record<string, Case>> = {
  'a module inside of a function, with its distribution, what that declares, and what loading it loads': {
    source: 'main.py',
    text: 'def f():\n    from lazy.part import x\n',
    kept: {
      ...wheel(
        'lazy',
        { 'lazy/__init__.py': 'import helper\ndef f():\n    import rare\n', 'lazy/part.py': '# one\n' },
        'Requires-Dist: Dep-One>=1',
        'Requires-Dist: absent',
        'Requires-Dist: rare ; extra == "all"',
      ),
      ...wheel('helper', { 'helper.py': '# one\n' }),
      ...wheel('dep_one', { 'dep_one/__init__.py': '# one\n' }),
    },
    gone: wheel('rare', { 'rare.py': '# one\n' }),
  },
  'a compiled module': {
    source: 'main.py',
    text: '    import fast\n',
    kept: wheel('fast', { 'fast.cpython-311-x86_64-linux-gnu.so': 'ELF' }),
  },
  'modules of the application, and what they name': {
    source: 'main.py',
    text: '    from jobs import nightly\n',
    kept: {
      'var/app/jobs/nightly.py': 'def f():\n    from .parts import x\n',
      'var/app/jobs/parts.py': 'def f():\n    import helper\n',
      ...wheel('helper', { 'helper.py': '# one\n' }),
    },
    gone: { 'var/app/jobs/other.py': '# one\n' },
  },
  'a module below PYTHONPATH, with its tree': {
    source: 'main.py',
    text: '    import extra\n',
    kept: { 'opt/more/extra.py': '# one\n', 'opt/more/data': 'data' },
    environment: { PYTHONPATH: '/opt/more' },
  },
  'a module of a system, with its package and what its metadata declare': {
    source: 'main.py',
    text: '    import yaml\n',
    kept: {
      ...dpkg('python3-yaml', {
        'usr/lib/python3/dist-packages/yaml/__init__.py': '# one\n',
        'usr/lib/python3/dist-packages/PyYAML-6.0.egg-info/requires.txt': 'dep\n\n[more]\nrare\n',
        'usr/lib/python3/dist-packages/PyYAML-6.0.egg-info/top_level.txt': 'yaml\n',
      }),
      ...dpkg('python3-dep', {
        'usr/lib/python3/dist-packages/dep.py': '# one\n',
        'usr/lib/python3/dist-packages/dep-1.0.egg-info': 'Name: dep\n',
      }),
    },
    gone: dpkg('python3-rare', { 'usr/lib/python3/dist-packages/rare.py': '# one\n' }),
  },
  'nothing that only texts name': {
    source: 'main.py',
    text: 'x = "import lazy"\n# import lazy\n',
    kept: {},
    gone: wheel('lazy', { 'lazy/__init__.py': '# one\n' }),
  },
};

const javascript: Readonly<Record<string, Case>> = {
  'a package inside of a function, with what it declares': {
    source: 'main.js',
    text: "() => require('lazy/lib')",
    kept: {
      ...node('var/app', {
        lazy: { dependencies: { dep: '1' }, optionalDependencies: { binary: '1' } },
        binary: {},
      }),
      ...node('var/app/node_modules/lazy', { dep: {} }),
      'var/app/node_modules/lazy/lib/index.js': "require('undeclared')",
    },
    gone: node('var/app', { dep: {}, undeclared: {} }),
  },
  'a package with a scope': {
    source: 'main.mjs',
    text: "await import('@scope/pkg/sub.js')",
    kept: { ...node('var/app', { '@scope/pkg': {} }), 'var/app/node_modules/@scope/pkg/sub.js': 'x = 1' },
    gone: node('var/app', { '@scope/other': {} }),
  },
  'a package that a module of the application names': {
    source: 'main.js',
    text: "() => import('./lib/local.js')",
    kept: { 'var/app/lib/local.js': "() => require('pkg')", ...node('var/app', { pkg: {} }) },
    gone: { 'var/app/lib/other.js': "() => require('other')", ...node('var/app', { other: {} }) },
  },
  'a package behind a link of pnpm, with its neighbours': {
    source: 'main.js',
    text: "() => require.resolve('linked')",
    kept: {
      'var/app/node_modules/linked': symlink('.pnpm/linked@1/node_modules/linked'),
      ...node('var/app/node_modules/.pnpm/linked@1', {
        linked: { dependencies: { neighbour: '1' } },
        neighbour: {},
      }),
    },
  },
  'what package.json declares, without the tools of developers': {
    source: 'main.js',
    text: 'f()',
    kept: {
      'var/app/package.json': '{"dependencies":{"declared":"1"},"devDependencies":{"tool":"1"}}',
      ...node('var/app', { declared: {} }),
    },
    gone: node('var/app', { tool: {} }),
  },
  'a package of Debian': {
    source: 'main.js',
    text: "() => require('express')",
    kept: {
      ...dpkg('node-express', { 'usr/share/nodejs/express/package.json': '{"dependencies":{"qs":"1"}}' }),
      ...dpkg('node-qs', { 'usr/share/nodejs/qs/package.json': '{}' }),
    },
    gone: dpkg('node-other', { 'usr/share/nodejs/other/package.json': '{}' }),
  },
};

const ruby: Readonly<Record<string, Case>> = {
  'a gem inside of a method, with the gems that it declares': {
    source: 'main.rb',
    text: "def f\n  require 'lazy/part'\nend\n",
    kept: {
      ...gem(
        'lazy',
        { 'lib/lazy/part.rb': '# one\n', data: 'data' },
        '  s.add_runtime_dependency(%q<dep>.freeze, ["~> 1"])',
        '  s.add_development_dependency(%q<rspec>.freeze)',
      ),
      ...gem('dep', { 'lib/dep.rb': '# one\n' }),
    },
    gone: gem('rspec', { 'lib/rspec.rb': '# one\n' }),
  },
  'the gems of Gemfile.lock': {
    source: 'config.ru',
    text: 'run App\n',
    kept: {
      'var/app/Gemfile.lock': 'GEM\n  specs:\n    dep (1.0)\n      other (>= 2)\n',
      ...gem('dep', { 'lib/dep.rb': '# one\n' }),
    },
    gone: gem('other', { 'lib/other.rb': '# one\n' }),
  },
  'sources beside it, and in lib': {
    source: 'main.rb',
    text: "  require_relative 'jobs/a'\n  autoload :B, 'b'\n",
    kept: { 'var/app/jobs/a.rb': '# one\n', 'var/app/lib/b.rb': '# one\n' },
    gone: { 'var/app/jobs/b.rb': '# one\n' },
  },
  'a library of a system, with its package': {
    source: 'main.rb',
    text: "  require 'x'\n",
    kept: dpkg('ruby-x', { 'usr/lib/ruby/vendor_ruby/x.rb': '# one\n', 'usr/share/x/data': 'data' }),
    gone: dpkg('ruby-y', { 'usr/lib/ruby/vendor_ruby/y.rb': '# one\n' }),
  },
};

const perl: Readonly<Record<string, Case>> = {
  'a module inside of a sub, with its package and what loading it loads': {
    source: 'main.pl',
    text: 'sub f { require X::Lazy; }\n',
    kept: {
      ...dpkg('libx-perl', {
        'usr/share/perl5/X/Lazy.pm': 'use Y;\nsub f { require Rare }\n',
        'usr/share/perl5/X/data': 'data',
      }),
      ...dpkg('liby-perl', { 'usr/lib/x86_64-linux-gnu/perl5/5.36/Y.pm': '# one\n' }),
    },
    gone: dpkg('librare-perl', { 'usr/share/perl5/Rare.pm': '# one\n' }),
  },
  'the modules of cpanfile': {
    source: 'main.psgi',
    text: '1;\n',
    kept: {
      'var/app/cpanfile': "requires 'Dep::One', '>= 1';\n",
      'usr/local/lib/perl5/site_perl/5.38.2/Dep/One.pm': '# one\n',
    },
  },
  'modules in lib': {
    source: 'main.pl',
    text: '  require My::Job;\n',
    kept: { 'var/app/lib/My/Job.pm': '# one\n' },
    gone: { 'var/app/lib/My/Other.pm': '# one\n' },
  },
};

const php: Readonly<Record<string, Case>> = {
  'the package of a class, with what it requires': {
    source: 'main.php',
    text: '<?php\nuse V\\Lazy\\A;\n',
    kept: below('var/app/vendor/v', {
      'lazy/composer.json': '{"require":{"php":">=8","v/dep":"1"}}',
      'lazy/src/A.php': '<?php',
      'dep/composer.json': '{}',
    }),
    gone: below('var/app/vendor', {
      'v/other/composer.json': '{}',
      'composer/installed.json':
        '{"packages":[{"name":"v/lazy","autoload":{"psr-4":{"V\\\\Lazy\\\\":"src/"}}},{"name":"v/other","autoload":{"psr-4":{"V\\\\":""}}}]}',
    }),
  },
  'what composer.json requires': {
    source: 'main.php',
    text: '<?php f();',
    kept: {
      'var/app/composer.json': '{"require":{"v/dep":"1"},"require-dev":{"v/tool":"1"}}',
      'var/app/vendor/v/dep/composer.json': '{}',
    },
    gone: below('var/app/vendor', { 'v/tool/composer.json': '{}', 'composer/installed.json': '[]' }),
  },
  'what composer.lock holds': {
    source: 'main.php',
    text: '<?php f();',
    kept: {
      'var/app/composer.lock': '{"packages":[{"name":"v/dep"}],"packages-dev":[{"name":"v/tool"}]}',
      'var/app/vendor/v/dep/composer.json': '{}',
    },
    gone: below('var/app/vendor', { 'v/tool/composer.json': '{}', 'composer/installed.json': '[]' }),
  },
  'sources by the names of their files': {
    source: 'main.php',
    text: "<?php require __DIR__ . '/part.php'; function f() { require_once 'X/autoload.php'; }",
    kept: {
      'var/app/part.php': '<?php',
      ...dpkg('php-x', { 'usr/share/php/X/autoload.php': '<?php' }),
    },
    gone: dpkg('php-y', { 'usr/share/php/Y/autoload.php': '<?php' }),
  },
};

const r: Readonly<Record<string, Case>> = {
  'a package inside of a function, with what it imports': {
    source: 'main.R',
    text: 'f <- function() x::f()\n',
    kept: {
      ...dpkg('r-cran-x', {
        'usr/lib/R/site-library/x/DESCRIPTION': 'Package: x\nImports: y (>= 1),\n    z\nSuggests: s\n',
        'usr/lib/R/site-library/x/R/x.rdb': 'rdb',
      }),
      ...dpkg('r-cran-y', { 'usr/lib/R/site-library/y/DESCRIPTION': 'Package: y\n' }),
      ...dpkg('r-cran-z', { 'usr/lib/R/site-library/z/DESCRIPTION': 'Package: z\n' }),
    },
    gone: dpkg('r-cran-s', { 'usr/lib/R/site-library/s/DESCRIPTION': 'Package: s\n' }),
  },
};

const others: Readonly<Record<string, Case>> = {
  'in Lua a module with its package': {
    source: 'main.lua',
    text: 'local f = function() return require("x") end\n',
    kept: dpkg('lua-x', { 'usr/share/lua/5.4/x/init.lua': 'return 1', 'usr/share/x/data': 'data' }),
    gone: dpkg('lua-y', { 'usr/share/lua/5.4/y.lua': 'return 1' }),
  },
  'in Elixir a module with its application': {
    source: 'main.exs',
    text: 'alias Jason\n',
    kept: below('var/lib/jason-1.4/ebin', {
      'Elixir.Jason.beam': 'beam',
      'jason.app': '{application, jason, []}.',
    }),
    gone: { 'var/lib/other-1.0/ebin/other.app': '{application, other, []}.' },
  },
  'in Elixir the applications of mix.lock': {
    source: 'main.exs',
    text: 'IO.puts 1\n',
    kept: {
      'var/app/mix.lock': '%{\n  "jason": {:hex, :jason, "1.4"},\n}\n',
      'var/lib/jason-1.4/ebin/jason.app': '{application, jason, []}.',
    },
    gone: { 'var/lib/hex-1.0/ebin/hex.app': '{application, hex, []}.' },
  },
  'in Erlang the applications of modules': {
    source: 'main.escript',
    text: 'main(_) -> crypto:hash(sha256, "x").\n',
    kept: below('var/lib/crypto-5/ebin', {
      'crypto.beam': 'beam',
      'crypto.app': '{application, crypto, []}.',
    }),
  },
  'in Java the class path, and those of its archives': {
    source: 'main.jar',
    text: jarOf('Class-Path: /usr/share/java/a.jar lib/x.jar\n').toString('latin1'),
    kept: {
      'usr/share/java/a.jar': text(jarOf('Class-Path: b.jar\n').toString('latin1')),
      'usr/share/java/b.jar': text(jarOf('Main-Class: B\n').toString('latin1')),
      'var/app/lib/x.jar': text(jarOf('Main-Class: X\n').toString('latin1')),
    },
    gone: { 'usr/share/java/c.jar': text(jarOf('Main-Class: C\n').toString('latin1')) },
  },
};

const rules = closureRules({ keep: [] });

for (const [language, cases] of Object.entries({ python, javascript, ruby, perl, php, r, others }))
  describe(`a source (${language})`, () => {
    it.each(Object.entries(cases))(
      'keeps %s',
      async (_, { source, text: body, kept, gone = {}, environment = {} }) => {
        const path = `var/app/${source}`;
        const image: Table = { ...gone, ...kept, [path]: text(body), 'usr/bin/node': 'ELF' };
        const at = { want: [path], trace: { 'usr/bin/node': 'exec' }, environment } as const;
        const own = [path, 'usr/bin/node'];
        const isOwn = (file: string): boolean => own.includes(file) || isOther(file);
        const found = await stays(rules, image, { ...at, granularity: 'package' });
        expect(found.filter((file) => !isOwn(file))).toEqual(
          Object.keys(kept)
            .filter((file) => !isOwn(file))
            .toSorted(),
        );
        const least = await stays(rules, image, { ...at, granularity: 'file' });
        expect(least.filter((file) => !isOwn(file))).toEqual([]);
      },
    );
  });

/** Returns whether a file stays or goes by another rule: databases of packages, and manifests of the application. */
function isOther(file: string): boolean {
  return /^var\/(?:lib\/dpkg\/|app\/[^/]+\.(?:json|lock)$|app\/cpanfile$)|\/installed\.json$|^\.traced$/.test(
    file,
  );
}

it('names of what several Pythons have mean that of the one in use', async () => {
  const image: Table = {
    'usr/bin/python3.11': 'ELF',
    'usr/lib/python3.11/os.py': '# one\n',
    'usr/lib/python3.11/csv.py': '# one\n',
    'usr/lib/python3.9/csv.py': '# one\n',
    [`${site}/more.py`]: '# one\n',
    'var/app/main.py': '    import csv\n',
  };
  const files = await stays(rules, image, {
    want: ['var/app/main.py', 'usr/lib/python3.11/os.py'],
    granularity: 'package',
  });
  expect(files).toEqual(['usr/lib/python3.11/csv.py', 'usr/lib/python3.11/os.py', 'var/app/main.py']);
});
