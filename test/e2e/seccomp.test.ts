import fc from 'fast-check';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compileSeccomp } from '../../src/trace/seccomp-filter.ts';
import { interfacesOf } from '../../src/trace/seccomp-numbers.ts';
import type { GivenProfile, SeccompAction } from '../../src/trace/seccomp-profile.ts';
import { checkFilter, runFilter } from '../support/bpf.ts';
import { runs, seed } from '../support/extent.ts';
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

/** Both compile one profile, and their programs are run for each call that there is. */
describe('filters of ocislim and of libseccomp', () => {
  let work: string;
  beforeAll(() => {
    work = workFolder('seccomp-judge');
  });
  afterAll(() => removeFolder(work));

  const actions: readonly SeccompAction[] = [
    'SCMP_ACT_ALLOW',
    'SCMP_ACT_ERRNO',
    'SCMP_ACT_KILL',
    'SCMP_ACT_KILL_PROCESS',
    'SCMP_ACT_LOG',
    'SCMP_ACT_TRAP',
  ];
  /** Calls of 32-bit programs that stand for many, among which ocislim does not distinguish. */
  const multiplexers = ['socketcall', 'ipc'];

  it.each([
    ['amd64', []],
    ['amd64', ['SCMP_ARCH_X86']],
    ['amd64', ['SCMP_ARCH_X32']],
    ['amd64', ['SCMP_ARCH_X86', 'SCMP_ARCH_X32']],
    ['arm64', []],
    ['riscv64', []],
  ] as const)('decide alike about every call on %s with %j', async (architecture, subArchitectures) => {
    const interfaces = interfacesOf(architecture) ?? [];
    const native = interfaces[0]?.name ?? '';
    const names = [...new Set(interfaces.flatMap(({ numbers }) => [...numbers.keys()]))];
    const group = fc.record({
      names: fc.subarray(names, { minLength: 1 }),
      action: fc.constantFrom(...actions),
      errnoRet: fc.integer({ min: 1, max: 133 }),
    });
    const groups = fc.array(group, { minLength: 1, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(groups, fc.constantFrom(...actions), async (syscalls, defaultAction) => {
        const archMap = [{ architecture: native, subArchitectures }];
        const profile: GivenProfile = { defaultAction, archMap, syscalls };
        const [file, program] = [join(work, 'profile.json'), join(work, 'program')];
        await writeFile(file, JSON.stringify(profile));
        const said = await run('/usr/bin/python3', [compiler, file, program, native]);
        const unknown = said.split(/\s+/).filter((name) => name !== '');
        const judge = await readFile(program);
        const own = compileSeccomp(profile, { architecture, kernel: '6.1', capabilities: [] });
        if (own === null) throw new Error(`no table for ${architecture}`);
        checkFilter(own.program);
        for (const { audit, numbers } of interfaces)
          for (const [name, number] of [...numbers, ['', 0x3fff_ffff], ['', 0xffff_ffff]] as const) {
            if (unknown.includes(name) || multiplexers.includes(name)) continue;
            const call = { audit, number };
            const [ours, theirs] = [runFilter(own.program, call), runFilter(judge, call)];
            if (ours !== theirs)
              throw new Error(`${name}, call ${number}: ${ours}, but ${theirs} by libseccomp`);
          }
        // It is older than the table, but not by much.
        for (const name of unknown) {
          const numbers = interfaces.map((each) => each.numbers.get(name) ?? 0);
          expect([name, Math.max(...numbers) >= 447 || name.endsWith('probe')]).toEqual([name, true]);
        }
      }),
      { seed, numRuns: runs(3, 30) },
    );
  });

  it('of another architecture kill', async () => {
    const profile: GivenProfile = { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [], archMap: [] };
    const own = compileSeccomp(profile, { architecture: 'amd64', kernel: '6.1', capabilities: [] });
    const foreign = [0x4000_0003, 0xc000_00b7].map((audit) =>
      runFilter(own?.program ?? new Uint8Array(), { audit, number: 1 }),
    );
    expect(foreign).toEqual([0, 0]);
  });
});
