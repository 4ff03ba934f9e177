import { baseOf, join, type Path, parentOf } from '../../bytes/path.ts';
import type { ClosureContext, ClosureRule, Need } from '../rule.ts';
import { linesOf } from './configuration.ts';
import { importOf, inLibraryDirectories } from './library-directories.ts';
import { KiB } from '../../units.ts';

/** Functions by which a program begins to ask. */
export const pamFunctions: ReadonlySet<string> = new Set(['pam_start', 'pam_start_confdir']);
const services = ['etc/pam.d', 'usr/lib/pam.d', 'usr/etc/pam.d'] as const;
/** Where the links of etc/pam.d lead on Red Hat's systems. */
const linked = 'etc/authselect/';

/** Programs that modules run. */
const helpers: { readonly [module: string]: readonly string[] } = {
  'pam_unix.so': ['unix_chkpwd', 'unix_update'],
  'pam_mkhomedir.so': ['mkhomedir_helper'],
  'pam_pwhistory.so': ['pwhistory_helper'],
  'pam_namespace.so': ['pam_namespace_helper'],
};

/** Authentication modules: named in text files, loaded at run time. */
export const pamRule: ClosureRule = {
  name: 'pam',
  describe:
    'Where a program that asks PAM stays, or a file of etc/pam.d was used: etc/pam.d, the modules that its files name with their settings in etc/security, and the programs that those run.',
  reads: (path) => (isService(path) ? 64 * KiB : 0),
  *follow(path, context): Generator<Need> {
    const called = importOf(context.facts.elf(path), pamFunctions);
    if (called !== null && !baseOf(path).startsWith('libpam')) yield* everything(`/${path} calls ${called}`);
    if (!isService(path)) return;
    if (context.usesOf(path) !== 0) yield* everything(`/${path} was used`);
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

function* everything(why: string): Generator<Need> {
  for (const path of [...services, 'etc/pam.conf', 'etc/security', 'usr/etc/security'])
    yield { path, detail: `settings of PAM: ${why}`, below: true };
  for (const path of ['etc/environment', 'etc/login.defs', 'etc/shadow', 'etc/gshadow', 'etc/default/locale'])
    yield { path, detail: `read by modules of PAM: ${why}` };
}

/** pam.d(5): `[-]type control module [arguments]`; pam.conf has the service before it. */
function* lineNeeds(line: string, path: Path, { fs }: ClosureContext): Generator<Need> {
  const detail = `named by /${path}`;
  const [, included] = /^@include\s+(\S+)/.exec(line) ?? /\s(?:include|substack)\s+(\S+)/.exec(line) ?? [];
  if (included !== undefined && !included.endsWith('.so')) {
    for (const directory of services) yield { path: join(directory, included), detail };
    return;
  }
  const [module] = /(?<=\s|\])(?:\/\S+|[\w.-]+)\.so(?=\s|$)/.exec(line) ?? [];
  if (module === undefined) return;
  const found = module.startsWith('/') ? [module] : inLibraryDirectories(fs, `security/${module}`);
  for (const library of found) yield { path: library, detail };
  for (const helper of helpers[baseOf(module)] ?? [])
    for (const directory of ['usr/sbin', 'sbin', 'usr/bin']) {
      const program = join(directory, helper);
      if (fs.kind(parentOf(program)) === 'directory' && fs.kind(program) !== null)
        yield { path: program, detail: `run by ${baseOf(module)}, which /${path} names` };
    }
}
