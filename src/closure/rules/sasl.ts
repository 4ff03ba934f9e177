import { ascii, asciiList, type ByteString } from '../../bytes/bytes.ts';
import { baseOf } from '../../bytes/path.ts';
import { uses } from '../../trace/trace.ts';
import type { ClosureContext, ClosureRule, Need } from '../rule.ts';
import { variable } from './configuration.ts';
import { inLibraryDirectories } from '../libraries/directories.ts';

/** The mechanisms of SASL are plug-ins. Many images have its library for libldap, and never authenticate. */
export const saslRule: ClosureRule = {
  name: 'sasl',
  describe:
    'The plug-ins of SASL, if its library stays, and SASL is configured (sasl2/*.conf, SASL_PATH) or the trace used the directory of plug-ins.',
  *roots(context): Generator<Need> {
    for (const path of variable('SASL_PATH', context).split(':'))
      if (path !== '') yield { path, detail: ascii`named by SASL_PATH`, below: true };
  },
  *follow(path, context): Generator<Need> {
    // Without a sign of use, the library alone keeps no plug-ins.
    if (!baseOf(path).startsWith('libsasl2.so.')) return;
    const why = askedBy(context);
    if (why === null) return;
    for (const directory of asciiList('etc/sasl2', 'etc/sasl'))
      yield { path: directory, detail: ascii`settings of /${path}`, below: true };
    for (const directory of inLibraryDirectories(context.fs, ascii`sasl2`))
      yield { path: directory, detail: ascii`plug-ins of /${path}: ${why}`, below: true };
  },
};

/** Returns why SASL is in use; null where nothing says so. */
function askedBy(context: ClosureContext): ByteString | null {
  const { fs } = context;
  for (const directory of [
    ...asciiList('etc/sasl2', 'etc/sasl', 'usr/lib/sasl2'),
    ...inLibraryDirectories(fs, ascii`sasl2`),
  ]) {
    const { path } = fs.resolve(directory);
    if (path === null) continue;
    for (const child of fs.children(path)) if (child.endsWith('.conf')) return ascii`/${child} is there`;
    if ((context.usesOf(path) & (uses.list | uses.open)) !== 0) return ascii`/${path} was listed`;
  }
  return null;
}
