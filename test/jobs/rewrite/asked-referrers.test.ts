import { expect, test } from 'vitest';
import type { Digest } from '../../../src/oci/digest.ts';
import { AskedReferrers } from '../../../src/jobs/rewrite/asked-referrers.ts';
import type { Source } from '../../../src/place/place.ts';
import { never } from '../../support/registry/setup.ts';

const digest = `sha256:${'a'.repeat(64)}` as Digest;

/** A source of which only the question for referrers is there. */
function sourceOf(referrers: Source['referrers']): Source {
  return { referrers } as Source;
}

test('a manifest is asked for once, and its failure is thrown where it is awaited', async () => {
  let asked = 0;
  await using referrers = new AskedReferrers(
    sourceOf(async () => {
      asked += 1;
      throw new Error('no answer');
    }),
    never,
  );
  void referrers.of(digest);
  await expect(referrers.of(digest)).rejects.toThrow('no answer');
  expect(asked).toBe(1);
});

test('what is under way at the end is cancelled, and waited for', async () => {
  let ended = false;
  const source = sourceOf(
    (_, signal) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          ended = true;
          reject(signal.reason as Error);
        });
      }),
  );
  {
    await using referrers = new AskedReferrers(source, never);
    void referrers.of(digest);
  }
  expect(ended).toBe(true);
});

test('a signal of the run cancels the question', async () => {
  const stop = new AbortController();
  await using referrers = new AskedReferrers(
    sourceOf(async (_, signal) => {
      stop.abort(new Error('enough'));
      signal.throwIfAborted();
      return [];
    }),
    stop.signal,
  );
  await expect(referrers.of(digest)).rejects.toThrow('enough');
});
