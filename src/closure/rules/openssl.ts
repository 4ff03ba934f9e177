/**
 * The rule for OpenSSL: the configuration of libcrypto, and the modules that it loads. `families.ts` lists it.
 */
import { ascii, asciiList, asByteString, type ByteString, noBytes } from '../../bytes/bytes.ts';
import { baseOf, join, type Path, parentOf, rootPaths } from '../../bytes/path.ts';
import type { ClosureContext, ClosureRule, Need } from '../rule.ts';
import { present } from './present.ts';
import { linesAt, linesOf, namedByVariables, variable } from './configuration.ts';
import { libraryDirectories } from '../libraries/directories.ts';
import { KiB } from '../../units.ts';

/** Where builds of OpenSSL look for their configuration (OPENSSLDIR), by distribution. */
const configurations = rootPaths(
  'etc/ssl/openssl.cnf',
  'usr/lib/ssl/openssl.cnf',
  'etc/pki/tls/openssl.cnf',
  'usr/local/ssl/openssl.cnf',
  'etc/ssl1.1/openssl.cnf',
);

/** libcrypto loads providers and engines by name, as its configuration says. No header names them. */
export const opensslRule: ClosureRule = {
  name: 'openssl',
  describe:
    'For libcrypto: its configuration and the files it includes, the providers and engines it activates, and the legacy provider, which is small. OPENSSL_CONF, OPENSSL_MODULES and OPENSSL_ENGINES are respected.',
  reads: (path) => (isConfiguration(path) ? 128 * KiB : 0),
  *roots(context): Generator<Need> {
    const configuration = variable('OPENSSL_CONF', context);
    if (configuration !== '') yield { path: configuration, detail: ascii`named by OPENSSL_CONF` };
    yield* namedByVariables(asciiList('OPENSSL_MODULES', 'OPENSSL_ENGINES'), context);
  },
  *follow(path, context): Generator<Need> {
    if (isConfiguration(path)) yield* includes(path, context);
    const [, version] = baseOf(path).match(/^libcrypto\.so\.([\d.]+)$/) ?? [];
    if (version !== undefined && context.facts.elf(path) !== null) yield* ofLibrary(path, version, context);
  },
};

/** Yields what a libcrypto reads: its configuration, the legacy provider, and the modules that the configuration loads. */
function* ofLibrary(path: Path, version: ByteString, context: ClosureContext): Generator<Need> {
  for (const file of present(context.fs, configurations))
    yield { path: file, detail: ascii`/${path} reads it`, strength: 'whole' };
  // Directories are engines-1.1, but engines-3.
  const number = /^\d\.\d$/.test(version) ? version : (version.split('.')[0] ?? noBytes);
  const homes: Readonly<Record<Load['kind'], readonly Path[]>> = {
    'a provider': homesOf(path, ascii`ossl-modules`, context),
    'an engine': homesOf(path, ascii`engines-${number}`, context),
  };
  for (const home of homes['a provider'])
    yield {
      path: join(home, ascii`legacy.so`),
      detail: ascii`a small provider that /${path} loads by name`,
    };
  const named = variable('OPENSSL_CONF', context);
  for (const file of [...configurations, ...(named === '' ? [] : [named])])
    for (const { kind, name } of loadsOf(linesAt(file, context))) {
      const detail = ascii`${asByteString(kind)} that /${file.replace(/^\//, '')} activates`;
      if (name.startsWith('/')) yield { path: name, detail };
      else
        for (const home of homes[kind])
          yield { path: join(home, name.endsWith('.so') ? name : ascii`${name}.so`), detail };
    }
}

/** Tells whether a file may be a configuration: openssl.cnf, or a crypto policy (Fedora, RHEL). */
function isConfiguration(path: Path): boolean {
  return /(?:^|\/)(?:openssl[^/]*\.(?:cnf|conf)|crypto-policies\/back-ends\/[^/]*|opensslcnf\.config)$/.test(
    path,
  );
}

/** Yields the files of `.include FILE` and `.include = FILE` (config(5ssl)). A directory stands for its .cnf and .conf files. */
function* includes(path: Path, context: ClosureContext): Generator<Need> {
  for (const line of linesOf(path, context)) {
    const [, file] = line.match(/^\.include\s*=?\s*(.+)$/) ?? [];
    if (file === undefined) continue;
    const name = file.startsWith('/') ? file : join(parentOf(path), file);
    yield { path: name, detail: ascii`included by /${path}`, below: true };
  }
}

/** Returns where a library looks for modules: beside itself, or on the other side of a split /usr. */
function homesOf(library: Path, name: ByteString, { fs }: ClosureContext): readonly Path[] {
  return libraryDirectories(fs)
    .filter((directory) => baseOf(directory) === baseOf(parentOf(library)))
    .map((directory) => join(directory, name))
    .filter((home) => fs.kind(home) === 'directory');
}

/** A module that a configuration loads, by its name or path. */
interface Load {
  readonly kind: 'a provider' | 'an engine';
  readonly name: ByteString;
}

/**
 * Returns the providers and engines that a configuration activates or names by file. A section may define a provider that another
 * section lists (`default = default_sect`).
 */
function loadsOf(lines: readonly ByteString[]): readonly Load[] {
  const sections = new Map<string, Map<ByteString, ByteString>>();
  let current = new Map<ByteString, ByteString>();
  for (const line of lines) {
    const [, section] = line.match(/^\[\s*([^\]\s]+)\s*\]/) ?? [];
    if (section !== undefined) {
      current = sections.get(section) ?? new Map();
      sections.set(section, current);
      continue;
    }
    const [, key, value] = line.match(/^([^=\s]+)\s*=\s*([^#]*?)\s*(?:#.*)?$/) ?? [];
    if (key !== undefined && value !== undefined) current.set(key, value);
  }
  const loads: Load[] = [];
  for (const [, section] of sections)
    for (const [name, value] of section) {
      if (name === 'engine_id') loads.push({ kind: 'an engine', name: value });
      if (name === 'dynamic_path') loads.push({ kind: 'an engine', name: value });
      if (name === 'module') loads.push({ kind: 'a provider', name: value });
      const activate = sections.get(value)?.get(ascii`activate`);
      if (activate !== undefined && !/^(?:0|no|off|false)$/i.test(activate))
        loads.push({ kind: 'a provider', name });
    }
  return loads;
}
