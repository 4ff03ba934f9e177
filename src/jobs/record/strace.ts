import { spawn } from 'node:child_process';
import { OcislimError } from '../../errors.ts';

const advice = {
  missing: 'Install it (apt-get install strace; apk add strace): the image that is traced does not need it.',
  refused:
    'Run the container of this job with --cap-add SYS_PTRACE (Docker, Podman) or SYS_PTRACE among its capabilities (Kubernetes); on a machine with kernel.yama.ptrace_scope of 2 or 3, be root or set it to 1.',
} as const;

/** Which system calls are recorded: those on files and processes, or all of them. */
function callsOf(all: boolean): readonly string[] {
  return all ? [] : ['-e', 'trace=%file,%process,fchdir,?getdents,getdents64'];
}

/** What older versions do not have, or some containers do not allow: tried in this order. */
const extras: readonly (readonly string[])[] = [
  ['--seccomp-bpf', '--decode-pids=pidns'],
  ['--decode-pids=pidns'],
  [],
];

/**
 * Finds out whether strace can be used here, by tracing itself, and answers its arguments without command and output.
 *
 * @throws UNSUPPORTED where strace is not there, or may not trace
 */
export async function straceArguments(all: boolean, signal: AbortSignal): Promise<readonly string[]> {
  let said = '';
  for (const extra of extras) {
    // The filter of --seccomp-bpf saves time by leaving calls out.
    if (all && extra.includes('--seccomp-bpf')) continue;
    // Arguments of programs are cut at 32 bytes otherwise; names of files never are.
    const args = ['-f', '-y', '-q', '-s', '4096', ...extra, ...callsOf(all)];
    const tried = await tryStrace([...args, '-o', '/dev/null', 'strace', '-V'], signal);
    if (tried.status === 0 && tried.said === '') return args;
    said = tried.said;
  }
  const reason = said.split('\n', 1)[0] ?? '';
  throw new OcislimError('UNSUPPORTED', `strace cannot trace here: ${reason || 'it failed'}`, {
    advice: /not permitted|permission denied/i.test(said) ? advice.refused : advice.missing,
  });
}

function tryStrace(
  args: readonly string[],
  signal: AbortSignal,
): Promise<{ status: number | null; said: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn('strace', args, { stdio: ['ignore', 'ignore', 'pipe'], signal });
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      if (said.length < 4096) said += text;
    });
    child.on('error', (cause: NodeJS.ErrnoException) =>
      reject(
        cause.code === 'ENOENT'
          ? new OcislimError('UNSUPPORTED', 'strace is not installed', { cause, advice: advice.missing })
          : cause,
      ),
    );
    child.on('close', (status) => resolve({ status, said }));
  });
}
