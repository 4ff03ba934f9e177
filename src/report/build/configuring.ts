import { AspectTally } from '../../analyze/diff/verdict.ts';
import { configOf } from '../../configure/configure.ts';
import { diffConfigs } from '../../jobs/compare/diff-documents.ts';
import type { ImageOutcome } from '../../jobs/rewrite/records.ts';
import type { PlatformReport } from '../report.ts';

/** Reports what changed in the config of an image, as `diff` lists it; the field is absent where nothing was to change. */
export function reportConfiguring({ image }: ImageOutcome): Pick<PlatformReport, 'configuring'> {
  if (image.plan.config.length === 0) return {};
  const edited = { ...image.config, json: configOf(image) };
  const changes = diffConfigs(image.config, edited, new AspectTally([]));
  return {
    configuring: { changes: changes.map(({ member, a, b }) => ({ member, before: a, after: b })) },
  };
}
