/**
 * Answers --findings and --vex: what became of what scanners had found in the source. `rewrite.ts` makes one after a run, where there are
 * findings.
 */
import type { ScannedFile } from '../analyze/scanned/scanned.ts';
import type { Listener } from '../events.ts';
import type { RunOutcome } from '../jobs/rewrite/run.ts';
import type { Reference } from '../oci/reference.ts';
import { reportScanned } from '../report/build/scanned.ts';
import type { Report, ScannedReport } from '../report/report.ts';
import { renderVex } from '../report/vex.ts';
import { imageNameOf } from './image-name.ts';
import type { Workspace } from './workspace.ts';

/** The settings of a job that matter here. */
interface VexSettings {
  readonly vex?: string | null;
  readonly sourceDateEpoch: number | null;
}

/** The findings of scanners, and what is asked about them. */
export class Scanning {
  readonly #findings: readonly ScannedFile[];
  readonly #settings: VexSettings;

  constructor(findings: readonly ScannedFile[], settings: VexSettings) {
    this.#findings = findings;
    this.#settings = settings;
  }

  /** Reports image by image what became of the findings; null for one that was not pruned. Warns where nothing matches any. */
  async reports(
    { images }: RunOutcome,
    { listener, signal }: Workspace,
  ): Promise<readonly (ScannedReport | null)[]> {
    const scanned: (ScannedReport | null)[] = [];
    for (const image of images) scanned.push(await reportScanned(image, this.#findings, signal));
    const rows = scanned.flatMap((each) => each?.findings ?? []);
    if (rows.length > 0 && rows.every(({ fate }) => fate === 'unmatched'))
      listener({
        type: 'warning',
        code: 'FINDINGS_UNMATCHED',
        message:
          '--findings: no package and no file of the image matches a finding: the scan may be of another image',
      });
    return scanned;
  }

  /** Makes the OpenVEX document of a result; null where it is not asked for, and, with a warning, where no finding went away. */
  vex(
    report: Report,
    [destination]: readonly Reference[],
    started: number,
    listener: Listener,
  ): string | null {
    const { vex = null, sourceDateEpoch } = this.#settings;
    if (vex === null || destination === undefined || report.dryRun) return null;
    const time = new Date(sourceDateEpoch === null ? started : sourceDateEpoch * 1000);
    const document = renderVex(report, { ...imageNameOf(destination), time });
    if (document === null)
      listener({
        type: 'warning',
        code: 'VEX_EMPTY',
        message: '--vex: no finding went away, so there is nothing to state, and no file is written',
      });
    return document;
  }
}
