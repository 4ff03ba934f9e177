/** The files that options of a recording ask for, as texts. The command line writes them. */
import { safeJsonText } from '../../report/escape.ts';
import type { SlimSettings } from '../../settings/tables/commands.ts';
import { streamTrace } from '../../trace/trace-file.ts';
import type { Proof } from './proof.ts';

/** The texts of the files, each null where it was not asked for. */
export interface RecordedFiles {
  readonly saveTrace: string | null;
  readonly seccomp: string | null;
  readonly apparmor: string | null;
  readonly creport: string | null;
}

/** Makes the files that were asked for. */
export async function recordedFiles(
  { trace, profiles }: Proof,
  settings: SlimSettings,
): Promise<RecordedFiles> {
  return {
    saveTrace: settings.saveTrace === null ? null : await traceText(trace),
    seccomp:
      profiles.seccomp === null ? null : `${safeJsonText(JSON.stringify(profiles.seccomp, null, 2))}\n`,
    apparmor: null,
    creport: null,
  };
}

async function traceText(trace: Proof['trace']): Promise<string> {
  let text = '';
  for await (const each of streamTrace(trace, new AbortController().signal)) text += safeJsonText(each);
  return text;
}
