import { OcislimError } from '../../errors.ts';
import type { Console } from '../command.ts';
import { list, text, type Values } from '../option.ts';

/** `trace seccomp`: a profile that allows the system calls of the traces. @throws USAGE, and what reading traces throws */
export async function makeProfile(values: Values, console: Console): Promise<number> {
  const given = list(values, 'files');
  if (given.length === 0 && process.stdin.isTTY)
    throw new OcislimError('USAGE', 'which trace is to be read? Name its file, or pipe it in');
  const { readTraces } = await import('../trace-files.ts');
  const { namelessCalls, seccompProfile } = await import('../../slim/trace/seccomp.ts');
  const { escapeText } = await import('../../report/escape.ts');
  const files = given.length === 0 ? ['-'] : given;
  const [read, ...others] = await readTraces(files, { roots: [], signal: console.signal });
  if (read === undefined || others.length > 0)
    throw new OcislimError('USAGE', 'the traces are of several platforms, and a profile is of one');
  const profile = seccompProfile(read);
  const json = `${JSON.stringify(profile, null, 2)}\n`;
  const file = text(values, 'output');
  if (file === null || file === '-') console.stdout.write(json);
  else {
    const { writeFile } = await import('node:fs/promises');
    const { fileError } = await import('../../store/file-error.ts');
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
      `left out, since the tracer had no name for them: ${escapeText(nameless.join(', '))}\n`,
    );
  return 0;
}
