import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { CommandOutput } from '../../../src/jobs/record/command-output.ts';

const never = new AbortController().signal;

function start(script: string) {
  const [out, err]: [Buffer[], Buffer[]] = [[], []];
  const output = new CommandOutput({
    stdin: 'ignore',
    stdout: { write: (chunk) => out.push(Buffer.from(chunk)) },
    stderr: { write: (chunk) => err.push(Buffer.from(chunk)) },
  });
  const child = spawn('sh', ['-c', script], { stdio: output.stdio });
  return {
    output,
    ended: output.attach(child),
    text: () => [Buffer.concat(out), Buffer.concat(err)].map(String),
  };
}

describe('the output of a command', () => {
  it('is passed on, and standard output is measured', async () => {
    const { output, ended, text } = start(`printf 'a\\nb'; printf 'ä' >&2`);
    await ended;
    expect(text()).toEqual(['a\nb', 'ä']);
    const digest = `sha256:${createHash('sha256').update('a\nb').digest('hex')}`;
    expect(output.measured()).toEqual({ length: 3, digest });
  });

  it.each([
    ['on standard output', 'echo starting; echo "ready in 3 s"; exec sleep 1000'],
    ['on standard error', 'echo ready >&2; exec sleep 1000'],
    ['without a line break at its end', 'printf ready'],
  ])('has a line that is waited for %s', async (_, script) => {
    const output = new CommandOutput({ stdin: 'ignore', stdout: null, stderr: null });
    const child = spawn('sh', ['-c', script], { stdio: output.stdio });
    const ended = output.attach(child);
    await output.logged(/^ready/, never);
    // One that has passed is found, too.
    await output.logged(/ready/, never);
    child.kill('SIGKILL');
    await ended;
  });

  it('is not waited for any longer when the signal fires', async () => {
    const { output, ended } = start('exit 0');
    const stop = new AbortController();
    const waiting = output.logged(/never/, stop.signal);
    stop.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    await ended;
  });
});
