import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { collect } from '../../src/stream/collect.ts';
import { writeTar } from '../../src/tar/writer.ts';
import { MiB } from '../../src/units.ts';
import { newEntry } from '../support/arbitrary/new-entries.ts';
import { describeNew } from '../support/corpus/new-entry.ts';
import { buildGoTar, readByGo } from '../support/e2e/go-tar.ts';
import { removeFolder, workFolder } from '../support/e2e/programs.ts';
import { runs, seed } from '../support/extent.ts';

// Docker, containerd, podman and umoci read layers with Go's archive/tar.
let work: string;
let program: string;

beforeAll(async () => {
  work = workFolder('new-tars');
  program = await buildGoTar(work);
});

afterAll(() => removeFolder(work));

test('Go finds in new tars what was to be written', async () => {
  const all = fc.sample(fc.array(newEntry, { maxLength: 5 }), { numRuns: runs(300, 3000), seed });
  const tars = await Promise.all(all.map((entries) => collect(writeTar(entries), MiB, 'the tar')));
  const readings = await readByGo(program, tars);
  const found = readings.map(({ entries, error }) => ({
    error,
    entries: entries.map((entry) => {
      if (entry === 'unknown') return entry;
      const { path: _, target: _1, capable: _2, ...read } = entry;
      return read;
    }),
  }));
  const wanted = all.map((entries) => ({
    error: '',
    entries: entries.map((entry) => {
      const { decimal: _, ...described } = describeNew(entry);
      return described;
    }),
  }));
  expect(found).toEqual(wanted);
});
