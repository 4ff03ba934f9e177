import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OcislimError } from '../../src/errors.ts';
import { compileSeccomp, profileForTrial } from '../../src/trace/seccomp-filter.ts';
import { readSeccompProfile } from '../../src/trace/seccomp-profile.ts';
import { seccompProfile } from '../../src/trace/seccomp.ts';
import { checkFilter } from '../support/bpf.ts';
import { readFixture } from './read-trace.ts';

const read = (value: unknown) =>
  readSeccompProfile(typeof value === 'string' ? value : JSON.stringify(value), 'the profile');
const target = { architecture: 'amd64', kernel: '6.1.0', capabilities: [] };

describe('a profile', () => {
  it('of ocislim is read as it was made, without its comments', () => {
    const profile = seccompProfile(readFixture('strace/f-all.txt'));
    const found = read(JSON.stringify(profile, null, 2));
    expect(found).toEqual({
      ...profile,
      syscalls: profile.syscalls.map((group) =>
        Object.fromEntries(Object.entries(group).filter(([name]) => name !== 'comment')),
      ),
    });
    expect(compileSeccomp(found, target)?.program).toEqual(compileSeccomp(profile, target)?.program);
  });

  it('has the form of the default one of Docker', () => {
    const found = read({
      defaultAction: 'SCMP_ACT_ERRNO',
      defaultErrnoRet: 38,
      archMap: [
        { architecture: 'SCMP_ARCH_X86_64', subArchitectures: ['SCMP_ARCH_X86'] },
        { architecture: 'SCMP_ARCH_RISCV64', subArchitectures: null },
      ],
      syscalls: [
        { names: ['read'], action: 'SCMP_ACT_ALLOW', args: null, comment: '', includes: {}, excludes: {} },
        {
          names: ['clone'],
          action: 'SCMP_ACT_ALLOW',
          args: [{ index: 0, value: 2114060288, valueTwo: 0, op: 'SCMP_CMP_MASKED_EQ' }],
          excludes: { caps: ['CAP_SYS_ADMIN'], arches: ['s390', 's390x'] },
        },
        { names: ['ptrace'], action: 'SCMP_ACT_ALLOW', includes: { minKernel: '4.8' } },
        { names: ['clone3'], action: 'SCMP_ACT_ERRNO', errnoRet: 38 },
      ],
    });
    expect(found.archMap?.[1]).toEqual({ architecture: 'SCMP_ARCH_RISCV64', subArchitectures: [] });
    expect(found.syscalls).toEqual([
      {
        names: ['read'],
        action: 'SCMP_ACT_ALLOW',
        includes: { caps: [], arches: [] },
        excludes: { caps: [], arches: [] },
      },
      {
        names: ['clone'],
        action: 'SCMP_ACT_ALLOW',
        args: [{ index: 0, value: 2114060288, valueTwo: 0, op: 'SCMP_CMP_MASKED_EQ' }],
        excludes: { caps: ['CAP_SYS_ADMIN'], arches: ['s390', 's390x'] },
      },
      { names: ['ptrace'], action: 'SCMP_ACT_ALLOW', includes: { caps: [], arches: [], minKernel: '4.8' } },
      { names: ['clone3'], action: 'SCMP_ACT_ERRNO', errnoRet: 38 },
    ]);
  });

  it('of old has one name for each group, and a plain list of architectures', () => {
    const found = read({
      defaultAction: 'SCMP_ACT_KILL',
      architectures: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86'],
      syscalls: [{ name: 'read', action: 'SCMP_ACT_ALLOW', args: [] }],
    });
    expect(found.syscalls).toEqual([{ names: ['read'], action: 'SCMP_ACT_ALLOW' }]);
    expect(found.archMap?.map(({ architecture }) => architecture)).toEqual([
      'SCMP_ARCH_X86_64',
      'SCMP_ARCH_X86',
    ]);
    expect(found.archMap?.[0]?.subArchitectures).toContain('SCMP_ARCH_X86');
  });

  const allow = { names: ['read'], action: 'SCMP_ACT_ALLOW' };
  const base = { defaultAction: 'SCMP_ACT_ERRNO', syscalls: [allow] };
  it.each<[string, unknown]>([
    ['it is not a JSON object', 'read write'],
    ['it is not a JSON object', []],
    ['defaultAction is missing, not one of SCMP_ACT_ALLOW', {}],
    ['defaultAction is "SCMP_ACT_NOTIFY"', { ...base, defaultAction: 'SCMP_ACT_NOTIFY' }],
    ['defaultErrnoRet is 4096, not a number from 0 to 4095', { ...base, defaultErrnoRet: 4096 }],
    ['syscalls is not a list', { ...base, syscalls: { read: true } }],
    ['syscalls[1] is not an object', { ...base, syscalls: [allow, 'write'] }],
    ['syscalls[0] names no system call', { ...base, syscalls: [{ action: 'SCMP_ACT_ALLOW' }] }],
    ['syscalls[0].names is not a list of texts', { ...base, syscalls: [{ ...allow, names: [1] }] }],
    ['syscalls[0].action is "allow"', { ...base, syscalls: [{ ...allow, action: 'allow' }] }],
    ['syscalls[0].errnoRet is "EPERM"', { ...base, syscalls: [{ ...allow, errnoRet: 'EPERM' }] }],
    ['syscalls[0].args is not a list of objects', { ...base, syscalls: [{ ...allow, args: [1] }] }],
    ['syscalls[0].args is not a list of objects', { ...base, syscalls: [{ ...allow, args: { index: 0 } }] }],
    [
      'syscalls[0].includes.caps is not a list of texts',
      { ...base, syscalls: [{ ...allow, includes: { caps: 'x' } }] },
    ],
    [
      'syscalls[0].excludes.minKernel is "new"',
      { ...base, syscalls: [{ ...allow, excludes: { minKernel: 'new' } }] },
    ],
    ['archMap[0] has no architecture', { ...base, archMap: ['SCMP_ARCH_X86_64'] }],
    ['archMap is not a list', { ...base, archMap: { SCMP_ARCH_X86_64: [] } }],
  ])('is refused with the place of what is wrong: %s', (why, value) => {
    const found = (() => {
      try {
        return read(value);
      } catch (error) {
        return error;
      }
    })();
    expect(found).toMatchObject({ code: 'USAGE', message: expect.stringContaining(`the profile: ${why}`) });
  });

  it('of any content is read and compiled, or refused', () => {
    const text = fc.constantFrom(
      'read',
      'SCMP_ACT_ALLOW',
      'SCMP_ACT_ERRNO',
      'SCMP_ARCH_X86_64',
      '4.8',
      '__proto__',
    );
    const key = fc.constantFrom(
      'names',
      'action',
      'args',
      'includes',
      'excludes',
      'caps',
      'minKernel',
      'errnoRet',
      '__proto__',
    );
    const { value } = fc.letrec<{ value: unknown }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        text,
        fc.integer({ min: -1, max: 5000 }),
        fc.constant(null),
        fc.array(tie('value'), { maxLength: 4 }),
        fc.dictionary(key, tie('value'), { maxKeys: 5 }),
      ),
    }));
    const group = fc.record(
      { names: fc.array(text), action: text, args: value, includes: value, excludes: value },
      { requiredKeys: ['action'] },
    );
    const root = fc.record(
      {
        defaultAction: text,
        defaultErrnoRet: value,
        archMap: value,
        syscalls: fc.oneof(fc.array(group), value),
      },
      { requiredKeys: ['defaultAction'] },
    );
    fc.assert(
      fc.property(root, (given) => {
        try {
          const filter = compileSeccomp(profileForTrial(read(given)), target);
          checkFilter(filter?.program ?? new Uint8Array());
        } catch (error) {
          if (!(error instanceof OcislimError)) throw error;
        }
      }),
      { numRuns: 500 },
    );
  });
});
