import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CommandOutput, type OutputSink } from '../../../src/jobs/record/command-output.ts';
import { OutputPipes } from '../../../src/jobs/record/named-pipe.ts';
import { ascii, utf8Bytes } from '../../../src/bytes/bytes.ts';

const never = new AbortController().signal;
let work: string;
beforeAll(() => {
  work = mkdtempSync(join(tmpdir(), 'ocislim-output-'));
});
afterAll(() => rmSync(work, { recursive: true, force: true }));

async function start(script: string, stdout: OutputSink | null = null, stderr: OutputSink | null = null) {
  const output = new CommandOutput({ stdin: 'ignore', stdout, stderr });
  const pipes = await OutputPipes.make(mkdtempSync(join(work, 'pipes-')));
  const child = spawn('sh', ['-c', script], { stdio: output.stdio(pipes) });
  const ended = output.read(pipes);
  return { output, child, ended };
}

/** Runs a script to its end, and returns what came on its standard output and error. */
async function textsOf(script: string) {
  const [out, err]: [Buffer[], Buffer[]] = [[], []];
  const { output, ended } = await start(
    script,
    { write: (chunk) => out.push(Buffer.from(chunk)) },
    { write: (chunk) => err.push(Buffer.from(chunk)) },
  );
  await ended;
  return { output, texts: [Buffer.concat(out), Buffer.concat(err)].map(String) };
}

describe('the output of a command', () => {
  it('is passed on, and standard output is measured', async () => {
    const { output, texts } = await textsOf(`printf 'a\\nb'; printf 'ä' >&2`);
    expect(texts).toEqual(['a\nb', 'ä']);
    const digest = `sha256:${createHash('sha256').update('a\nb').digest('hex')}`;
    expect(output.measured()).toEqual({ length: 3, digest });
  });

  it('can be opened by its names, as servers open their logs', async () => {
    const { texts } = await textsOf(`echo a >/dev/stdout; echo b >>/dev/stderr; echo c >>/proc/self/fd/1`);
    expect(texts).toEqual(['a\nc\n', 'b\n']);
  });

  it.each([
    ['on standard output', 'echo starting; echo "ready in 3 s"; exec sleep 1000'],
    ['on standard error', 'echo ready >&2; exec sleep 1000'],
    ['without a line break at its end', 'printf ready'],
  ])('has a line that is waited for %s', async (_, script) => {
    const { output, child, ended } = await start(script);
    await output.logged(/^ready/, never);
    // One that has passed is found, too.
    await output.logged(/ready/, never);
    child.kill('SIGKILL');
    await ended;
  });

  it('is not waited for any longer when the signal fires', async () => {
    const { output, ended } = await start('exit 0');
    const stop = new AbortController();
    const waiting = output.logged(/never/, stop.signal);
    stop.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    await ended;
  });
});

it('the pipes of the output are no files in what strace says', async () => {
  const folder = mkdtempSync(join(work, 'pipes-'));
  using pipes = await OutputPipes.make(folder);
  const line = ascii`7 openat(AT_FDCWD</app>, "/dev/stderr", O_WRONLY) = 3<${utf8Bytes(folder)}/stderr>`;
  expect(pipes.hide(line)).toBe('7 openat(AT_FDCWD</app>, "/dev/stderr", O_WRONLY) = 3<pipe:[0]>');
  const other = ascii`7 openat(AT_FDCWD</app>, "/app/stderr", O_RDONLY) = 3</app/stderr>`;
  expect(pipes.hide(other)).toBe(other);
});
