/**
 * The target of sources in all languages, and of archives of Java. Whatever the bytes are, names come out, and few.
 */
import { classPathIn } from '../../src/rootfs/facts/class-path.ts';
import { FactCollector } from '../../src/rootfs/facts/collector.ts';
import { modulesOfSource, type SourceLanguage } from '../../src/rootfs/facts/named-modules.ts';
import { readByteString } from '../../src/bytes/bytes.ts';
import { MiB } from '../../src/units.ts';
import { p } from '../../test/support/bytes.ts';
import { jarOf } from '../../test/support/jar.ts';
import { choiceOf, holds, neverThrows, same, type Target } from '../target.ts';

const languages: readonly SourceLanguage[] = ['python', 'node', 'ruby', 'perl', 'php', 'r', 'lua', 'beam'];

/** A source for each language, and an archive. */
const files = ['a.py', 'a.js', 'a.rb', 'a.pl', 'a.php', 'a.R', 'a.lua', 'a.exs', 'run', 'a.jar'];

function collect(file: string, bytes: Uint8Array, chunk: number): unknown {
  return neverThrows('FactCollector', () => {
    const collector = new FactCollector(() => 0);
    const sink = collector.open(0, p(file), bytes.length);
    for (let at = 0; at < bytes.length && sink?.write(bytes.slice(at, at + chunk)) === true; at += chunk);
    sink?.end();
    return collector.facts().modules.get(0) ?? null;
  });
}

export const target: Target = {
  name: 'sources',
  invariant:
    'sources and archives are read without a throw, the same in all chunks; they name few modules, with short names',
  seeds: () => [
    ...[
      'import os, sys\nfrom ..a.b import (c,\n d)\nimport_module("x")\n',
      'const a = require("a"); import("./b.js"); export * from \'c\'\n',
      "require 'a'\nrequire_relative './b'\nautoload :C, 'c'\n",
      "use A::B; require 'x.pl';\nuse parent -norequire, qw(C D);\n",
      "<?php use A\\B; require __DIR__ . '/c.php'; new \\D\\E();\n",
      'library(a); b::c()\n',
      'local a = require("a.b")\n',
      'alias A.B\n:crypto.hash(x)\napplications: [:a, :b]\n',
      '#!/usr/bin/env python3\nimport a\n',
    ].map((text) => Buffer.from(text)),
    jarOf('Class-Path: a.jar b/c.jar\r\n'),
    jarOf('Class-Path: a.jar\r\n', { packed: false, first: ['META-INF/'] }),
  ],
  dictionary: [
    'import ',
    'from ',
    'require',
    '(',
    '"',
    "'",
    '`',
    'use ',
    '::',
    '\\',
    '/*',
    '\n',
    '    ',
    'Class-Path: ',
    'PK\x03\x04',
  ],
  run: (bytes) => {
    const chunk = 1 + (choiceOf(bytes) % 200);
    for (const file of files)
      same(collect(file, bytes, MiB), collect(file, bytes, chunk), `the chunks change what ${file} names`);
    const text = readByteString(bytes);
    for (const language of languages) {
      const named = neverThrows('modulesOfSource', () => modulesOfSource(text, language));
      holds(named.length <= 1000, 'too many names');
      for (const { name } of named) holds(name !== '' && name.length <= 256, 'a name that is none');
    }
    for (const name of neverThrows('classPathIn', () => classPathIn(bytes)))
      holds(/^\.?\//.test(name), 'an archive without a place');
  },
};
