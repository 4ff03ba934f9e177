import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  creportDocument,
  type CreportContents,
  modeText,
  type ReportedFile,
  type ReportedImage,
} from '../../src/trace/creport-file.ts';
import { type Trace, uses } from '../../src/trace/trace.ts';
import { b } from '../support/bytes.ts';
import { anyName, anyPath, anyTrace } from './any-trace.ts';
import { readTrace, usesOf } from './read-trace.ts';

const image: ReportedImage = {
  name: 'registry.example/app:1',
  id: `sha256:${'c'.repeat(64)}`,
  platform: 'linux/amd64',
  entrypoint: ['/entry.sh'],
  command: ['serve', '-v'],
  user: 'www-data',
  workingDirectory: '/srv',
};

const anyFile: fc.Arbitrary<ReportedFile> = fc
  .record({
    path: anyPath.filter((path) => !/^\.\.?(?:\/|$)/.test(path)),
    kind: fc.constantFrom('file', 'directory', 'symlink', 'char', 'block', 'fifo'),
    mode: fc.nat(0o7777),
    size: fc.option(fc.nat()),
    uid: fc.option(fc.nat()),
    gid: fc.option(fc.nat()),
    target: anyName.map(b),
    sha1: fc.option(fc.constant('a'.repeat(40))),
  })
  .map((file) => ({ ...file, target: file.kind === 'symlink' ? file.target : null }));

const anyFiles = fc.uniqueArray(anyFile, { maxLength: 8, selector: ({ path }) => path });

/** Writes a report. Its bytes are one character each. */
async function written(
  trace: Trace,
  files: readonly ReportedFile[] = [],
  rest: Partial<CreportContents> = {},
): Promise<string> {
  const contents = { trace, image, files, producer: 'ocislim 1.2.0', ...rest };
  let text = '';
  for await (const piece of creportDocument(contents, new AbortController().signal)) text += piece;
  return Buffer.from(text, 'utf8').toString('latin1');
}

/** Writes a report and parses it. */
async function report(...args: Parameters<typeof written>): Promise<Report> {
  return JSON.parse(Buffer.from(await written(...args), 'latin1').toString('utf8')) as Report;
}

/** The report, as SlimToolkit declares its fields. */
interface Report {
  readonly document: string;
  readonly start_command: Readonly<Record<string, unknown>>;
  readonly monitors: {
    readonly fan: {
      readonly event_count: number;
      readonly process_files: Readonly<Record<string, Readonly<Record<string, object>>>>;
    };
    readonly pt: {
      readonly enabled: boolean;
      readonly arch_name?: string;
      readonly syscall_count: number;
      readonly syscall_num: number;
      readonly syscall_stats: Readonly<Record<string, object>>;
      readonly fs_activity: Readonly<Record<string, object>>;
    };
  };
  readonly image: { readonly files: readonly Readonly<Record<string, unknown>>[] };
}

function isText(bytes: string): boolean {
  return Buffer.from(Buffer.from(bytes, 'latin1').toString('utf8'), 'utf8').toString('latin1') === bytes;
}

/** The uses that the form can tell. */
function told(bits: number): number {
  const { open, list, exec, write, stat, link, fail, failLink } = uses;
  return (
    (bits & (open | list) ? open : 0) |
    (bits & exec) |
    (bits & write) |
    (bits & (stat | link | fail | failLink) ? stat : 0)
  );
}

/** The uses that a file in the report adds: how it was opened, otherwise what its type says. */
function kept({ kind }: ReportedFile, bits: number): number {
  if (kind === 'directory') return uses.stat;
  if (kind === 'symlink') return uses.link;
  return told(bits) & ~uses.stat || uses.open;
}

function traceOf(text: string): Trace {
  return readTrace(text);
}

describe('the report in the form of SlimToolkit', () => {
  it('tells the reader of such reports every use that the form knows', async () => {
    await fc.assert(
      fc.asyncProperty(anyTrace, anyFiles, async (trace, files) => {
        const expected = new Map<string, number>();
        const add = (path: string, bits: number): void =>
          void expected.set(path, (expected.get(path) ?? 0) | bits);
        for (const [path, bits] of trace.paths) if (isText(path)) add(path, told(bits));
        for (const file of files) add(file.path, kept(file, trace.paths.get(file.path) ?? 0));
        const read = readTrace(await written(trace, files));
        expect(read.formats).toEqual(['creport']);
        expect(new Map(read.paths)).toEqual(expected);
      }),
    );
  });

  it('has all system calls or none, the command and the platform without its variant', async () => {
    await fc.assert(
      fc.asyncProperty(anyTrace, async (trace) => {
        const read = readTrace(await written(trace));
        const isComplete = trace.hasAllSyscalls && trace.syscalls.size > 0;
        expect(read.hasAllSyscalls).toBe(isComplete);
        expect(new Map(read.syscalls)).toEqual(isComplete ? trace.syscalls : new Map());
        expect(read.platform).toBe((trace.platform ?? 'linux/amd64').replace('/v8', ''));
        if (trace.command?.every(isText) === true) expect(read.command).toEqual(trace.command);
      }),
    );
  });

  it('has exactly the files that it is given, in their order, with what is known of them', async () => {
    await fc.assert(
      fc.asyncProperty(anyTrace, anyFiles, async (trace, files) => {
        const listed = (await report(trace, files)).image.files;
        const bytes = (file: Readonly<Record<string, unknown>>, key: string): string | null => {
          const [text, encoded] = [file[key], file[`${key}_base64`]];
          if (typeof encoded === 'string') return Buffer.from(encoded, 'base64').toString('latin1');
          return typeof text === 'string' ? Buffer.from(text, 'utf8').toString('latin1') : null;
        };
        expect(
          listed.map((file) => ({
            path: bytes(file, 'file_path'),
            target: bytes(file, 'link_ref'),
            size: file['file_size'] ?? null,
            uid: file['uid'] ?? null,
            gid: file['gid'] ?? null,
            sha1: file['sha1_hash'] ?? null,
          })),
        ).toEqual(
          files.map(({ path, target, size, uid, gid, sha1 }) => ({
            path: `/${path}`,
            target,
            size,
            uid,
            gid,
            sha1,
          })),
        );
      }),
    );
  });

  it('has the fields that tools read, in their types', async () => {
    const trace = traceOf(
      '12 execve("/usr/bin/app", ["app", "-v"], []) = 0\n' +
        '12 openat(AT_FDCWD, "/etc/app.conf", O_RDONLY) = 3\n' +
        '12 newfstatat(AT_FDCWD, "/etc", {}, 0) = 0\n' +
        '12 read(3, "", 1) = 0\n12 syscall_0x1cf() = 0\n12 frobnicate() = 0\n',
    );
    const {
      document,
      start_command,
      monitors,
      image: found,
    } = await report(
      {
        ...trace,
        hasAllSyscalls: true,
      },
      [
        { ...plain('usr/bin/app'), mode: 0o4755, size: 10, uid: 0, gid: 5 },
        { ...plain('etc/app.conf'), sha1: 'a'.repeat(40) },
        { ...plain('lib'), kind: 'symlink', mode: 0o777, target: b('usr/lib') },
        plain('unused'),
      ],
    );
    expect(document).toBe('doc.report.container');
    expect(start_command).toEqual({
      app_name: 'app',
      app_args: ['-v'],
      app_entrypoint: ['/entry.sh'],
      app_cmd: ['serve', '-v'],
      app_user: 'www-data',
    });
    expect(monitors.fan).toMatchObject({
      event_count: 2,
      main_process: { pid: 1, name: 'app', cmd: 'app -v', cwd: '/srv', root: '/', ppid: 0 },
      process_files: {
        '1': {
          '/etc/app.conf': { event_count: 1, reads: 1 },
          '/usr/bin/app': { event_count: 1, execs: 1 },
        },
      },
    });
    const activity = { ops_all: 1, syscalls: {}, pids: {} };
    expect(monitors.pt).toEqual({
      enabled: true,
      arch_name: 'amd64',
      syscall_count: 6,
      syscall_num: 6,
      syscall_stats: {
        '0': { num: 0, name: 'read', count: 1 },
        '257': { num: 257, name: 'openat', count: 1 },
        '463': { num: 463, name: 'syscall_0x1cf', count: 1 },
        '59': { num: 59, name: 'execve', count: 1 },
        '262': { num: 262, name: 'newfstatat', count: 1 },
        frobnicate: { name: 'frobnicate', count: 1 },
      },
      fs_activity: {
        '/etc': { ...activity, ops_checkfile: 1, is_subdir: true },
        '/etc/app.conf': { ...activity, ops_checkfile: 0, is_subdir: false },
        '/usr/bin/app': { ...activity, ops_checkfile: 0, is_subdir: false },
      },
    });
    expect(found.files).toEqual([
      {
        file_type: 'file',
        file_path: '/usr/bin/app',
        mode: 'urwxr-xr-x',
        flags: { X: true },
        file_size: 10,
        uid: 0,
        gid: 5,
      },
      {
        file_type: 'file',
        file_path: '/etc/app.conf',
        mode: '-rw-r--r--',
        flags: { R: true },
        sha1_hash: 'a'.repeat(40),
      },
      { file_type: 'symlink', file_path: '/lib', mode: 'Lrwxrwxrwx', link_ref: 'usr/lib' },
      { file_type: 'file', file_path: '/unused', mode: '-rw-r--r--' },
    ]);
  });

  it('says that system calls were not watched where the trace does not hold all of them', async () => {
    const trace = traceOf('12 openat(AT_FDCWD, "/a", O_RDONLY) = 3\n');
    expect(trace.syscalls.size).toBe(1);
    expect((await report(trace)).monitors.pt).toMatchObject({
      enabled: false,
      syscall_count: 0,
      syscall_num: 0,
      syscall_stats: {},
    });
  });

  it.each([
    ['linux/arm64/v8', 'aarch64', { '63': { num: 63, name: 'read', count: 1 } }],
    ['linux/arm/v7', 'armhf', { read: { name: 'read', count: 1 } }],
    ['linux/s390x', 's390x', { read: { name: 'read', count: 1 } }],
  ])('has the numbers of calls on %s as far as they are known', async (platform, arch, stats) => {
    const syscalls = new Map([['read', 1]]);
    const trace = { ...traceOf('/a\n'), platform, hasAllSyscalls: true, syscalls };
    expect((await report(trace)).monitors.pt).toMatchObject({ arch_name: arch, syscall_stats: stats });
  });

  it('keys a system call by its name where another one has its number', async () => {
    const syscalls = new Map([
      ['read', 1],
      ['syscall_0x0', 2],
    ]);
    const trace = { ...traceOf('/a\n'), platform: 'linux/amd64', hasAllSyscalls: true, syscalls };
    expect((await report(trace)).monitors.pt.syscall_stats).toEqual({
      '0': { num: 0, name: 'read', count: 1 },
      syscall_0x0: { name: 'syscall_0x0', count: 2 },
    });
  });

  it('has the bytes of a name that is not UTF-8 beside a text, and no use of it by path', async () => {
    const trace = traceOf('12 open("/caf\\351", O_RDONLY) = 3\n');
    const { monitors, image: found } = await report(trace, [plain('caf\xe9'), plain('caf\xea')]);
    expect(monitors.fan.process_files).toEqual({ '1': {} });
    expect(monitors.fan.event_count).toBe(0);
    expect(monitors.pt.fs_activity).toEqual({});
    expect(
      found.files.map(({ file_path, file_path_base64, flags }) => [file_path, file_path_base64, flags]),
    ).toEqual([
      ['/caf\ufffd', 'L2NhZuk=', { R: true }],
      ['/caf\ufffd', 'L2NhZuo=', undefined],
    ]);
    expect(usesOf(readTrace(await written(trace, [plain('caf\xe9'), plain('caf\xea')])))).toEqual({
      'caf\xe9': 'open',
      'caf\xea': 'open',
    });
  });

  it('takes the program of the image where the trace does not tell the command', async () => {
    const trace = { ...traceOf('/a\n'), command: null };
    expect((await report(trace)).start_command).toMatchObject({
      app_name: '/entry.sh',
      app_args: ['serve', '-v'],
    });
    const bare = { ...image, entrypoint: [], command: [], platform: null, id: null };
    const { start_command, monitors } = await report(trace, [], { image: bare });
    expect(start_command).toEqual({ app_entrypoint: [], app_cmd: [], app_user: 'www-data' });
    expect(monitors.pt).not.toHaveProperty('arch_name');
  });

  it('comes in pieces, and ends when it is cancelled', async () => {
    const trace = traceOf(Array.from({ length: 5000 }, (_, i) => `/srv/file-${i}\n`).join(''));
    const controller = new AbortController();
    const contents = { trace, image, files: [], producer: 'ocislim' };
    const pieces = creportDocument(contents, controller.signal);
    const first = await pieces.next();
    expect(first.value?.length).toBeGreaterThan(65_000);
    expect(first.value?.length).toBeLessThan(70_000);
    controller.abort(new Error('no more'));
    await expect(pieces.next()).rejects.toThrow('no more');
  });
});

describe('a mode', () => {
  it.each([
    ['file', 0o644, '-rw-r--r--'],
    ['file', 0o6755, 'ugrwxr-xr-x'],
    ['directory', 0o1777, 'dtrwxrwxrwx'],
    ['directory', 0o2755, 'dgrwxr-xr-x'],
    ['symlink', 0o777, 'Lrwxrwxrwx'],
    ['char', 0o666, 'Dcrw-rw-rw-'],
    ['char', 0o1600, 'Dctrw-------'],
    ['block', 0o660, 'Drw-rw----'],
    ['fifo', 0o600, 'prw-------'],
  ] as const)('of a %s with %o is written as Go does: %s', (kind, mode, text) => {
    expect(modeText(kind, mode)).toBe(text);
  });
});

function plain(path: string): ReportedFile {
  return {
    path: b(path),
    kind: 'file',
    mode: 0o644,
    size: null,
    uid: null,
    gid: null,
    target: null,
    sha1: null,
  };
}
