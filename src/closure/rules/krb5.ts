import { ascii, asciiList } from '../../bytes/bytes.ts';
import { baseOf, type Path, rootPath } from '../../bytes/path.ts';
import type { ClosureContext, ClosureRule, Need } from '../rule.ts';
import { linesOf, variable } from './configuration.ts';
import { inLibraryDirectories } from '../libraries/directories.ts';
import { KiB } from '../../units.ts';

/** Many programs link Kerberos (by libpq, libcurl), few images configure it. */
export const krb5Rule: ClosureRule = {
  name: 'krb5',
  describe:
    'If libkrb5 or libgssapi stays and Kerberos is configured (etc/krb5.conf, KRB5_CONFIG): its settings and the files they include, its plug-ins, and the mechanisms in etc/gss.',
  reads: (path) => (isConfiguration(path) ? 64 * KiB : 0),
  *roots(context): Generator<Need> {
    for (const path of variable('KRB5_CONFIG', context).split(':'))
      if (path !== '') yield { path, detail: ascii`named by KRB5_CONFIG` };
  },
  *follow(path, context): Generator<Need> {
    if (isConfiguration(path)) yield* includes(path, context);
    if (!/^lib(?:krb5|gssapi_krb5|gssapi|heimdal-krb5)\.so\./.test(baseOf(path))) return;
    const { fs } = context;
    if (fs.kind(rootPath`etc/krb5.conf`) === null && variable('KRB5_CONFIG', context) === '') return;
    yield { path: ascii`etc/krb5.conf`, detail: ascii`settings of /${path}` };
    for (const directory of asciiList('etc/gss/mech', 'etc/gss/mech.d'))
      yield { path: directory, detail: ascii`mechanisms of /${path}`, below: true };
    for (const directory of inLibraryDirectories(fs, ascii`krb5/plugins`))
      yield {
        path: directory,
        detail: ascii`plug-ins of /${path}, since Kerberos is configured`,
        below: true,
      };
  },
};

/** Tells whether a file has the settings of Kerberos. Its includes are read only from these files. */
function isConfiguration(path: Path): boolean {
  return path === 'etc/krb5.conf' || path.startsWith('etc/krb5.conf.d/');
}

/** Yields the files of `include FILE` and `includedir DIRECTORY` (krb5.conf(5)). */
function* includes(path: Path, context: ClosureContext): Generator<Need> {
  for (const line of linesOf(path, context)) {
    const [, name] = line.match(/^include(?:dir)?\s+(\/\S+)/) ?? [];
    if (name !== undefined) yield { path: name, detail: ascii`included by /${path}`, below: true };
  }
}
