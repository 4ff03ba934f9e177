import type { ImageOutcome } from '../../jobs/rewrite/records.ts';
import { decodeForDisplay } from '../../bytes/bytes.ts';
import { pathFields } from '../escape.ts';
import type { PlatformReport } from '../report.ts';

/** The most files that are listed for one thing that is missing, and the most hidden ones. Their numbers are exact. */
const mostFiles = 1000;

/** Reports what became of the base of an image; the field is absent from runs that do not rebase, and where it stays as it is. */
export function reportRebasing({ image, rebasing }: ImageOutcome): Pick<PlatformReport, 'rebasing'> {
  const { rebased } = image;
  if (rebased === null) return {};
  const { source, from, to, names } = rebased;
  const { lacks = [], hidden = [] } = rebasing ?? {};
  return {
    rebasing: {
      oldBase: {
        digest: names.from?.digest ?? null,
        name: names.from?.name ?? null,
        layers: from.config.diffIds.length,
      },
      newBase: { digest: names.to.digest, name: names.to.name, layers: to.config.diffIds.length },
      applicationLayers: source.config.diffIds.length - from.config.diffIds.length,
      missing: lacks.map(({ kind, missing, neededBy, sentence, advice }) => ({
        kind,
        what: decodeForDisplay(missing, (text) => text),
        neededBy: neededBy.slice(0, mostFiles).map(pathFields),
        neededByCount: neededBy.length,
        sentence,
        advice,
      })),
      hidden: hidden.slice(0, mostFiles).map(({ path, how }) => ({ ...pathFields(path), how })),
      hiddenCount: hidden.length,
    },
  };
}
