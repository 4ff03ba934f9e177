/**
 * The files that options of a recording ask for, as texts. The command line writes them beside the reports of the run, and the trace even if nothing
 * was published.
 */
import { utf8Bytes } from '../../bytes/bytes.ts';
import type { OpenedRootfs } from '../../jobs/export.ts';
import { profiledImageSteps } from '../../jobs/profiled-image.ts';
import { creportOf } from '../../jobs/record/creport.ts';
import { safeJsonText } from '../../report/escape.ts';
import type { SlimSettings } from '../../settings/tables/commands.ts';
import { inTurns } from '../../steps.ts';
import { apparmorSteps, profileNameOf } from '../../trace/apparmor.ts';
import { placeSteps } from '../../trace/place.ts';
import { streamTrace } from '../../trace/trace-file.ts';
import type { Trace } from '../../trace/trace.ts';
import { version } from '../version.ts';
import type { Workspace } from '../workspace.ts';
import type { ProgramSource } from './open-program.ts';
import type { Profiles } from './profiles.ts';
import type { RecordedImage } from './recorded-image.ts';

/** The texts of the files, each null where it was not asked for. */
export interface RecordedFiles {
  readonly saveTrace: string | null;
  readonly seccomp: string | null;
  readonly apparmor: string | null;
  readonly creport: string | null;
}

/** What the files are made of. */
interface Recorded {
  readonly trace: Trace;
  readonly profiles: Profiles;
  readonly image: RecordedImage;
  /** That of the original. */
  readonly rootfs: Pick<OpenedRootfs, 'inspect'>;
}

/** Makes the files that were asked for, but for the report in the form of SlimToolkit, which is made of the pruned image. @throws what reading an image throws */
export async function recordedFiles(
  recorded: Recorded,
  settings: SlimSettings,
  signal: AbortSignal,
): Promise<Omit<RecordedFiles, 'creport'>> {
  const { trace, profiles } = recorded;
  const { saveTrace, apparmor } = settings;
  return {
    saveTrace: saveTrace === null ? null : await traceText(trace),
    seccomp:
      profiles.seccomp === null ? null : `${safeJsonText(JSON.stringify(profiles.seccomp, null, 2))}\n`,
    apparmor: apparmor === null ? null : await apparmorText(recorded, profileNameOf(apparmor), signal),
  };
}

/** Makes an AppArmor profile. The names of the image are looked up in it, since AppArmor sees where symlinks lead. */
async function apparmorText(
  { trace, image: { runtime }, rootfs }: Recorded,
  name: string,
  signal: AbortSignal,
): Promise<string> {
  const { fs, facts } = await rootfs.inspect();
  const placed = await inTurns(placeSteps(trace, utf8Bytes(runtime.workingDirectory)), signal);
  const image = await inTurns(profiledImageSteps({ fs, facts }, runtime, placed), signal);
  return (await inTurns(apparmorSteps(placed, { name, image }), signal)).text;
}

/** A pruned image, and the name that its report gives it. */
interface Pruned extends Pick<ProgramSource, 'source' | 'platform'> {
  readonly name: string;
}

/** Makes the report in the form of SlimToolkit of a pruned image. @throws what reading an image throws */
export async function creportText(
  { source, platform, name }: Pruned,
  trace: Trace,
  { jobs, disk: maxScratch, limits, listener, signal }: Workspace,
): Promise<string> {
  const options = { source, platform, cache: null, jobs, maxScratch, limits, listener, signal };
  let text = '';
  const facts = { trace, name, producer: `ocislim ${version}` };
  for await (const each of creportOf(options, facts)) text += each;
  return text;
}

/** Writes a trace as the text of a trace file. */
export async function traceText(trace: Trace): Promise<string> {
  let text = '';
  for await (const each of streamTrace(trace, new AbortController().signal)) text += safeJsonText(each);
  return text;
}
