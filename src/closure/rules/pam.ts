import { ascii, type ByteString, asciiList } from '../../bytes/bytes.ts';
import { baseOf, join, type Path, parentOf, rootPaths } from '../../bytes/path.ts';
import type { ClosureContext, ClosureRule, Need } from '../rule.ts';
import { linesOf } from './configuration.ts';
import { inLibraryDirectories } from '../libraries/directories.ts';
import { importOf } from './imports.ts';
import { KiB } from '../../units.ts';

/** Functions by which a program begins to ask. */
export const pamFunctions: ReadonlySet<string> = new Set(['pam_start', 'pam_start_confdir']);
const services = rootPaths('etc/pam.d', 'usr/lib/pam.d', 'usr/etc/pam.d');
/** Where the links of etc/pam.d lead on Red Hat's systems. */
const linked = 'etc/authselect/';

/** Programs that modules run. */
const helpers: { readonly [module: string]: readonly ByteString[] } = {
  'pam_unix.so': asciiList('unix_chkpwd', 'unix_update'),
  'pam_mkhomedir.so': asciiList('mkhomedir_helper'),
  'pam_pwhistory.so': asciiList('pwhistory_helper'),
  'pam_namespace.so': asciiList('pam_namespace_helper'),
};

/** Authentication modules: named in text files, loaded at run time. */
export const pamRule: ClosureRule = {
  name: 'pam',
  describe:
    'Where a program that asks PAM stays, or a file of etc/pam.d was used: etc/pam.d, the modules that its files name with their settings in etc/security, and the programs that those run.',
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

function isService(path: Path): boolean {
  return (
    path === 'etc/pam.conf' ||
    path.startsWith(linked) ||
    services.some((directory) => path.startsWith(`${directory}/`))
  );
}

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

/** pam.d(5): `[-]type control module [arguments]`; pam.conf has the service before it. */
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
    for (const directory of rootPaths('usr/sbin', 'sbin', 'usr/bin')) {
      const program = join(directory, helper);
      if (fs.kind(parentOf(program)) === 'directory' && fs.kind(program) !== null)
        yield { path: program, detail: ascii`run by ${baseOf(module)}, which /${path} names` };
    }
}
