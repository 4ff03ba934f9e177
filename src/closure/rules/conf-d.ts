import { ascii } from '../../bytes/bytes.ts';
import { baseOf } from '../../bytes/path.ts';
import { uses } from '../../trace/trace.ts';
import type { ClosureRule, Need } from '../rule.ts';

/** Names of directories whose files are used for being there: settings and plug-ins. */
const byListing =
  /^(?:.+\.d|conf-enabled|mods-enabled|modules-enabled|modules-load|sites-enabled|streams-enabled|plugins|plugins-enabled|plugin|addons|extensions|migrations|templates|dropins)$/;

/** Too many to be settings, or whole trees of others that have rules of their own. */
const others =
  /(?:^|\/)(?:node_modules|site-packages|dist-packages|__pycache__|proc|sys|dev)(?:\/|$)|^etc\/(?:rc\d\.d|init\.d)$/;

/** A program that lists such a directory will use whatever is in it, on another day too. */
export const confDRule: ClosureRule = {
  name: 'conf-d',
  describe:
    'All that is in a directory that was listed and whose name says that it holds settings or plug-ins: conf.d and any other .d, sites-enabled, modules-enabled, plugins, migrations and the like.',
  *follow(path, context): Generator<Need> {
    if ((context.usesOf(path) & (uses.list | uses.open)) === 0 || context.fs.kind(path) !== 'directory')
      return;
    if (!byListing.test(baseOf(path)) || others.test(path)) return;
    yield {
      path,
      detail: ascii`in /${path}, which was listed: its files are used for being there`,
      below: true,
    };
  },
};
