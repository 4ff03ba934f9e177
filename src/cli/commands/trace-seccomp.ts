/** The action `seccomp` of `trace`: a profile of the system calls that traces hold. */
import type { TraceCall } from './trace-call.ts';
import { readNamedTrace } from './trace-input.ts';

/** Runs `trace seccomp FILE…`: writes a profile of the system calls in traces. @throws USAGE, TRACE_INVALID, IO */
export async function makeProfile(call: TraceCall): Promise<number> {
  const { namelessCalls, seccompProfile } = await import('../../trace/seccomp.ts');
  const { escapeText, safeJsonText } = await import('../../report/escape.ts');
  const read = await readNamedTrace(call);
  const profile = seccompProfile(read);
  const json = `${safeJsonText(JSON.stringify(profile, null, 2))}\n`;
  const { settings, console } = call;
  const file = settings.output;
  if (file === null || file === '-') console.stdout.write(json);
  else {
    const { writeFile } = await import('node:fs/promises');
    const { fileError } = await import('../../files/file-error.ts');
    await writeFile(file, json, { signal: console.signal }).catch((error: unknown) => {
      throw fileError(`write ${file}`, error);
    });
  }
  const [own, ...besides] = profile.syscalls.filter(({ action }) => action === 'SCMP_ACT_ALLOW');
  const more = besides.reduce((sum, { names }) => sum + names.length, 0);
  console.stderr.write(
    `${own?.names.length ?? 0} system calls from ${escapeText(read.name)}, ${more} for the container runtime and the vDSO\n`,
  );
  const nameless = namelessCalls(read);
  if (nameless.length > 0)
    console.stderr.write(
      `left out, because the tracer had no name for them: ${escapeText(nameless.join(', '))}\n`,
    );
  return 0;
}
