import { readFileSync, watch } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CommandOutput } from '../../../src/jobs/record/command-output.ts';
import { launchHere } from '../../../src/jobs/record/launch.ts';
import { record, type Recording } from '../../../src/jobs/record/record.ts';
import { type FakeStrace, fakeStrace } from './fake-strace.ts';

/** The fake strace below writes lines to the file behind `-o`, which is a named pipe. */
const openOutput = 'while [ "$1" != -o ]; do shift; done; exec 3> "$2" 2> /dev/null';

/** Starts the command of the fake strace, which lives until it is killed, or has no parent any more. */
const command = [
  `/bin/sh -c 'while kill -0 $PPID; do :; done' 3>&- & pid=$!`,
  `echo "$pid execve(\\"/bin/app\\", [\\"app\\"], 0x1) = 0" >&3`,
].join('; ');

/** Waits for the command, and reports its end if it is that of SIGTERM. */
const waitForTerm = 'wait $pid; [ $? = 143 ] && echo "$pid +++ killed by SIGTERM +++" >&3';

interface Stop {
  /** Default: the command is not stopped. */
  readonly stop?: AbortSignal;
  /** Default: a minute. */
  readonly grace?: number;
  /** Default: none. */
  readonly filter?: Uint8Array;
  /** Default: the streams of this process. */
  readonly output?: CommandOutput;
}

/** Records the command `app` below a fake strace. */
function recordBelow(
  { folder }: FakeStrace,
  { stop, grace = 60_000, filter, output }: Stop = {},
): Promise<Recording> {
  return record({
    launch: { ...launchHere(['app'], '/srv', { PATH: folder }), filter: filter ?? null },
    ...(output === undefined ? {} : { output }),
    strace: ['-f'],
    name: 'app.trace',
    stop: stop ?? new AbortController().signal,
    grace,
  });
}

/** Records a command with a script in place of strace; null if strace is not installed. */
async function run(script: string | null, stop: Stop = {}): Promise<Recording> {
  await using fake = await fakeStrace(script);
  return await recordBelow(fake, stop);
}

describe('record', () => {
  it('reads what strace writes, and how the command ended', async () => {
    const { trace, end } = await run(`${openOutput}
echo '7 execve("/bin/app", ["app"], 0x1) = 0' >&3
echo '7 openat(AT_FDCWD</srv>, "etc/app.conf", O_RDONLY) = 3</srv/etc/app.conf>' >&3
printf '7 +++ exited with 3 +++' >&3`);
    expect([...trace.paths.keys()].sort()).toEqual(['bin/app', 'srv', 'srv/etc/app.conf']);
    expect(end).toEqual({ status: 3, signal: null });
  });

  it('has the exit status of strace for a command whose end strace did not see', async () => {
    const { end } = await run(`${openOutput}
echo '7 execve("/bin/app", ["app"], 0x1) = 0' >&3; exit 5`);
    expect(end).toEqual({ status: 5, signal: null });
  });

  it('refuses a command that never starts', async () => {
    const script = `${openOutput}
echo '7 execve("/bin/app", ["app"], 0x1) = -1 ENOENT (No such file or directory)' >&3; exit 1`;
    await expect(run(script)).rejects.toMatchObject({
      code: 'IO',
      message: 'the command could not be started: app',
    });
  });

  it('does not wait for a strace that ends before it opens the pipe', async () => {
    await expect(run('exit 1')).rejects.toMatchObject({ code: 'IO' });
  });

  it.each([
    ['the standard streams of this process', undefined],
    ['an output of its own', () => new CommandOutput({ stdin: 'ignore', stdout: null, stderr: null })],
  ])('hands a filter over to the command line on descriptor 3, with %s', async (_, outputOf) => {
    // It is larger than what fits into a pipe.
    const filter = Uint8Array.from({ length: 100_000 }, (__, i) => i % 251);
    await using fake = await fakeStrace(
      `/bin/cat <&3 > "$HERE/filter"; ${openOutput}; echo '7 execve("/bin/app", ["app"], 0x1) = 0' >&3`,
    );
    const output = outputOf?.();
    await recordBelow(fake, { filter, ...(output === undefined ? {} : { output }) });
    expect(readFileSync(join(fake.folder, 'filter')).equals(filter)).toBe(true);
  });

  it('does not wait for a command line that does not read its filter', async () => {
    const filter = new Uint8Array(100_000);
    const script = `${openOutput}; echo '7 execve("/bin/app", ["app"], 0x1) = 0' >&3`;
    expect((await run(script, { filter })).end.status).toBe(0);
  });

  it('refuses a machine on which strace does not start', async () => {
    await expect(run(null)).rejects.toMatchObject({
      code: 'IO',
      message: expect.stringMatching(/^strace does not start: /),
    });
  });

  it('sends the signal to a command that was stopped before it began', async () => {
    const stop = AbortSignal.abort('SIGTERM');
    const { end, wasKilled } = await run(`${openOutput}; ${command}; ${waitForTerm}`, { stop });
    expect(end).toEqual({ status: 143, signal: 'SIGTERM' });
    expect(wasKilled).toBe(false);
  });

  it('kills strace and a command that goes on after the grace period', async () => {
    await using fake = await fakeStrace(
      `${openOutput}; ${command}; echo > "$HERE/begun"; wait $pid; kill -STOP $$`,
    );
    const stop = new AbortController();
    const watcher = watch(fake.folder, () => {
      stop.abort(null);
      watcher.close();
    });
    const { end, wasKilled } = await recordBelow(fake, { stop: stop.signal, grace: 1 });
    expect(end).toEqual({ status: 1, signal: null });
    expect(wasKilled).toBe(true);
  });
});
