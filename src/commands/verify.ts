/** Runs `verify`: opens both images and compares them. */
import { verifyImages } from '../jobs/compare/verify.ts';
import type { Reference } from '../oci/reference.ts';
import type { VerifySettings } from '../settings/tables/commands.ts';
import { inTurns } from '../steps.ts';
import { announcedSteps } from './announcement.ts';
import type { VerifyOutcome } from './outcome.ts';
import type { Surroundings } from './surroundings.ts';
import { Workspace } from './workspace.ts';

interface Pair {
  readonly a: Reference;
  readonly b: Reference;
  readonly settings: VerifySettings;
}

/** Compares B with A. The credentials of the source are for A, those of the destination for B. @throws OcislimError */
export async function verifyTwo(
  { a, b, settings }: Pair,
  surroundings: Surroundings,
): Promise<VerifyOutcome> {
  const reading = announcedSteps(settings.except, settings.removedBy);
  const announced = await inTurns(reading, surroundings.signal);
  await using workspace = new Workspace(settings, surroundings);
  const { jobs, limits, listener, signal } = workspace;
  const cache = await workspace.openCache();
  const first = await workspace.openSource(a);
  await using second = await workspace.openResult(b);
  const { platform: platforms } = settings;
  const noiseless = settings.ignore.includes('noise');
  const options = { noiseless, platforms, maxScratch: workspace.disk, jobs, limits, cache, listener, signal };
  const verification = await verifyImages({ a: first, b: second, ...announced, ...options });
  return { verification, a: first.label, b: second.label };
}
