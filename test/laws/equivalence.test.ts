/**
 * Law 14: what equivalences claim is true, by the word of `verify`, for images and plans of any kind; and the digests in them are those
 * that another program computes from the report.
 */
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Equivalence } from '../../src/attest/equivalence.ts';
import { typeNames } from '../../src/attest/names.ts';
import type { Statement } from '../../src/attest/statement.ts';
import { announcedSteps } from '../../src/commands/announcement.ts';
import { statementsOf } from '../../src/commands/attest/statements.ts';
import { configure } from '../../src/configure/configure.ts';
import { pipe, readImage } from '../../src/image/image.ts';
import { verifyImages, type VerifyOptions } from '../../src/jobs/compare/verify.ts';
import type { RunOutcome } from '../../src/jobs/rewrite/run.ts';
import { parseReference } from '../../src/oci/reference.ts';
import { buildReport } from '../../src/report/build.ts';
import type { Report } from '../../src/report/report.ts';
import { prune } from '../../src/slim/prune.ts';
import { atOnce } from '../../src/steps.ts';
import { rewrite } from '../jobs/rig.ts';
import { configEdit } from '../support/arbitrary/config-edit.ts';
import { layerStack } from '../support/arbitrary/layers.ts';
import { type BuiltTree, buildImage } from '../support/image-builder.ts';
import { MemorySource } from '../support/memory-store.ts';
import { imageOf, lawRuns } from './rig.ts';
import { compressStage, selectionOf, slimStage, span, type Stage } from './stages.ts';

/** Stages of every kind: those of slimming and packing, cleared bits, other configs. */
const stage: fc.Arbitrary<Stage> = fc.oneof(
  { weight: 4, arbitrary: slimStage },
  { weight: 2, arbitrary: compressStage },
  {
    weight: 1,
    arbitrary: span.map(
      (range): Stage =>
        (count) =>
          prune(selectionOf(range, count), { clearSetuid: ['**'] }),
    ),
  },
  {
    weight: 2,
    arbitrary: configEdit.map(
      (edit): Stage =>
        () =>
          configure(edit),
    ),
  },
);

function reportOf(outcome: RunOutcome): Report {
  return buildReport(outcome, {
    tool: { name: 'ocislim', version: '1' },
    command: 'slim',
    sourceReference: 'registry.example/app:1',
    destinationReferences: ['registry.example/slim:1'],
    warnings: [],
    squashOrigin: '--all',
  });
}

function claimsOf(outcome: RunOutcome, report: Report): Statement<Equivalence>[] {
  const statements = statementsOf(outcome, report, {
    command: 'slim',
    source: parseReference('registry.example/app:1'),
    destination: parseReference('registry.example/slim:1'),
    builderId: null,
    bases: [],
    epoch: 0,
    started: new Date(0),
  });
  return statements
    .map(({ statement }) => statement as Statement<Equivalence>)
    .filter(({ predicateType }) => predicateType === typeNames.equivalence);
}

/** Compares two images; returns the aspects and paths in which they differ. */
async function differences(
  a: BuiltTree,
  b: BuiltTree,
  announced: Partial<VerifyOptions> = {},
): Promise<readonly string[]> {
  const { platforms } = await verifyImages({
    a: new MemorySource(a),
    b: new MemorySource(b),
    allowed: () => false,
    ...announced,
    platforms: [],
    jobs: 2,
    maxScratch: 1e9,
    listener: () => {},
    signal: new AbortController().signal,
  });
  return platforms.flatMap((platform) => platform.differences.map(({ what, path }) => `${what} ${path}`));
}

/** Computes the digest of the removed paths as docs/provenance.md says, from the JSON of a report. */
function removedDigest(json: string): { count: number; sha256: string } {
  const report = JSON.parse(json) as Report;
  const paths = (report.platforms[0]?.slimming?.removed ?? [])
    .filter(({ type, rule }) => type !== 'whiteout' && rule !== 'shadowed')
    .map(({ path, pathBase64 }) =>
      Buffer.from(pathBase64 ?? path, pathBase64 === undefined ? 'utf8' : 'base64'),
    );
  const names = [...new Set(paths.map((path) => path.toString('latin1')))].toSorted((a, b) =>
    a < b ? -1 : a > b ? 1 : 0,
  );
  const hash = createHash('sha256');
  for (const name of names) hash.update(Buffer.from(`${name}\0`, 'latin1'));
  return { count: names.length, sha256: hash.digest('hex') };
}

test('law 14: an equivalence claims what verify confirms', async () => {
  const seen = new Set<string>();
  await fc.assert(
    fc.asyncProperty(
      layerStack({ minLayers: 1, maxLayers: 4, maxIntents: 8 }),
      fc.array(stage, { minLength: 1, maxLength: 3 }),
      async (stack, stages) => {
        const tars = stack.layers.map((layer) => layer.tar);
        const built = buildImage({ layers: tars });
        const transforms = stages.map((make) => make(tars.length));
        const { outcome, tree } = await rewrite(built, transforms);
        const report = reportOf(outcome);
        const [claim, ...more] = claimsOf(outcome, report);
        expect(more).toEqual([]);
        if (outcome.root?.descriptor.digest === built.descriptor.digest) {
          expect(claim).toBeUndefined();
          return;
        }
        if (claim === undefined) throw new Error('a changed image has no claim');
        expect(claim.subject).toEqual([
          { name: 'registry.example/slim', digest: { sha256: tree.descriptor.digest.slice(7) } },
        ]);
        const { relation, source, removed, cleared, linked, config } = claim.predicate;
        expect(source.digest).toEqual({ sha256: built.descriptor.digest.slice(7) });
        seen.add(relation);
        const isConfig = (each: string) => each.startsWith('config ');
        const strict = await differences(built, tree);
        expect(strict.filter(isConfig).map((each) => each.slice('config '.length))).toEqual(
          config.relation === 'same' ? [] : config.changed,
        );
        if (relation === 'same-rootfs') {
          expect(strict.filter((each) => !isConfig(each))).toEqual([]);
          expect([removed, cleared, linked]).toEqual([undefined, undefined, undefined]);
          return;
        }
        const announced = atOnce(announcedSteps([], report.platforms as never));
        expect((await differences(built, tree, announced)).filter((each) => !isConfig(each))).toEqual([]);
        const { count, sha256 } = removedDigest(JSON.stringify(report));
        expect(removed).toEqual({ count, digest: { sha256 } });
        if (cleared !== undefined) seen.add('cleared');
        if (linked !== undefined) seen.add('linked');
      },
    ),
    { numRuns: lawRuns() },
  );
  expect(seen.has('same-rootfs') && seen.has('subset')).toBe(true);
});

test('every member of a plan has been weighed for the claim: a new one may change files in a new way', () => {
  const { plan } = readImage(imageOf([]).descriptor, imageOf([]).manifest, imageOf([]).config);
  expect(Object.keys(plan).toSorted()).toEqual([
    'annotations',
    'arrangements',
    'config',
    'dropEmpty',
    'layers',
    'prunings',
    'relayering',
    'restoring',
  ]);
  const pruned = pipe(prune({ kind: 'all' }, { shadowed: true }))(imageOf([new Uint8Array(1024)]));
  expect(Object.keys(pruned.plan.prunings[0] ?? {}).toSorted()).toEqual([
    'clearSetuid',
    'force',
    'keep',
    'layers',
    'packageDb',
    'rules',
    'shadowed',
    'trace',
  ]);
});
