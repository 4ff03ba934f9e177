import { ascii, utf8Bytes } from '../../bytes/bytes.ts';
import { itemsPerStep } from '../../steps.ts';
import { keepMatcherSteps, literalPath } from '../../rules/rules.ts';
import type { ClosureRule } from '../rule.ts';

/** Returns the rule for the globs of `--keep`. A glob without wildcards is followed through symlinks, and keeps directories whole. */
export function keepRule(globs: readonly string[]): ClosureRule {
  return {
    name: 'keep',
    describe: 'The paths that `--keep` and `--keep-file` name, with everything that they need.',
    *roots({ fs }) {
      if (globs.length === 0) return;
      let named = 0;
      for (const glob of globs) {
        if (++named % itemsPerStep === 0) yield;
        const path = literalPath(glob);
        if (path !== null) yield { path, detail: ascii`named by ${utf8Bytes(glob)}`, below: true };
      }
      // A glob names entries themselves, as in rules: a symlink that matches does not make its target match.
      const keep = yield* keepMatcherSteps(globs);
      let seen = 0;
      for (const path of fs.all()) {
        if (++seen % itemsPerStep === 0) yield;
        const rule = keep(path);
        if (rule !== null) yield { path, detail: ascii`named by ${utf8Bytes(rule.text)}`, itself: true };
      }
    },
  };
}
