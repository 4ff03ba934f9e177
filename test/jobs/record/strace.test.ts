import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { straceArguments } from '../../../src/jobs/record/strace.ts';
import { type FakeStrace, fakeStrace } from './fake-strace.ts';

const { signal } = new AbortController();
const always = ['-f', '-y', '-q', '-s', '4096'];
const ofFiles = [
  '-e',
  expect.stringMatching(
    /^trace=%file,%process,fchdir,\?getdents,getdents64,bind,connect,\?io_uring_setup,\?open_by_handle_at(?:,\?[a-z0-9_]+)+$/,
  ),
];

/** Lets PATH lead to a fake strace only. */
async function inPath(script: string | null): Promise<FakeStrace> {
  const fake = await fakeStrace(script);
  vi.stubEnv('PATH', fake.folder);
  return fake;
}

afterEach(() => vi.unstubAllEnvs());

/** Makes the script of an strace that exits with 1 and a message if it is called with one of these options. */
function without(options: readonly string[]): string {
  return options
    .map((name) => `case "$*" in *${name}*) echo "strace: unrecognized option '${name}'" >&2; exit 1;; esac`)
    .join('\n');
}

describe('straceArguments', () => {
  it.each([
    ['6.1', [], ['--seccomp-bpf', '--decode-pids=pidns']],
    ['5.9, without --decode-pids', ['--decode-pids'], []],
    ['in a container that refuses --seccomp-bpf', ['--seccomp-bpf'], ['--decode-pids=pidns']],
    ['4.21, without either option', ['--seccomp-bpf', '--decode-pids'], []],
  ] as const)('gives strace %s the options that it has', async (_version, missing, extra) => {
    await using _ = await inPath(without(missing));
    expect(await straceArguments(false, signal)).toEqual([...always, ...extra, ...ofFiles]);
  });

  it('records all system calls without a filter, and without --seccomp-bpf', async () => {
    await using _ = await inPath('');
    expect(await straceArguments(true, signal)).toEqual([...always, '--decode-pids=pidns']);
  });

  it('tries the options on strace itself, and lets it write no file', async () => {
    await using fake = await inPath('echo "$*" > "$HERE/call"');
    await straceArguments(false, signal);
    const [call] = (await readFile(join(fake.folder, 'call'), 'utf8')).split('\n');
    expect(call).toMatch(/ -o \/dev\/null strace -V$/);
  });

  it('does not take options with which strace complains but succeeds', async () => {
    await using _ = await inPath(
      'case "$*" in *--seccomp-bpf*) echo "strace: --seccomp-bpf cannot be used here" >&2;; esac',
    );
    expect(await straceArguments(false, signal)).not.toContain('--seccomp-bpf');
  });

  it('refuses a machine without strace, and says how to install it', async () => {
    await using _ = await inPath(null);
    await expect(straceArguments(false, signal)).rejects.toMatchObject({
      code: 'UNSUPPORTED',
      message: 'strace is not installed',
      advice: expect.stringContaining('apt-get install strace'),
    });
  });

  it.each([
    'strace: ptrace(PTRACE_TRACEME, ...): Operation not permitted',
    'strace: attach: ptrace(PTRACE_SEIZE, 7): Permission denied',
  ])('refuses a container that may not trace (%s), and says which capability it lacks', async (message) => {
    await using _ = await inPath(`echo "${message}" >&2; echo "+++ exited with 1 +++" >&2; exit 1`);
    await expect(straceArguments(false, signal)).rejects.toMatchObject({
      code: 'UNSUPPORTED',
      message: `strace cannot trace here: ${message}`,
      advice: expect.stringContaining('--cap-add SYS_PTRACE'),
    });
  });

  it('refuses a strace that fails without a message', async () => {
    await using _ = await inPath('exit 139');
    await expect(straceArguments(false, signal)).rejects.toMatchObject({
      code: 'UNSUPPORTED',
      message: 'strace cannot trace here: it failed',
    });
  });

  it('keeps only the beginning of endless messages', async () => {
    await using _ = await inPath(
      'i=0; while [ $i -lt 2000 ]; do echo "strace: oh, Operation not permitted" >&2; i=$((i+1)); done; exit 1',
    );
    await expect(straceArguments(false, signal)).rejects.toThrow(/^strace cannot trace here: strace: oh, Op/);
  });

  it('ends the trial when the command is interrupted', async () => {
    await using _ = await inPath('while :; do :; done');
    const interruption = new AbortController();
    const asked = straceArguments(false, interruption.signal);
    interruption.abort();
    await expect(asked).rejects.toMatchObject({ name: 'AbortError' });
  });
});
