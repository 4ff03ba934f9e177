/**
 * What `trace record` says about a recording: for a person, as JSON, and by its exit status. It is called when the trace is written.
 */
import type { Launch } from '../../jobs/record/launch.ts';
import type { ProbedRecording } from '../../jobs/record/probed.ts';
import { errorCodes } from '../../errors.ts';
import { type ProbeResult } from '../../probe/probe.ts';
import { formatSize } from '../../report/figures.ts';
import { escapeText } from '../../report/escape.ts';
import { lossText } from '../../report/trace-text.ts';
import type { NotInImage, RunEnd } from '../../trace/trace.ts';

/** A recording that was written to a file. */
export interface WrittenRecording extends Pick<ProbedRecording, 'trace' | 'refusal' | 'results'> {
  readonly end: RunEnd;
  readonly file: string;
  readonly launch: Pick<Launch, 'users'>;
  readonly notInImage: NotInImage | null;
}

/** Renders how the command ended, what the trace has, and what may be wrong with it. Whole lines. */
export function recordingText(recording: WrittenRecording): string {
  const { trace, end, refusal, file, launch, notInImage, results } = recording;
  const how = end.signal === null ? `ended with ${end.status}` : `was ended by ${end.signal}`;
  const lines = [`ocislim: the command ${how}; ${trace.paths.size} paths in ${escapeText(file)}`];
  if (refusal !== null && launch.users !== 'own') {
    const failed = `the command could not switch users (${refusal.call}: ${refusal.error})`;
    if (launch.users === 'one')
      lines.push(
        `  ${failed}: without root, this root filesystem has one user only`,
        '  Record as root, install uidmap and have an entry in /etc/subuid, or name the user that the command becomes: --user USER.',
      );
    else
      lines.push(
        `  ${failed}`,
        '  Record with the capabilities that containers have: CAP_SETUID, CAP_SETGID, CAP_CHOWN.',
      );
  }
  if (notInImage !== null && notInImage.count > 0) lines.push(`  not in the image: ${lossText(notInImage)}`);
  return [...lines, ...probeLines(results)].map((line) => `${line}\n`).join('');
}

/** The most results of a crawl or an API that are listed. All stand in the JSON. */
const mostListed = 40;

/** What each probe got, one line each: those that failed first. */
function probeLines(results: readonly ProbeResult[]): readonly string[] {
  if (results.length === 0) return [];
  const failed = results.filter(({ ok }) => !ok);
  const shown = [...failed, ...results.filter(({ ok }) => ok)].slice(0, mostListed);
  const more = results.length - shown.length;
  return [
    `  ${results.length} ${results.length === 1 ? 'probe' : 'probes'}, ${failed.length} failed`,
    ...shown.map(
      (result) => `  ${result.ok ? 'ok    ' : 'failed'} ${escapeText(result.name)}: ${answerText(result)}`,
    ),
    ...(more > 0 ? [`  … ${more} more (--format json lists all)`] : []),
  ];
}

function answerText({ kind, status, length, error, seconds, ok }: ProbeResult): string {
  if (error !== null && (!ok || status === null)) return escapeText(error);
  if (status === null || length === null) return 'it takes connections';
  const what = kind === 'exec' ? `ended with ${status}` : String(status);
  return `${what}, ${formatSize(length)}, ${seconds.toFixed(2)} s`;
}

/** Returns a recording as the data that `--format json` prints. */
export function recordingJson({ trace, end, file, notInImage, results }: WrittenRecording): object {
  return {
    file,
    paths: trace.paths.size,
    run: end,
    probes: results,
    ...(notInImage === null ? {} : { notInImage: notInImage.count }),
  };
}

/**
 * Returns the exit status of `trace record`: that of the command. Of a command that was ended after its probes, 0, and 3 where a probe did
 * not get what was expected.
 */
export function statusOf({ end, results }: Pick<WrittenRecording, 'end' | 'results'>): number {
  if (results.length === 0 || end.stopped === 'signal' || (end.stopped === null && end.status !== 0))
    return end.status;
  return results.every(({ ok }) => ok) ? 0 : errorCodes.GATE.exit;
}
