/**
 * The rule for the name service switch of glibc (nsswitch.conf(5)): plug-ins by which programs look up names. `families.ts` lists it.
 */
import { baseOf } from '../../bytes/path.ts';
import { ascii, asciiList, type ByteString } from '../../bytes/bytes.ts';
import type { Elf } from '../../rootfs/facts/facts.ts';
import { lookups } from '../../rootfs/facts/lookups.ts';
import { oncePer } from '../../rootfs/once-per.ts';
import { isForMusl } from '../architecture.ts';
import type { ClosureContext, ClosureRule, Need } from '../rule.ts';
import { linesAt } from './configuration.ts';
import { librariesFor } from '../libraries/directories.ts';
import { importOf } from './imports.ts';
import { KiB } from '../../units.ts';

type Database = keyof typeof lookups;

/** The files that the services of a database read. */
const filesOf: Readonly<Record<Database, readonly ByteString[]>> = {
  passwd: asciiList('etc/passwd'),
  group: asciiList('etc/group'),
  shadow: asciiList('etc/shadow'),
  hosts: asciiList('etc/hosts', 'etc/resolv.conf', 'etc/host.conf', 'etc/gai.conf'),
  services: asciiList('etc/services'),
  protocols: asciiList('etc/protocols'),
  networks: asciiList('etc/networks'),
};

const databases = (Object.keys(lookups) as Database[]).map((name) => ({
  name,
  functions: new Set<string>(lookups[name]),
  files: filesOf[name],
}));

/** All functions that look up names. */
export const nameFunctions: ReadonlySet<string> = new Set(Object.values(lookups).flat());

/** The services of glibc for databases without a line in nsswitch.conf (nss/nss_database.c). Those of others are `files`. */
const unconfigured: { readonly [database: string]: readonly ByteString[] } = {
  hosts: asciiList('dns', 'files'),
  networks: asciiList('dns', 'files'),
};

/** The C library opens a plug-in for every service that nsswitch.conf lists for a database. No header names them. */
export const nssRule: ClosureRule = {
  name: 'nss',
  describe:
    'For a program or library that looks up users, groups, hosts or services: the libraries libnss_NAME of the services that etc/nsswitch.conf lists, and the files that they read. musl has no such libraries.',
  reads: (path) => (path === 'etc/nsswitch.conf' || path === 'usr/etc/nsswitch.conf' ? 64 * KiB : 0),
  *follow(path, context): Generator<Need> {
    const elf = context.facts.elf(path);
    // Only the calls of others count: the C library imports its own functions.
    if (elf === null || /^lib(?:c|nss_[a-z]+|resolv)[.-]/.test(baseOf(path))) return;
    for (const { name, functions, files } of databases) {
      const asked = importOf(elf, functions);
      if (asked === null) continue;
      for (const file of [...files, ascii`etc/nsswitch.conf`])
        yield { path: file, detail: ascii`/${path} calls ${asked}, which reads it`, strength: 'whole' };
      if (!isForMusl(elf)) yield* plugIns(elf, name, ascii`/${path} calls ${asked}`, context);
    }
  },
};

/** Yields the plug-ins of glibc for a database, and for host names the library that asks name servers. */
function* plugIns(elf: Elf, database: Database, why: ByteString, context: ClosureContext): Generator<Need> {
  for (const service of servicesOf(database, context))
    for (const path of librariesFor(elf, ascii`libnss_${service}.so.2`, context))
      yield { path, detail: ascii`${why}, for which /etc/nsswitch.conf names "${service}"` };
  if (database !== 'hosts') return;
  for (const path of librariesFor(elf, ascii`libresolv.so.2`, context))
    yield { path, detail: ascii`${why}, which may ask a name server` };
}

/** Returns the services of a database: those of the image, or the defaults of glibc. */
function servicesOf(database: Database, context: ClosureContext): readonly ByteString[] {
  return settingsOf(context).get(database) ?? unconfigured[database] ?? asciiList('files');
}

const settingsOf = oncePer(readSettings);

/** Reads services by database (nsswitch.conf(5)): `hosts: files dns [NOTFOUND=return] myhostname # comment`. */
function readSettings(context: ClosureContext): ReadonlyMap<string, readonly ByteString[]> {
  const services = new Map<string, readonly ByteString[]>();
  // The defaults of the vendor come first, so that a line of the administrator replaces them.
  for (const name of asciiList('usr/etc/nsswitch.conf', 'etc/nsswitch.conf')) {
    for (const line of linesAt(name, context)) {
      const [, database, rest] = line.replace(/#.*/, '').match(/^([a-z_]+)\s*:(.*)$/) ?? [];
      if (database === undefined || rest === undefined) continue;
      services.set(
        database,
        rest
          .replace(/\[[^[\]]*\]/g, ascii` `)
          .split(/\s+/)
          .filter((service) => /^[A-Za-z0-9_]+$/.test(service)),
      );
    }
  }
  return services;
}
