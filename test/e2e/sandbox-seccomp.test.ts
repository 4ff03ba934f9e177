/**
 * `trace record --run-seccomp`: programs of images below the filter of a profile, in every sandbox that bubblewrap makes. What a profile does not
 * allow fails there as it would in production.
 */
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { interfacesOf } from '../../src/trace/seccomp-numbers.ts';
import type { GivenGroup, GivenProfile } from '../../src/trace/seccomp-profile.ts';
import { bin } from '../support/e2e/cli.ts';
import { buildGo, type Ended, removeFolder, run, runToEnd, workFolder } from '../support/e2e/programs.ts';
import { type Runner, wordsOf } from '../support/e2e/runners.ts';
import { sample } from '../support/extent.ts';
import { buildImage, writeLayout } from '../support/image-builder.ts';
import { specOf } from '../support/model/shorthand.ts';
import { writeTar } from '../support/model/tar-bytes.ts';

let work: string;
let profiles: { readonly reading: Made; readonly making: Made; readonly narrow: Made };

beforeAll(async () => {
  work = workFolder('filtered');
  chmodSync(work, 0o755);
  const program = join(work, 'narrow');
  await buildGo(fileURLToPath(new URL('../../fixtures/narrow/main.go', import.meta.url)), program, work);
  const layer = writeTar([
    specOf('tmp/'),
    { name: 'narrow', body: readFileSync(program), mode: 0o755 },
    specOf('etc/passwd=root:x:0:0::/:/x\napp:x:1000:1000::/:/x\n'),
  ]);
  const image = buildImage({ layers: [layer], config: { config: { Entrypoint: ['/narrow'] } } });
  await writeLayout(join(work, 'static'), { v1: image });
  await run('cp', ['-r', join(inject('images'), 'busybox'), join(work, 'busybox')]);
  await run('chmod', ['-R', 'a+rX', join(work, 'busybox'), join(work, 'static')]);
  profiles = {
    reading: await profileOf('reading', 'busybox', ...reading),
    making: await profileOf('making', 'busybox', ...making),
    narrow: await profileOf('narrow', 'static'),
  };
});
afterAll(() => removeFolder(work));

/** Records an image, and resolves to how that ended. */
async function record(runner: Runner, image: string, ...args: readonly string[]): Promise<Ended> {
  const home = join(work, runner);
  mkdirSync(home, { recursive: true });
  chmodSync(home, 0o777);
  const line = [bin, 'trace', 'record', '-q', '--image', `oci:${join(work, image)}:v1`, ...args];
  if (!args.includes('-o')) line.splice(3, 0, '-o', join(home, 'run.trace'));
  const [program = '', ...rest] = [...wordsOf(runner, work), process.execPath, ...line];
  return runToEnd(program, rest, { env: { HOME: home, TMPDIR: home } });
}

interface Made {
  readonly file: string;
  /** What the program printed while its calls were recorded. */
  readonly stdout: string;
}

/** Records an image with all of its system calls as root, and makes a profile of them. */
async function profileOf(name: string, image: string, ...args: readonly string[]): Promise<Made> {
  const [trace, file] = [join(work, `${name}.trace`), join(work, `${name}.json`)];
  const { status, stdout, stderr } = await record('root', image, '-o', trace, '--all-syscalls', ...args);
  expect(status, stderr).toBe(0);
  await run(process.execPath, [bin, 'trace', 'seccomp', trace, '-o', file]);
  chmodSync(file, 0o644);
  return { file, stdout };
}

/** Writes a profile, and returns its file. */
function fileOf(name: string, profile: object): string {
  const file = join(work, `${name}.json`);
  writeFileSync(file, JSON.stringify(profile));
  return file;
}

const shell = (script: string) => ['--run-entrypoint', '/bin/sh -c', '--', script];
const reading = shell('cat /app/fruit.txt; grep Seccomp /proc/self/status');
const making = shell('mkdir /tmp/made && echo made');
const hello = ['hello\n', 0];
const runners = ['root', 'alone', 'mapped'] as const;

/** What the scheduler and the memory of Go may call at any time (runtime/sys_linux_amd64.s): one run does not show all of it. */
const scheduler: GivenGroup = {
  names:
    'brk clock_gettime clone close epoll_create1 epoll_ctl epoll_pwait eventfd2 exit fcntl futex getpid gettid madvise mincore mmap mprotect munmap nanosleep pipe2 prctl read rt_sigaction rt_sigprocmask rt_sigreturn sched_getaffinity sched_yield setitimer sigaltstack tgkill timer_create timer_delete timer_settime tkill write'.split(
      ' ',
    ),
  action: 'SCMP_ACT_ALLOW',
};

/** The two lines of /proc/self/status about filters. */
function filtersIn(stdout: string): readonly (number | undefined)[] {
  const [, mode, count] = /^Seccomp:\t(\d)\nSeccomp_filters:\t(\d+)$/m.exec(stdout) ?? [];
  return [Number(mode), Number(count)];
}

it.each(runners)(
  'run by %s, a program does below a filter what it did when its profile was made',
  async (runner) => {
    const [before] = profiles.reading.stdout.split('Seccomp');
    const [, filters = 0] = filtersIn(profiles.reading.stdout);
    for (const user of [[], ['--run-user', '7:8']]) {
      // Without all calls, strace would add a filter of its own.
      const options = ['--all-syscalls', '--run-seccomp', profiles.reading.file, ...user];
      const { stdout, stderr, status } = await record(runner, 'busybox', ...options, ...reading);
      expect([stdout.split('Seccomp')[0], status], stderr).toEqual([before, 0]);
      expect(filtersIn(stdout)).toEqual([2, filters + 1]);
      expect(stderr).not.toContain('seccomp');
    }
  },
);

describe.each(sample(runners, 3))('run by %s, below a filter', (runner) => {
  it('a program gets EPERM for what it did not do when its profile was made', async () => {
    const refused = await record(runner, 'busybox', '--run-seccomp', profiles.reading.file, ...making);
    expect([refused.stdout, refused.stderr]).toEqual([
      '',
      expect.stringContaining("mkdir: can't create directory '/tmp/made': Operation not permitted"),
    ]);
    // The profile is what refused it.
    const allowed = await record(runner, 'busybox', '--run-seccomp', profiles.making.file, ...making);
    expect(allowed.stdout, allowed.stderr).toBe('made\n');
  });

  it('a static program may have a profile that allows its own calls alone', async () => {
    const whole = JSON.parse(readFileSync(profiles.narrow.file, 'utf8')) as GivenProfile;
    const own = { ...whole, syscalls: [...whole.syscalls.slice(0, 1), scheduler] };
    expect(own.syscalls.flatMap(({ names }) => names)).not.toContain('setgroups');
    for (const [defaultAction, user] of [
      ['SCMP_ACT_ERRNO', []],
      ['SCMP_ACT_KILL_PROCESS', ['--run-user', 'app']],
    ] as const) {
      const options = ['--run-seccomp', fileOf('own', { ...own, defaultAction }), ...user];
      const seen = await record(runner, 'static', ...options);
      expect([seen.stdout, seen.status], seen.stderr).toEqual(hello);
      for (const deed of ['folder', 'socket']) {
        const refused = await record(runner, 'static', ...options, '--', deed);
        // The name service that setpriv asks needs sockets: such a call is refused, where others kill.
        const isKilled = defaultAction === 'SCMP_ACT_KILL_PROCESS' && deed === 'folder';
        expect(refused.stdout, refused.stderr).toMatch(
          isKilled ? /^$/ : /^failed: .*operation not permitted\n$/,
        );
        expect(refused.stderr).toContain(isKilled ? 'SIGSYS' : 'ended with 4');
      }
    }
  });
});

/** A profile of the form of Docker's default one: nearly all calls, with conditions on arguments, capabilities, kernels and architectures. */
function profileLikeDocker(): object {
  const privileged = [
    'bpf',
    'clone',
    'clone3',
    'mount',
    'umount2',
    'unshare',
    'setns',
    'pivot_root',
    'reboot',
    'socket',
    'chroot',
    'personality',
    'ptrace',
    'mkdir',
    'mkdirat',
    'sethostname',
  ];
  const all = (interfacesOf('amd64') ?? []).flatMap(({ numbers }) => [...numbers.keys()]);
  const names = [...new Set([...all, 'arm_fadvise64_64', 'recv'])].filter(
    (name) => !privileged.includes(name),
  );
  const allow = (names: readonly string[], more: object) => ({
    names,
    action: 'SCMP_ACT_ALLOW',
    args: null,
    comment: '',
    includes: {},
    excludes: {},
    ...more,
  });
  const mask = [{ index: 0, value: 2_114_060_288, valueTwo: 0, op: 'SCMP_CMP_MASKED_EQ' }];
  return {
    defaultAction: 'SCMP_ACT_ERRNO',
    defaultErrnoRet: 1,
    archMap: [
      { architecture: 'SCMP_ARCH_X86_64', subArchitectures: ['SCMP_ARCH_X86', 'SCMP_ARCH_X32'] },
      { architecture: 'SCMP_ARCH_AARCH64', subArchitectures: ['SCMP_ARCH_ARM'] },
      { architecture: 'SCMP_ARCH_S390X', subArchitectures: null },
    ],
    syscalls: [
      allow(names, {}),
      allow(['ptrace'], { includes: { minKernel: '4.8' } }),
      allow(['socket'], { args: [{ index: 0, value: 40, op: 'SCMP_CMP_NE' }] }),
      allow(['s390_pci_mmio_read'], { includes: { arches: ['s390', 's390x'] } }),
      allow(['clone', 'clone3', 'mount', 'sethostname', 'unshare', 'mkdir', 'mkdirat'], {
        includes: { caps: ['CAP_SYS_ADMIN'] },
      }),
      allow(['clone'], { args: mask, excludes: { caps: ['CAP_SYS_ADMIN'], arches: ['s390'] } }),
      allow(['chroot'], { includes: { caps: ['CAP_SYS_CHROOT'] } }),
      { names: ['clone3'], action: 'SCMP_ACT_ERRNO', errnoRet: 38, excludes: { caps: ['CAP_SYS_ADMIN'] } },
    ],
  };
}

describe('a run below a filter', () => {
  it('takes a profile like the default one of Docker, and says what of it is not looked at', async () => {
    const profile = fileOf('docker', profileLikeDocker());
    const threads = await record('root', 'static', '--run-seccomp', profile);
    expect([threads.stdout, threads.status], threads.stderr).toEqual(hello);
    expect(threads.stderr).toContain(
      'the arguments that the seccomp profile allows are not looked at: clone, socket\n',
    );
    expect(threads.stderr).not.toContain('not known');
    const script = 'chroot / /bin/sh -c "echo root"; mkdir /tmp/made || echo refused';
    const { stdout } = await record(
      'root',
      'busybox',
      '--run-user',
      '0',
      '--run-seccomp',
      profile,
      ...shell(script),
    );
    expect(stdout).toBe('root\nrefused\n');
  });

  it('names calls of the profile that it does not know', async () => {
    const profile = fileOf('tomorrow', {
      defaultAction: 'SCMP_ACT_ALLOW',
      syscalls: [
        { names: ['read', 'of_tomorrow'], action: 'SCMP_ACT_ALLOW' },
        { names: ['past_tomorrow'], action: 'SCMP_ACT_KILL' },
      ],
    });
    const { stderr, status } = await record('root', 'busybox', '--run-seccomp', profile);
    expect([status, stderr]).toEqual([
      0,
      expect.stringContaining('names system calls that are not known here: of_tomorrow, past_tomorrow\n'),
    ]);
  });

  it('leaves commands beside the program without the filter', async () => {
    const server = shell('exec httpd -f -p 8080 -h /app');
    const asked = ['--http-probe=:8080/fruit.txt', '--run-for=0'];
    const { file } = await profileOf('server', 'busybox', ...asked, ...server);
    const options = [...asked, '--run-seccomp', file, '--exec-probe=mkdir /tmp/beside'];
    const { status, stderr } = await record('root', 'busybox', ...options, ...server);
    expect(stderr).toContain('GET http://:8080/fruit.txt: 200');
    expect(stderr).toContain('mkdir /tmp/beside: ended with 0');
    expect(status).toBe(0);
  });

  it('is refused where no filter can be set, and where the file is not a profile', async () => {
    const profile = fileOf('any', { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [] });
    const free = await record('root', 'busybox', '--sandbox', 'chroot', '--run-seccomp', profile);
    expect([free.status, free.stdout, free.stderr]).toEqual([
      1,
      '',
      expect.stringContaining('only bubblewrap runs a program under a seccomp profile'),
    ]);
    const here = await record('root', 'busybox', '--sandbox', 'none', '--run-seccomp', profile);
    expect([here.status, here.stderr]).toEqual([
      2,
      expect.stringContaining('--run-seccomp goes with --image'),
    ]);
    const wrong = fileOf('wrong', {
      defaultAction: 'SCMP_ACT_ALLOW',
      syscalls: [{ names: ['read'], action: 'ALLOW' }],
    });
    const refused = await record('root', 'busybox', '--run-seccomp', wrong);
    expect([refused.status, refused.stderr]).toEqual([
      2,
      expect.stringContaining('wrong.json": syscalls[0].action is "ALLOW", not one of SCMP_ACT_ALLOW'),
    ]);
  });
});
