import { root } from '../../bytes/path.ts';
import { ascii, asciiList, type ByteString } from '../../bytes/bytes.ts';
import { lookups } from '../../rootfs/facts/lookups.ts';
import { isForMusl } from '../architecture.ts';
import type { ClosureContext, ClosureRule, Need } from '../rule.ts';
import { linesAt } from './configuration.ts';
import { inLibraryDirectories } from '../libraries/directories.ts';
import { importOf } from './imports.ts';
import { KiB } from '../../units.ts';

type Database = keyof typeof lookups;

/** What the services of a database read. */
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

/** Functions that look up names. */
export const nameFunctions: ReadonlySet<string> = new Set(Object.values(lookups).flat());

/** What glibc does without a line in nsswitch.conf (nss/nss_database.c). */
const unconfigured: { readonly [database: string]: readonly ByteString[] } = {
  hosts: asciiList('dns', 'files'),
  networks: asciiList('dns', 'files'),
};

const settings = new WeakMap<ClosureContext, ReadonlyMap<string, readonly ByteString[]>>();

/** The C library opens a plug-in for every service that nsswitch.conf names for a database: no header says so. */
export const nssRule: ClosureRule = {
  name: 'nss',
  describe:
    'Where a program or library that stays asks for users, groups, hosts or services: the libraries libnss_NAME of the services that etc/nsswitch.conf names for them, and the files that these read. musl has no such libraries.',
  reads: (path) => (path === 'etc/nsswitch.conf' || path === 'usr/etc/nsswitch.conf' ? 64 * KiB : 0),
  *follow(path, context): Generator<Need> {
    const { facts, fs } = context;
    const elf = facts.elf(path);
    // The C library asks itself; only what others ask of it counts. A static program brings its own.
    if (elf === null || /^lib(?:c|nss_[a-z]+|resolv)[.-]/.test(path.slice(path.lastIndexOf('/') + 1))) return;
    for (const { name, functions, files } of databases) {
      const asked = importOf(elf, functions);
      if (asked === null) continue;
      const detail = ascii`/${path} calls ${asked}, for which /etc/nsswitch.conf`;
      for (const file of [...files, ascii`etc/nsswitch.conf`])
        yield { path: file, detail: ascii`/${path} calls ${asked}, which reads it`, strength: 'whole' };
      if (isForMusl(elf)) continue;
      for (const service of servicesOf(name, context))
        for (const library of inLibraryDirectories(fs, ascii`libnss_${service}.so.2`))
          if (facts.elf(fs.resolve(library).path ?? root)?.machine === elf.machine)
            yield { path: library, detail: ascii`${detail} names "${service}"` };
      if (name !== 'hosts') continue;
      for (const library of inLibraryDirectories(fs, ascii`libresolv.so.2`))
        if (facts.elf(fs.resolve(library).path ?? root)?.machine === elf.machine)
          yield { path: library, detail: ascii`/${path} calls ${asked}, which may ask a name server` };
    }
  },
};

function servicesOf(database: string, context: ClosureContext): readonly ByteString[] {
  let configured = settings.get(context);
  if (configured === undefined) {
    configured = readSettings(context);
    settings.set(context, configured);
  }
  return configured.get(database) ?? unconfigured[database] ?? asciiList('files');
}

/** nsswitch.conf(5): `hosts: files dns [NOTFOUND=return] myhostname # comment`. */
function readSettings(context: ClosureContext): ReadonlyMap<string, readonly ByteString[]> {
  const services = new Map<string, readonly ByteString[]>();
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
