/**
 * The rule for PAM: the settings, modules and helpers of programs that authenticate users. `families.ts` lists it.
 */
import { ascii, type ByteString, asciiList } from '../../bytes/bytes.ts';
import { baseOf, join, type Path, rootPaths } from '../../bytes/path.ts';
import type { ClosureContext, ClosureRule, Need } from '../rule.ts';
import { linesOf } from './configuration.ts';
import { inLibraryDirectories } from '../libraries/directories.ts';
import { importOf } from './imports.ts';
import { presentIn } from './present.ts';
import { KiB } from '../../units.ts';

/** The functions by which a program begins to use PAM. */
export const pamFunctions: ReadonlySet<string> = new Set(['pam_start', 'pam_start_confdir']);
/** The directories of the settings of services. */
const services = rootPaths('etc/pam.d', 'usr/lib/pam.d', 'usr/etc/pam.d');
/** Where the links of etc/pam.d lead on systems of Red Hat (authselect(8)). */
const linked = 'etc/authselect/';

/** The programs that modules run. */
const helpers: { readonly [module: string]: readonly ByteString[] } = {
  'pam_unix.so': asciiList('unix_chkpwd', 'unix_update'),
  'pam_mkhomedir.so': asciiList('mkhomedir_helper'),
  'pam_pwhistory.so': asciiList('pwhistory_helper'),
  'pam_namespace.so': asciiList('pam_namespace_helper'),
};

/** PAM loads the modules that text files name. No header names them. */
export const pamRule: ClosureRule = {
  name: 'pam',
  describe:
    'If a program calls PAM, or a file of etc/pam.d was used: etc/pam.d, the modules that its files name, their settings in etc/security, and the helper programs of the modules.',
  reads: (path) => (isService(path) ? 64 * KiB : 0),
  *follow(path, context): Generator<Need> {
    const called = importOf(context.facts.elf(path), pamFunctions);
    if (called !== null && !baseOf(path).startsWith('libpam'))
      yield* everything(ascii`/${path} calls ${called}`);
    if (!isService(path)) return;
    if (context.usesOf(path) !== 0) yield* everything(ascii`/${path} was used`);
    for (const line of linesOf(path, context)) yield* lineNeeds(line, path, context);
  },
};

/** Tells whether a file has the settings of a service (pam.conf(5)). */
function isService(path: Path): boolean {
  return (
    path === 'etc/pam.conf' ||
    path.startsWith(linked) ||
    services.some((directory) => path.startsWith(`${directory}/`))
  );
}

/** Yields the settings of PAM, and the files that its modules read. */
function* everything(why: ByteString): Generator<Need> {
  for (const path of [...services, ...asciiList('etc/pam.conf', 'etc/security', 'usr/etc/security')])
    yield { path, detail: ascii`settings of PAM: ${why}`, below: true };
  for (const path of asciiList(
    'etc/environment',
    'etc/login.defs',
    'etc/shadow',
    'etc/gshadow',
    'etc/default/locale',
  ))
    yield { path, detail: ascii`read by modules of PAM: ${why}` };
}

/** Reads a line (pam.d(5)): `[-]type control module [arguments]`. In pam.conf, the service precedes it. */
function* lineNeeds(line: ByteString, path: Path, { fs }: ClosureContext): Generator<Need> {
  const detail = ascii`named by /${path}`;
  const [, included] = line.match(/^@include\s+(\S+)/) ?? line.match(/\s(?:include|substack)\s+(\S+)/) ?? [];
  if (included !== undefined && !included.endsWith('.so')) {
    for (const directory of services) yield { path: join(directory, included), detail };
    return;
  }
  const [module] = line.match(/(?<=\s|\])(?:\/\S+|[\w.-]+)\.so(?=\s|$)/) ?? [];
  if (module === undefined) return;
  const found = module.startsWith('/') ? [module] : inLibraryDirectories(fs, ascii`security/${module}`);
  for (const library of found) yield { path: library, detail };
  for (const helper of helpers[baseOf(module)] ?? [])
    for (const directory of rootPaths('usr/sbin', 'sbin', 'usr/bin'))
      for (const program of presentIn(fs, directory, [helper]))
        yield { path: program, detail: ascii`run by ${baseOf(module)}, which /${path} names` };
}
