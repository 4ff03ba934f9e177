import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ocislim } from '../support/e2e/cli.ts';
import { type Ended, removeFolder, run, runToEnd, workFolder } from '../support/e2e/programs.ts';

const compiler = fileURLToPath(new URL('../support/e2e/compile-seccomp.py', import.meta.url));
const program = ['/bin/sh', '-c', 'cat /etc/passwd | wc -l; sleep 0; ls -d /usr'];

/** From strace to the kernel: the profile, compiled by libseccomp, allows the traced program and nothing else. */
describe('a profile from a trace', () => {
  let work: string;

  beforeAll(async () => {
    work = workFolder('seccomp');
    const [trace, profile] = [join(work, 'app.strace'), join(work, 'profile.json')];
    await run('strace', ['-f', '-o', trace, ...program]);
    const made = await ocislim(['trace', 'seccomp', trace, '-o', profile]);
    expect(made).toMatchObject({ status: 0, stdout: '' });
    // libseccomp knows every name in the profile.
    expect(await run('/usr/bin/python3', [compiler, profile, join(work, 'filter')])).toBe('\n');
  });

  afterAll(() => removeFolder(work));

  async function filtered(filter: string, command: readonly string[]): Promise<Ended> {
    const script = 'filter=$1; shift; exec bwrap --dev-bind / / --seccomp 3 "$@" 3<"$filter"';
    return runToEnd('/bin/sh', ['-c', script, 'sh', filter, ...command]);
  }

  it('lets the program run as before', async () => {
    const said = await run(program[0] as string, program.slice(1));
    expect(await filtered(join(work, 'filter'), program)).toMatchObject({
      status: 0,
      stdout: said,
      stderr: '',
    });
  });

  it('refuses what the program never did', async () => {
    const folder = join(work, 'made');
    const refused = await filtered(join(work, 'filter'), ['/bin/mkdir', folder]);
    expect(refused.status).toBe(1);
    expect(refused.stderr).toContain('Operation not permitted');
    const socket = ['/usr/bin/python3', '-c', 'import socket; socket.socket()'];
    expect((await filtered(join(work, 'filter'), socket)).stderr).toContain('PermissionError');
    // A filter that allows everything lets both pass, so the profile is what refuses.
    await writeFile(join(work, 'open'), Buffer.from('060000000000ff7f', 'hex'));
    expect((await filtered(join(work, 'open'), ['/bin/mkdir', folder])).status).toBe(0);
    expect((await filtered(join(work, 'open'), socket)).status).toBe(0);
  });
});
