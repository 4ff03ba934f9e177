import { expect, it } from 'vitest';
import { digestOf } from '../../src/oci/digest.ts';
import { checkProvenance } from '../../src/closure/provenance.ts';
import { inputOf, traceOf } from './rig.ts';

const [here, there] = [digestOf(Uint8Array.of(1)), digestOf(Uint8Array.of(2))];

async function provenance(paths: Readonly<Record<string, string>>, image: typeof here | null) {
  const input = await inputOf({ image: { 'bin/run': 'x' } });
  return checkProvenance({ ...input, trace: traceOf(paths, { image }) }, here);
}

it('a trace of this image causes no doubt', async () => {
  expect(await provenance({ 'bin/run': 'exec', 'etc/none': 'open' }, here)).toEqual({
    problems: [],
    doubts: [],
  });
});

it('a trace of another build of the image causes a doubt', async () => {
  const { problems, doubts } = await provenance({ 'bin/run': 'exec' }, there);
  expect([problems, doubts]).toEqual([[], [`app.trace is of another image, ${there}`]]);
});

it('a trace with programs that the image does not have causes a doubt', async () => {
  const { problems, doubts } = await provenance(
    { 'bin/run': 'exec', 'bin/other': 'exec', 'bin/more': 'exec' },
    null,
  );
  expect(problems).toEqual([]);
  expect(doubts).toEqual(['app.trace executed "bin/more", and 1 more, which the image does not have']);
});

it('a trace of another image with such programs is refused', async () => {
  const { problems, doubts } = await provenance({ 'bin/other': 'exec' }, there);
  expect(doubts).toEqual([]);
  expect(problems).toMatchObject([
    {
      kind: 'other-image',
      path: 'bin/other',
      sentence: `app.trace is of another image, ${there}; it executed "bin/other", which the image does not have`,
    },
  ]);
});
