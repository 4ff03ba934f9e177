/** What `trace record` says about a recording, for a person. */
import type { Launch } from '../../jobs/record/launch.ts';
import type { Recording } from '../../jobs/record/record.ts';
import { escapeText } from '../../report/escape.ts';
import { lossText } from '../../report/trace-text.ts';
import type { NotInImage } from '../../trace/trace.ts';

/** A recording that was written to a file. */
export interface WrittenRecording extends Pick<Recording, 'trace' | 'end' | 'refusal'> {
  readonly file: string;
  readonly launch: Pick<Launch, 'users'>;
  readonly notInImage: NotInImage | null;
}

/** Renders how the command ended, what the trace has, and what may be wrong with it. Whole lines. */
export function recordingText({ trace, end, refusal, file, launch, notInImage }: WrittenRecording): string {
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
  return lines.map((line) => `${line}\n`).join('');
}
