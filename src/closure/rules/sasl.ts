import { baseOf } from '../../bytes/path.ts';
import { uses } from '../../trace/trace.ts';
import type { ClosureContext, ClosureRule, Need } from '../rule.ts';
import { variable } from './configuration.ts';
import { inLibraryDirectories } from './library-directories.ts';

/** SASL mechanisms are plug-ins. libldap brings the library to many that never authenticate. */
export const saslRule: ClosureRule = {
  name: 'sasl',
  describe:
    'The plug-ins of SASL, where its library stays and something asks: settings (sasl2/*.conf), SASL_PATH, or a traced use of the directory of plug-ins.',
  *roots(context): Generator<Need> {
    for (const path of variable('SASL_PATH', context).split(':'))
      if (path !== '') yield { path, detail: 'named by SASL_PATH', below: true };
  },
  *follow(path, context): Generator<Need> {
    if (!baseOf(path).startsWith('libsasl2.so.')) return;
    const why = askedBy(context);
    if (why === null) return;
    for (const directory of ['etc/sasl2', 'etc/sasl'])
      yield { path: directory, detail: `settings of /${path}`, below: true };
    for (const directory of inLibraryDirectories(context.fs, 'sasl2'))
      yield { path: directory, detail: `plug-ins of /${path}: ${why}`, below: true };
  },
};

function askedBy(context: ClosureContext): string | null {
  const { fs } = context;
  for (const directory of ['etc/sasl2', 'etc/sasl', 'usr/lib/sasl2', ...inLibraryDirectories(fs, 'sasl2')]) {
    const { path } = fs.resolve(directory);
    if (path === null) continue;
    for (const child of fs.children(path)) if (child.endsWith('.conf')) return `/${child} is there`;
    if ((context.usesOf(path) & (uses.list | uses.open)) !== 0) return `/${path} was listed`;
  }
  return null;
}
