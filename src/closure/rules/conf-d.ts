import { ascii } from '../../bytes/bytes.ts';
import { baseOf } from '../../bytes/path.ts';
import { uses } from '../../trace/trace.ts';
import type { ClosureRule, Need } from '../rule.ts';

/** Names of directories of settings and plug-ins, which programs use without naming them. */
const byListing =
  /^(?:.+\.d|conf-enabled|mods-enabled|modules-enabled|modules-load|sites-enabled|streams-enabled|plugins|plugins-enabled|plugin|addons|extensions|migrations|templates|dropins)$/;

/** Directories of such names that hold other things, or that other rules take care of. */
const others =
  /(?:^|\/)(?:node_modules|site-packages|dist-packages|__pycache__|proc|sys|dev)(?:\/|$)|^etc\/(?:rc\d\.d|init\.d)$/;

/** A program that lists such a directory uses all files in it, also those that the traced run skipped. */
export const confDRule: ClosureRule = {
  name: 'conf-d',
  describe:
    'All contents of a directory that was listed and that has a typical name for settings or plug-ins: conf.d and any other .d, sites-enabled, modules-enabled, plugins, migrations and the like.',
  *follow(path, context): Generator<Need> {
    if ((context.usesOf(path) & (uses.list | uses.open)) === 0 || context.fs.kind(path) !== 'directory')
      return;
    if (!byListing.test(baseOf(path)) || others.test(path)) return;
    yield {
      path,
      detail: ascii`in /${path}, which was listed: programs use all files in it`,
      below: true,
    };
  },
};
