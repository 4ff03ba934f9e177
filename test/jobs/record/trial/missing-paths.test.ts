import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RootNames } from '../../../../src/jobs/record/root-names.ts';
import { missingPaths, withPaths } from '../../../../src/jobs/record/trial/missing-paths.ts';
import { closeOver } from '../../../../src/closure/closure.ts';
import { closureRules } from '../../../../src/closure/rules/all.ts';
import { type TracedPath, uses } from '../../../../src/trace/trace.ts';
import { elf, inputOf, script, symlink } from '../../../closure/rig.ts';
import { b } from '../../../support/bytes.ts';

function names(...entries: readonly string[]): RootNames {
  return new RootNames(
    new Map(
      entries.map((entry) => {
        const [path = '', target] = entry.split('~>');
        return [b(path), target === undefined ? null : b(target)];
      }),
    ),
  );
}

describe('what a pruned image lacks', () => {
  const original = names(
    'usr',
    'usr/lib',
    'usr/lib/x.so.1',
    'usr/lib/x.so~>x.so.1',
    'lib~>usr/lib',
    'etc',
    'etc/locale',
  );
  const pruned = names('usr', 'usr/lib', 'lib~>usr/lib', 'etc');

  it('are the names that the original has, as they were asked for, sorted', () => {
    const asked = ['lib/x.so', 'etc/locale', 'etc/none', 'usr/lib/../lib/x.so.1', 'usr', 'etc/locale'].map(b);
    expect(missingPaths(asked, original, pruned)).toEqual([
      'etc/locale',
      'lib/x.so',
      'usr/lib/../lib/x.so.1',
    ]);
  });

  it('is nothing beside an image that lacks the same', () => {
    const path = fc.stringMatching(/^[a-c](?:\/[a-c]){0,3}$/).map(b);
    fc.assert(
      fc.property(fc.array(path), fc.array(path), fc.array(path), (asked, all, some) => {
        const whole = new RootNames(new Map(all.map((each) => [each, null])));
        const part = new RootNames(new Map(some.map((each) => [each, null])));
        expect(missingPaths(asked, whole, whole)).toEqual([]);
        for (const each of missingPaths(asked, whole, part)) {
          expect(asked).toContain(each);
          expect([whole.has(each), part.has(each)]).toEqual([true, false]);
        }
      }),
    );
  });
});

describe('a trace with paths that were missing', () => {
  const image = {
    'app/main': 'x',
    'app/helper': script('/bin/sh'),
    'bin/sh': elf({ interpreter: b('/lib/ld.so'), needed: [b('libc.so.6')] }, { mode: 0o755 }),
    'lib/ld.so': elf({}, { mode: 0o755 }),
    'lib/libc.so.6': symlink('libc-2.so'),
    'lib/libc-2.so': elf(),
    'lib/other.so': elf(),
    'srv/run': symlink('../app/helper'),
  };

  it('keeps them, the symlinks that lead to them, and what they need', async () => {
    const input = await inputOf({ image, trace: { 'app/main': 'open' }, granularity: 'file' });
    const kept = (trace: typeof input.trace) => {
      const closure = closeOver({ ...input, trace }, closureRules({ keep: [] }));
      return Object.keys(image).filter((path) => closure.isKept(path as never));
    };
    expect(kept(input.trace)).toEqual(['app/main']);
    const repaired = kept(withPaths(input.trace, [b('srv/run')]));
    expect(repaired).toEqual(Object.keys(image).filter((path) => path !== 'lib/other.so'));
  });

  it('has all that it had, and leaves the given one as it was', async () => {
    const { trace } = await inputOf({ image, trace: { 'app/main': 'exec' } });
    const before = new Map(trace.paths);
    const added: TracedPath[] = [b('app/main'), b('lib/other.so')];
    const { paths, ...rest } = withPaths(trace, added);
    expect(trace.paths).toEqual(before);
    expect(paths.get(b('app/main'))).toBe(uses.exec | uses.open);
    expect(paths.get(b('lib/other.so'))).toBe(uses.open);
    expect({ ...rest, paths: before }).toEqual(trace);
  });
});
