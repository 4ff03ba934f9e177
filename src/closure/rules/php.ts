import { ascii, asciiList, asByteString, noBytes, type ByteString } from '../../bytes/bytes.ts';
import { baseOf, join, type Path, root } from '../../bytes/path.ts';
import type { ClosureContext, ClosureRule, Need } from '../rule.ts';
import { linesAt, linesOf, variable } from './configuration.ts';
import { libraryDirectories } from '../libraries/directories.ts';
import { KiB } from '../../units.ts';

const settings =
  /^(?:etc|usr\/local\/etc|opt\/[^/]+\/etc)\/(?:.*\/)?(?:php[^/]*|conf\.d\/[^/]+|[^/]*php[^/]*\/[^/]+)\.ini$/;
const program = /(?:^|\/)(?:php(?:-fpm|-cgi)?([\d.]*)|libphp[\d.]*\.so)$/;

/** PHP reads its settings at every start, and they name libraries to load. */
export const phpRule: ClosureRule = {
  name: 'php',
  describe:
    'With PHP: php.ini and the .ini files of its conf.d; the extensions that settings name (extension=, zend_extension=), from extension_dir.',
  reads: (path) => (settings.test(path) || /^etc\/php[^/]*\/.*\.ini$/.test(path) ? 256 * KiB : 0),
  *follow(path, context): Generator<Need> {
    const { facts, fs } = context;
    if (facts.elf(path) !== null) {
      const [, version] = path.match(program) ?? [];
      if (version === undefined && !program.test(path)) return;
      for (const home of settingsOf(path, version ?? noBytes, context)) {
        const detail = ascii`settings of /${path}`;
        for (const child of fs.children(home)) if (child.endsWith('.ini')) yield { path: child, detail };
        const more = fs.resolve(join(home, ascii`conf.d`)).path;
        if (more === null) continue;
        for (const child of fs.children(more)) if (child.endsWith('.ini')) yield { path: child, detail };
      }
      return;
    }
    if (!path.endsWith('.ini')) return;
    for (const line of linesOf(path, context)) {
      const [, name] = line.match(/^(?:zend_)?extension\s*=\s*"?([^";\s]+)/) ?? [];
      if (name === undefined) continue;
      const detail = ascii`an extension that /${path} names`;
      if (name.startsWith('/')) yield { path: name, detail };
      else
        for (const home of extensionDirectories(context))
          for (const file of [name, ascii`${name}.so`, ascii`php_${name}.so`])
            if (fs.kind(join(home, file)) !== null) yield { path: join(home, file), detail };
    }
  },
};

/** Where the PHP of this path looks for php.ini: /usr/local/etc/php, /etc/php/8.2/cli (Debian), /etc/php83 (Alpine), /etc. */
function* settingsOf(path: Path, version: ByteString, context: ClosureContext): Generator<Path> {
  const { fs } = context;
  const kind = /fpm/.test(baseOf(path))
    ? 'fpm'
    : /cgi/.test(baseOf(path))
      ? 'cgi'
      : /lib/.test(baseOf(path))
        ? 'apache2'
        : 'cli';
  const named = variable('PHP_INI_DIR', context);
  const homes = [
    ...(named === '' ? [] : [named]),
    ...(path.startsWith('usr/local/') ? asciiList('usr/local/etc/php') : []),
    ...(version === '' ? [] : [ascii`etc/php/${version}/${asByteString(kind)}`, ascii`etc/php${version}`]),
  ];
  for (const home of new Set(homes)) {
    const { path: directory } = fs.resolve(home);
    if (directory !== null && fs.kind(directory) === 'directory') yield directory;
  }
}

/** Named by php.ini, or where builds put them: lib/php/20220829, lib/php/extensions/no-debug-non-zts-20220829, lib/php83/modules. */
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
