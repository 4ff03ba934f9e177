/**
 * The action `apparmor` of `trace`: a profile of the files, sockets and capabilities that traces show. With --image it also reads an image, to
 * know where names lead.
 */
import type { ProfiledImage } from '../../trace/apparmor/path-patterns.ts';
import type { Trace } from '../../trace/trace.ts';
import { inTurns } from '../../steps.ts';
import type { TraceCall } from './trace-call.ts';
import { readNamedTrace } from './trace-input.ts';

/**
 * Runs `trace apparmor FILE…`: writes a profile of what traces show.
 * @throws USAGE, TRACE_INVALID, IO, and whatever reading an image throws
 */
export async function makeApparmorProfile(call: TraceCall): Promise<number> {
  const { apparmorSteps, checkProfileName, profileNameOf } = await import('../../trace/apparmor.ts');
  const { settings, console } = call;
  const file = settings.output;
  const name =
    settings.profileName === null
      ? profileNameOf(file)
      : checkProfileName(settings.profileName, '--profile-name');
  const read = await readNamedTrace(call);
  const { trace, image } =
    settings.image === null ? { trace: read, image: null } : await placedIn(settings.image, read, call);
  const profile = await inTurns(apparmorSteps(trace, { name, image }), console.signal);
  if (file === null || file === '-') console.stdout.write(profile.text);
  else {
    const { writeFile } = await import('node:fs/promises');
    const { fileError } = await import('../../files/file-error.ts');
    await writeFile(file, profile.text, { signal: console.signal }).catch((error: unknown) => {
      throw fileError(`write ${file}`, error);
    });
  }
  await report(call, trace, { name, ...profile });
  return 0;
}

/** What a profile holds, for a message. */
interface Made {
  readonly name: string;
  readonly files: number;
  readonly sockets: number;
  readonly capabilities: number;
  readonly relative: number;
}

async function report({ console, settings }: TraceCall, trace: Trace, made: Made): Promise<void> {
  const { escapeText } = await import('../../report/escape.ts');
  const { formatNumberOf } = await import('../../report/figures.ts');
  const { isComplete } = trace.rights;
  const rights = isComplete
    ? `${formatNumberOf(made.sockets, 'kind')} of sockets, ${formatNumberOf(made.capabilities, 'capability', 'capabilities')}`
    : 'all sockets and capabilities';
  const lines = [
    `profile ${made.name}: ${formatNumberOf(made.files, 'rule')} for files, ${rights}, from ${escapeText(trace.name)}`,
    ...(isComplete
      ? []
      : [
          'the trace does not show all sockets and capabilities: record it with "ocislim trace record", or with "strace -f -y" without -e',
        ]),
    ...(made.relative === 0
      ? []
      : [
          `${formatNumberOf(made.relative, 'path')} without a known directory: allowed in each; --image REF tells where the program starts`,
        ]),
    ...(settings.image === null
      ? [
          'without --image REF, programs that were executed through symlinks, and those that run scripts, may be missing',
        ]
      : []),
  ];
  if (!settings.quiet) console.stderr.write(lines.map((line) => `${line}\n`).join(''));
}

/** Returns the trace with all paths from the root of an image, and what the image tells. @throws what reading an image throws */
async function placedIn(
  reference: string,
  trace: Trace,
  call: TraceCall,
): Promise<{ readonly trace: Trace; readonly image: ProfiledImage }> {
  const { parsePlatform } = await import('../../oci/platform.ts');
  const { readRuntime } = await import('../../oci/runtime.ts');
  const { placeSteps } = await import('../../trace/place.ts');
  const { utf8Bytes } = await import('../../bytes/bytes.ts');
  const { profiledImageSteps } = await import('../../jobs/profiled-image.ts');
  const { inspectNamed } = await import('./trace-image.ts');
  const own = trace.platform === null ? null : parsePlatform(trace.platform);
  // No contents of files are needed, but for the first lines of scripts, which are facts.
  const { image, fs, facts } = await inspectNamed(reference, own, () => 0, call);
  const runtime = readRuntime(image.config);
  const { signal } = call.console;
  const placed = await inTurns(placeSteps(trace, utf8Bytes(runtime.workingDirectory)), signal);
  return { trace: placed, image: await inTurns(profiledImageSteps({ fs, facts }, runtime, placed), signal) };
}
