/** The files that options of a recording ask for, as texts. The command line writes them. */
import { safeJsonText } from '../../report/escape.ts';
import type { SlimSettings } from '../../settings/tables/commands.ts';
import { streamTrace } from '../../trace/trace-file.ts';
import { creportOf } from '../../jobs/record/creport.ts';
import { version } from '../version.ts';
import type { Workspace } from '../workspace.ts';
import type { ProgramSource } from './open-program.ts';
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
  creport: string | null,
): Promise<RecordedFiles> {
  return {
    saveTrace: settings.saveTrace === null ? null : await traceText(trace),
    seccomp:
      profiles.seccomp === null ? null : `${safeJsonText(JSON.stringify(profiles.seccomp, null, 2))}\n`,
    apparmor: null,
    creport,
  };
}

/** Makes the report in the form of SlimToolkit of a pruned image. @throws what reading an image throws */
export async function creportText(
  { source, platform, name }: Pick<ProgramSource, 'source' | 'platform'> & { readonly name: string },
  { trace }: Proof,
  { jobs, disk: maxScratch, limits, listener, signal }: Workspace,
): Promise<string> {
  const options = { source, platform, cache: null, jobs, maxScratch, limits, listener, signal };
  let text = '';
  const facts = { trace, name, producer: `ocislim ${version}` };
  for await (const each of creportOf(options, facts)) text += each;
  return text;
}

async function traceText(trace: Proof['trace']): Promise<string> {
  let text = '';
  for await (const each of streamTrace(trace, new AbortController().signal)) text += safeJsonText(each);
  return text;
}
