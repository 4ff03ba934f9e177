/**
 * Finds out whether strace can be used on this machine, and with which options. `trace record` asks before it records.
 */
import { spawn } from 'node:child_process';
import { OcislimError } from '../../errors.ts';
import { callsOfRights } from '../../trace/formats/strace-rights.ts';

const advice = {
  missing: 'Install it (apt-get install strace; apk add strace): the image that is traced does not need it.',
  refused:
    'Run the container of this job with --cap-add SYS_PTRACE (Docker, Podman) or SYS_PTRACE among its capabilities (Kubernetes); on a machine with kernel.yama.ptrace_scope of 2 or 3, be root or set it to 1.',
} as const;

/** Calls that show sockets and capabilities. Some are missing on some platforms. */
const rights = callsOfRights.map((name) => `?${name}`).join(',');

/** The options that choose the recorded system calls: those on files, sockets, processes and rights, or all. `?` allows for old kernels. */
function callsOf(all: boolean): readonly string[] {
  return all
    ? []
    : [
        '-e',
        `trace=%file,%process,fchdir,?getdents,getdents64,bind,connect,?io_uring_setup,?open_by_handle_at,${rights}`,
      ];
}

/** Options that older versions do not have, or that some containers do not allow, in the order of the trials. */
const extras: readonly (readonly string[])[] = [
  ['--seccomp-bpf', '--decode-pids=pidns'],
  ['--decode-pids=pidns'],
  [],
];

/**
 * Lets strace trace itself, and returns the best arguments with which that works, without output and command. `all`: whether
 * to record all system calls, not only those on files and processes.
 *
 * @throws UNSUPPORTED where strace is not installed, or may not trace
 */
export async function straceArguments(all: boolean, signal: AbortSignal): Promise<readonly string[]> {
  let said = '';
  for (const extra of extras) {
    // --seccomp-bpf stops the program at recorded calls only, which saves nothing where all are recorded.
    if (all && extra.includes('--seccomp-bpf')) continue;
    // Without -s, strace cuts the arguments of programs at 32 bytes. It never cuts names of files.
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

/** Runs strace, and resolves to its exit status and the beginning of its messages. */
function tryStrace(
  args: readonly string[],
  signal: AbortSignal,
): Promise<{ readonly status: number | null; readonly said: string }> {
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
