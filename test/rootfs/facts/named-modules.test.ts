import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import {
  languageOfLine,
  languageOfPath,
  modulesOfSource,
  type SourceLanguage,
} from '../../../src/rootfs/facts/named-modules.ts';
import { KiB } from '../../../src/units.ts';
import { b } from '../../support/bytes.ts';

/** Returns the names in a source; those of statements in functions stand in parentheses. */
function namesIn(language: SourceLanguage, text: string): readonly string[] {
  return modulesOfSource(b(text), language).map(({ name, isAtTop }) => (isAtTop ? name : `(${name})`));
}

const cases: Readonly<Partial<Record<SourceLanguage, readonly (readonly [text: string, names: string])[]>>> =
  {
    python: [
      ['import os', 'os'],
      ['import os.path, numpy as np  # fast', 'os.path numpy'],
      ['from a.b import c', 'a.b.c'],
      ['from a import (\n    b,  # first\n    c as d,\n)\nimport e', 'a.b a.c e'],
      ['from a import *', 'a'],
      ['from . import b', './b'],
      ['from .a.b import c', './a.b.c'],
      ['from ...a import b', './../../a.b'],
      ['def f():\n    import lazy', '(lazy)'],
      ['try:\n    import fast\nexcept ImportError:\n    import slow', 'fast slow'],
      [
        'class A:\n    import x\n    def f(self):\n\n        import y\n    # a remark\n    import z',
        'x (y) z',
      ],
      ['if TYPE_CHECKING:\n    import typed\nelse:\n    import real', '(typed) real'],
      ['async def f():\n  if x:\n    import late\nimport top', '(late) top'],
      ['if True: import x', 'x'],
      ['def f(): import x', '(x)'],
      ['import x\ndef f():\n    import x', 'x'],
      ['m = importlib.import_module("a.b")', 'a.b'],
      ["__import__('a')", 'a'],
      ['import sys; import a;from b import c', 'sys a b.c'],
      ['def f():\n    x = 1; import late\nx = 1; import top', '(late) top'],
      ['from a import b, \\\n    c\nfrom d \\\r\n  import e\nimport f, \\\n  g', 'a.b a.c d.e f g'],
      ['from a import (b,  # the first (of two, or three)\n  c)\nimport d', 'a.b a.c d'],
      ['if sys.argv[1] == "x": import a', 'a'],
      ["if a[1:2] == 'b: c': from d import e", 'd.e'],
      ['import_module(".a", package=__name__)', './a'],
      ['import_module("..a.b", __package__)', './../a.b'],
      ['import_module(".a", package="b.c")', 'b.c.a'],
      ['import_module(name="a")', 'a'],
      ['\xef\xbb\xbfimport a', 'a'],
      ['import_module(name)\nprint("import x")\n# import y\n>>> import z', ''],
    ],
    node: [
      ["const a = require('a')", 'a'],
      ['const {b} = await import("@s/b/c.js")', '@s/b/c.js'],
      ["import x, { y } from 'x'\nimport 'side'", 'x side'],
      ["export * from './local.js'", './local.js'],
      ['require.resolve(`d`)', 'd'],
      ['import(/* webpackChunkName: "e" */ "e")', 'e'],
      ['import.meta.resolve("f")', 'f'],
      ['import(/* c */ "g")', 'g'],
      ['require?.("h")', 'h'],
      ['createRequire(import.meta.url)("i")', 'i'],
      ['new Worker("./w.js")', './w.js'],
      ['function f(){return require("lazy")}', 'lazy'],
      ['var a=1;import{b}from"node:fs"', 'node:fs'],
      ['require(name); import(`./${name}.js`)\nexports.from = 1', ''],
    ],
    ruby: [
      ["require 'json'", 'json'],
      ['require_relative "a/b"', './a/b'],
      ['def f\n  require("lazy")\nend', '(lazy)'],
      ["autoload :Thing, 'thing'", 'thing'],
      ["begin; require 'x'; rescue LoadError; end", 'x'],
      ["module A\n  require 'x'\n  def f\n    require 'y'\n  end\nend", 'x (y)'],
      ['Kernel.require "f"', 'f'],
      ['require name\n# see: require', ''],
    ],
    perl: [
      ['use JSON::PP qw(encode);', 'JSON::PP'],
      ['sub f { require Lazy::Module; }', '(Lazy::Module)'],
      ['    eval { require Opt };', 'Opt'],
      ["use parent -norequire, 'A::B';\nuse base qw(C D);", 'parent base norequire A::B qw C D'],
      ["require 'x/y.pl';", 'x/y.pl'],
      ["my $m = use_module('A::B')", 'A::B'],
      ['eval "use A::B; 1" or eval q{require C} or eval(\'require D\')', 'A::B C D'],
      ['eval qq|use E; 1|;\neval "\n  require \'f.pl\'";', 'E f.pl'],
      ['use if $] < 5.01, A => qw(b);', 'if A qw b'],
      ["use aliased 'O::P';", 'aliased O::P'],
      ['use 5.010;\nuse strict;', 'strict'],
    ],
    php: [
      ['use Symfony\\Component\\Yaml\\Yaml;', 'Symfony\\Component\\Yaml\\Yaml'],
      ['$x = new \\Monolog\\Logger("x");', 'Monolog\\Logger'],
      ['$x = new K\\L();', 'K\\L'],
      ["require __DIR__ . '/../vendor/autoload.php';", './../vendor/autoload.php'],
      ['require_once("Twig/autoload.php");', 'Twig/autoload.php'],
      ['include $file; use Plain;', ''],
    ],
    r: [
      ['library(jsonlite)', 'jsonlite'],
      ['f <- function() { if (requireNamespace("xml2")) xml2::read_xml(x) }', 'xml2'],
      ['loadNamespace(package="f"); library(package = g); library(package)', 'f g package'],
      ['stats:::plot.lm', 'stats'],
      ['mylibrary(x); std <- "a:b"', ''],
    ],
    lua: [
      ['local json = require "cjson.safe"', 'cjson.safe'],
      ["return require('a/b')", 'a/b'],
      ['local ok, e = pcall(require, "e")', 'e'],
    ],
    beam: [
      ['  alias MyApp.Repo', 'MyApp.Repo'],
      [':crypto.hash(:sha256, x)', 'crypto'],
      ['extra_applications: [:logger, :ssl]', 'logger ssl'],
      ['{:jason, "~> 1.4"}', 'jason'],
      ['main(_) -> crypto:hash(sha256, "x").', 'crypto'],
      ['-include_lib("kernel/include/file.hrl").', 'kernel'],
    ],
  };

describe.each(Object.entries(cases))('a source in %s', (language, rows) => {
  it.each(rows)('with %j names: %s', (text, names) => {
    expect([...namesIn(language as SourceLanguage, text)].toSorted()).toEqual(
      names
        .split(' ')
        .filter((name) => name !== '')
        .toSorted(),
    );
  });
});

/** A statement for each language, with the place of the name. */
const statements: readonly (readonly [language: SourceLanguage, before: string, after: string])[] = [
  ['python', 'import ', ''],
  ['node', "x = require('", "')"],
  ['ruby', 'require "', '"'],
  ['perl', 'use ', ';'],
  ['php', "require '", "';"],
  ['r', 'library(', ')'],
  ['lua', 'x = require("', '")'],
  ['beam', 'alias ', ''],
];

test.each(statements)(
  'a statement in %s is found on any line, whatever the others are',
  (language, before, after) => {
    const line = fc.oneof(
      fc.string({ maxLength: 30 }).map((text) => text.replaceAll(/[^ -~]|[(["'`{<\\]/g, '.')),
      fc.constantFrom('', '# use x', 'end', '    return 1', '}'),
    );
    fc.assert(
      fc.property(fc.array(line, { maxLength: 6 }), fc.array(line, { maxLength: 6 }), (above, below) => {
        const text = [...above, `${before}Mod${after}`, ...below].join('\n');
        expect(namesIn(language, text)).toContain('Mod');
      }),
    );
  },
);

const length = 512 * KiB;

// With time that grew as the square of the length, one of these texts would take hours.
const pumps = [
  '"',
  "'",
  '`',
  ' ',
  '\n',
  '(',
  'a',
  '.',
  '\\A',
  'import ',
  'import',
  'from ',
  'from a import (',
  'from a import b,',
  'from ..',
  'import(/*',
  ';import (',
  'import (#\n',
  '\nimport \\',
  '\nimport (\n#',
  'import a, \\\n',
  'if a: ',
  'a:\n',
  '; ',
  'import_module(',
  '\nimport_module("a",',
  'createRequire(',
  'new ',
  'new A\\',
  'eval ',
  'eval "',
  'eval\n',
  'use if,\n',
  'library(package=',
  'require("',
  'require(',
  'require ',
  "require '",
  'use ',
  'use parent ',
  'use A::',
  'library(',
  'a::',
  ':a',
  'a:',
  'applications: [',
  'include "',
];

test.each(statements)('the scanner of %s is linear on hostile sources', (language) => {
  for (const pump of pumps)
    for (const text of [pump.repeat(length / pump.length), pump.padEnd(length), pump.padEnd(length, '\n')])
      expect(modulesOfSource(b(`${text}\u0001`), language).length).toBeLessThanOrEqual(1000);
});

test('a source names at most 1000 modules, and none with a name of more than 256 bytes', () => {
  const many = Array.from({ length: 3000 }, (_, i) => `import m${i}`).join('\n');
  expect(namesIn('python', many)).toHaveLength(1000);
  expect(namesIn('python', `import ${'a'.repeat(257)}`)).toEqual([]);
});

test.each([
  ['app/main.py', 'python'],
  ['app/server.mjs', 'node'],
  ['app/node_modules/x/index.js', null],
  ['usr/share/nodejs/x/index.js', null],
  ['app/config.ru', 'ruby'],
  ['app/App.pm', 'perl'],
  ['app/index.php', 'php'],
  ['app/plot.R', 'r'],
  ['app/x.lua', 'lua'],
  ['app/mix.exs', 'beam'],
  ['app/readme.md', null],
])('the language of %s is %s', (path, language) => {
  expect(languageOfPath(b(path))).toBe(language);
});

test.each([
  ['/usr/bin/env python3', 'python'],
  ['/usr/bin/python3.11 -I', 'python'],
  ['/usr/bin/env -S node --x', 'node'],
  ['/usr/bin/perl -w', 'perl'],
  ['/usr/bin/Rscript', 'r'],
  ['/bin/sh', null],
  ['/opt/mypython-tool', null],
])('the language of a script of %s is %s', (line, language) => {
  expect(languageOfLine(b(line))).toBe(language);
});
