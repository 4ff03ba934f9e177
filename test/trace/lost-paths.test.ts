import { expect, it } from 'vitest';
import { atOnce } from '../../src/steps.ts';
import { countLost } from '../../src/trace/lost-paths.ts';
import { mergeTraces } from '../../src/trace/merge.ts';
import type { Trace } from '../../src/trace/trace.ts';
import { traceOf } from '../closure/rig.ts';
import { b } from '../support/bytes.ts';

const image: ReadonlySet<string> = new Set(['bin/app', 'etc/conf']);

it('counts what was opened and is not in the image, without what the run made and what runtimes mount', () => {
  const trace = traceOf(
    {
      'bin/app': 'exec',
      'bin/other': 'exec',
      'etc/conf': 'open',
      'z/1': 'open',
      'a/1': 'open',
      'made/by/rename': 'open',
      created: 'open write',
      'looked/at': 'stat',
      'proc/self/maps': 'open',
      'etc/resolv.conf': 'open',
    },
    { changes: [{ kind: 'moved', path: b('made'), from: b('etc') }] },
  );
  expect(atOnce(countLost(trace, (path) => image.has(path)))).toEqual({ count: 2, first: ['a/1', 'z/1'] });
});

it('names the first few', () => {
  const paths = Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`a/${i}`, 'open']));
  const { count, first } = atOnce(countLost(traceOf(paths), () => false));
  expect([count, first]).toEqual([9, ['a/0', 'a/1', 'a/2', 'a/3', 'a/4']]);
});

it('is summed up where recordings are merged, and absent where none of them compared', () => {
  const lost = (notInImage: Trace['notInImage']) => traceOf({ a: 'open' }, { notInImage });
  const one = lost({ count: 2, first: [b('b'), b('c')] });
  const other = lost({ count: 4, first: [b('a'), b('b')] });
  expect(mergeTraces([one, lost(null), other]).notInImage).toEqual({ count: 6, first: ['a', 'b', 'c'] });
  expect(mergeTraces([lost(null), lost(null)]).notInImage).toBeNull();
});
