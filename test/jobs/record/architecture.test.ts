import { describe, expect, it } from 'vitest';
import { hasHandler, requireArchitecture } from '../../../src/jobs/record/sandbox/architecture.ts';

/** A handler as the kernel prints it. */
const handler = (magic: string, mask: string, state = 'enabled', flags = 'OCF') =>
  `${state}\ninterpreter /usr/libexec/qemu\nflags: ${flags}\noffset 0\nmagic ${magic}\n${mask === '' ? '' : `mask ${mask}\n`}`;

const identification = '7f454c460201010000000000000000000200';
/** What Debian registers: any system's executables and shared objects. */
const mask = 'ffffffffffffff00fffffffffffffffffeffffff';
const arm64 = handler(`${identification}b700`, mask);

describe('a handler for programs of another architecture', () => {
  it.each([
    ['arm64', true],
    ['amd64', false],
    ['riscv64', false],
    ['arm', false],
    ['unknown', false],
  ])('of arm64, for %s: %s', (architecture, expected) => {
    expect(hasHandler(architecture, ['enabled\ninterpreter /usr/bin/x\nextension .x\n', arm64])).toBe(
      expected,
    );
  });

  it('of an architecture with the other byte order', () => {
    const s390x = handler('7f454c4602020100000000000000000000020016', mask);
    expect(hasHandler('s390x', [s390x])).toBe(true);
    expect(hasHandler('ppc64', [s390x])).toBe(false);
  });

  it('counts only if it is enabled, and works in any root filesystem', () => {
    expect(hasHandler('arm64', [])).toBe(false);
    expect(hasHandler('arm64', [handler(`${identification}b700`, mask, 'disabled')])).toBe(false);
    expect(hasHandler('arm64', [handler(`${identification}b700`, mask, 'enabled', 'OC')])).toBe(false);
    expect(hasHandler('arm64', [handler(`${identification}b700`, '')])).toBe(true);
  });
});

it('a machine runs its own programs', async () => {
  const own = { x64: 'amd64', arm64: 'arm64' }[process.arch as string] ?? process.arch;
  await requireArchitecture(`linux/${own}`);
  await requireArchitecture(`linux/${own}/v8`);
});

it.each(['linux/mips', 'windows/amd64'])('an image for %s is refused, with what to do', async (platform) => {
  await expect(requireArchitecture(platform)).rejects.toMatchObject({
    code: 'UNSUPPORTED',
    message: expect.stringContaining(`the image is for ${platform}, and this machine (linux/`) as string,
    advice: expect.stringContaining('--platform linux/') as string,
  });
});
