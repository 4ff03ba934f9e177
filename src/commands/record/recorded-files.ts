/** The files that options of a recording ask for, as texts. The command line writes them. */
import { utf8Bytes } from '../../bytes/bytes.ts';
import { safeJsonText } from '../../report/escape.ts';
import type { SlimSettings } from '../../settings/tables/commands.ts';
import { creportOf } from '../../jobs/record/creport.ts';
import type { OpenedRootfs } from '../../jobs/export.ts';
import { profiledImageSteps } from '../../jobs/profiled-image.ts';
import { inTurns } from '../../steps.ts';
import { apparmorSteps, profileNameOf } from '../../trace/apparmor.ts';
import { placeSteps } from '../../trace/place.ts';
import type { Trace } from '../../trace/trace.ts';
import { streamTrace } from '../../trace/trace-file.ts';
import { version } from '../version.ts';
import type { Workspace } from '../workspace.ts';
import type { ProgramSource } from './open-program.ts';
import type { Proof } from './proof.ts';
import type { RecordedImage } from './recorded-image.ts';

/** The image that was recorded. */
export interface Original {
  readonly image: Pick<RecordedImage, 'runtime'>;
  readonly rootfs: Pick<OpenedRootfs, 'filesystem'>;
  readonly signal: AbortSignal;
}

/** The texts of the files, each null where it was not asked for. */
export interface RecordedFiles {
  readonly saveTrace: string | null;
  readonly seccomp: string | null;
  readonly apparmor: string | null;
  readonly creport: string | null;
}

/** Makes the files that were asked for. `creport` is the text of that report. @throws the signal's reason */
export async function recordedFiles(
  { trace, profiles }: Proof,
  settings: SlimSettings,
  { creport, original }: { readonly creport: string | null; readonly original: Original },
): Promise<RecordedFiles> {
  return {
    saveTrace: settings.saveTrace === null ? null : await traceText(trace),
    seccomp:
      profiles.seccomp === null ? null : `${safeJsonText(JSON.stringify(profiles.seccomp, null, 2))}\n`,
    apparmor: settings.apparmor === null ? null : await apparmorText(trace, settings.apparmor, original),
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

/** Makes the AppArmor profile of what the original did. Its name is that of the file. */
async function apparmorText(
  trace: Trace,
  file: string,
  { image: { runtime }, rootfs, signal }: Original,
): Promise<string> {
  const fs = await rootfs.filesystem();
  const placed = await inTurns(placeSteps(trace, utf8Bytes(runtime.workingDirectory)), signal);
  const image = await inTurns(profiledImageSteps(fs, runtime, placed), signal);
  const profile = await inTurns(apparmorSteps(placed, { name: profileNameOf(file), image }), signal);
  return profile.text;
}

async function traceText(trace: Proof['trace']): Promise<string> {
  let text = '';
  for await (const each of streamTrace(trace, new AbortController().signal)) text += safeJsonText(each);
  return text;
}
