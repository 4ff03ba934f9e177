/**
 * The rule for PHP: its settings, and the extensions that they name. `families.ts` lists it.
 */
import { ascii, asciiList, noBytes, type ByteString } from '../../bytes/bytes.ts';
import { baseOf, join, type Path, root } from '../../bytes/path.ts';
import type { ClosureContext, ClosureRule, Need } from '../rule.ts';
import { linesAt, linesOf, variable } from './configuration.ts';
import { presentIn } from './present.ts';
import { libraryDirectories } from '../libraries/directories.ts';
import { KiB } from '../../units.ts';

/** Paths of settings. */
const settings =
  /^(?:etc|usr\/local\/etc|opt\/[^/]+\/etc)\/(?:.*\/)?(?:php[^/]*|conf\.d\/[^/]+|[^/]*php[^/]*\/[^/]+)\.ini$/;
/** The program or library of PHP. The group is its version. */
const program = /(?:^|\/)(?:php(?:-fpm|-cgi)?([\d.]*)|libphp[\d.]*\.so)$/;

/** PHP reads its settings at every start, and loads the extensions that they name. */
export const phpRule: ClosureRule = {
  name: 'php',
  describe:
    'For PHP: php.ini and the .ini files in its conf.d; the extensions that they name (extension=, zend_extension=), from extension_dir.',
  reads: (path) => (settings.test(path) || /^etc\/php[^/]*\/.*\.ini$/.test(path) ? 256 * KiB : 0),
  *follow(path, context): Generator<Need> {
    if (context.facts.elf(path) !== null) yield* settingsFor(path, context);
    else if (path.endsWith('.ini')) yield* extensions(path, context);
  },
};

/** Yields the settings of a program or library of PHP. */
function* settingsFor(path: Path, context: ClosureContext): Generator<Need> {
  const found = path.match(program);
  if (found === null) return;
  const { fs } = context;
  const detail = ascii`settings of /${path}`;
  for (const home of settingsOf(path, found[1] ?? noBytes, context))
    for (const directory of [home, fs.resolve(join(home, ascii`conf.d`)).path])
      for (const child of directory === null ? [] : fs.children(directory))
        if (child.endsWith('.ini')) yield { path: child, detail };
}

/** Yields the extensions that settings name. */
function* extensions(path: Path, context: ClosureContext): Generator<Need> {
  const detail = ascii`an extension that /${path} names`;
  for (const line of linesOf(path, context)) {
    const [, name] = line.match(/^(?:zend_)?extension\s*=\s*"?([^";\s]+)/) ?? [];
    if (name === undefined) continue;
    if (name.startsWith('/')) yield { path: name, detail };
    else
      for (const home of extensionDirectories(context))
        for (const file of presentIn(context.fs, home, [name, ascii`${name}.so`, ascii`php_${name}.so`]))
          yield { path: file, detail };
  }
}

/** Returns the name of Debian's folder of settings for a program: "fpm". */
function interfaceOf(path: Path): ByteString {
  const base = baseOf(path);
  if (base.includes('fpm')) return ascii`fpm`;
  if (base.includes('cgi')) return ascii`cgi`;
  return base.includes('lib') ? ascii`apache2` : ascii`cli`;
}

/** Yields where a PHP looks for php.ini: /usr/local/etc/php, /etc/php/8.2/cli (Debian), /etc/php83 (Alpine). */
function* settingsOf(path: Path, version: ByteString, context: ClosureContext): Generator<Path> {
  const { fs } = context;
  const named = variable('PHP_INI_DIR', context);
  const homes = [
    ...(named === '' ? [] : [named]),
    ...(path.startsWith('usr/local/') ? asciiList('usr/local/etc/php') : []),
    ...(version === '' ? [] : [ascii`etc/php/${version}/${interfaceOf(path)}`, ascii`etc/php${version}`]),
  ];
  for (const home of new Set(homes)) {
    const { path: directory } = fs.resolve(home);
    if (directory !== null && fs.kind(directory) === 'directory') yield directory;
  }
}

/**
 * Yields the directories of extensions: those that php.ini names, and those of builds: lib/php/20220829,
 * lib/php/extensions/no-debug-non-zts-20220829, lib/php83/modules.
 */
function* extensionDirectories(context: ClosureContext): Generator<Path> {
  const { fs } = context;
  for (const home of [variable('PHP_INI_DIR', context), ...asciiList('usr/local/etc/php', 'etc')])
    for (const line of linesAt(ascii`${home}/php.ini`, context)) {
      const [, directory] = line.match(/^extension_dir\s*=\s*"?([^";\s]+)/) ?? [];
      if (directory?.startsWith('/')) yield fs.resolve(directory).path ?? root;
    }
  for (const lib of libraryDirectories(fs))
    for (const php of fs.children(lib)) {
      if (!/^php\d*$/.test(baseOf(php))) continue;
      for (const child of [...fs.children(php), ...fs.children(join(php, ascii`extensions`))])
        if (/(?:^|-)\d{8}$|^modules$/.test(baseOf(child))) yield child;
    }
}
