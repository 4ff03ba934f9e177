import { AspectTally } from '../../analyze/diff/verdict.ts';
import { configOf } from '../../configure/configure.ts';
import { diffConfigs } from '../../jobs/compare/diff-documents.ts';
import type { ImageOutcome } from '../../jobs/rewrite/records.ts';
import type { PlatformReport } from '../report.ts';

/** Members that say which layers there are. */
const ofLayers = /^(?:history|rootfs)\b/;

/** Reports what changed in the config of an image, as `diff` lists it; the field is absent where nothing was to change. */
export function reportConfiguring({ image }: ImageOutcome): Pick<PlatformReport, 'configuring'> {
  const { rebased } = image;
  if (image.plan.config.length === 0 && rebased === null) return {};
  const edited = { ...image.config, json: configOf(image) };
  const before = rebased?.source.config ?? image.config;
  const changes = diffConfigs(before, edited, new AspectTally([])).filter(
    ({ member }) => rebased === null || !ofLayers.test(member),
  );
  if (changes.length === 0 && rebased !== null) return {};
  return {
    configuring: { changes: changes.map(({ member, a, b }) => ({ member, before: a, after: b })) },
  };
}
