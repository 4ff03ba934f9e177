/** The parts of the report about package databases. `build.ts` and `slimming.ts` call it for images whose databases were synced. */
import { utf8Text } from '../../bytes/bytes.ts';
import type { ImageOutcome } from '../../jobs/rewrite/records.ts';
import type { Distribution } from '../../rootfs/packages/distribution.ts';
import type { Package } from '../../rootfs/packages/package.ts';
import { purlOf } from '../../rootfs/packages/purl.ts';
import { pathFields } from '../escape.ts';
import type { PlatformReport, SlimmingReport } from '../report.ts';

/** Reports what became of package databases; the field is absent where they were to stay. */
export function reportPackageDb({ resolution: { synced } }: ImageOutcome): Pick<PlatformReport, 'packageDb'> {
  if (synced === null) return {};
  const { takenOut, kept, distribution } = synced;
  return {
    packageDb: {
      takenOut: takenOut.map((each) => reportPackage(each, distribution)),
      stillListed: kept.map(({ path, packages, why }) => ({ ...pathFields(path), packages, why })),
    },
  };
}

/** Reports the files that got other contents; the field is absent where none did. */
export function reportEdited({ resolution: { synced } }: ImageOutcome): Pick<SlimmingReport, 'edited'> {
  if (synced === null || synced.edits.length === 0) return {};
  const { edits } = synced;
  return {
    edited: edits.flatMap(({ names, carrier, before, after, packages }) =>
      names.map((name) => ({
        ...pathFields(name),
        layer: carrier.layer,
        reason: 'package-db' as const,
        before: { ...before },
        after: { ...after },
        packages: packages.map(({ name: each }) => utf8Text(each)),
      })),
    ),
  };
}

function reportPackage(each: Package, distribution: Distribution | null) {
  const { kind, name, version } = each;
  return { kind, name: utf8Text(name), version, purl: purlOf(each, distribution) };
}
