import type { RunOutcome } from '../../jobs/rewrite/records.ts';
import type { Report } from '../report.ts';

/** Reports the artifacts about the source, and what became of each; the field is absent where there were none. */
export function reportArtifacts({ artifacts }: RunOutcome): Pick<Report, 'referrers'> {
  if (artifacts.length === 0) return {};
  return {
    referrers: artifacts.map(({ artifact: { by, about, platform, referrer, facts }, fate }) => ({
      kind: facts.kind,
      artifactType: facts.artifactType,
      predicateTypes: [...facts.predicateTypes],
      digest: referrer.digest,
      mediaType: referrer.mediaType,
      size: referrer.size,
      foundBy: by,
      tags: [...(referrer.tags ?? [])],
      subject: about,
      platform,
      fate,
    })),
  };
}
