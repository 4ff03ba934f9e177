import { describe, expect, it } from 'vitest';
import type { TraceOptions } from '../../src/trace/trace-sink.ts';
import { readTrace, usesOf } from './read-trace.ts';
import { b } from '../support/bytes.ts';

function strace(lines: readonly string[], options: TraceOptions = {}): Record<string, string> {
  const trace = readTrace(`${lines.join('\n')}\n`, options);
  expect(trace.formats).toEqual(['strace']);
  expect(trace.unreadable).toEqual({ count: 0, samples: [] });
  return usesOf(trace);
}

describe('a call', () => {
  it.each([
    ['open("/a", O_RDONLY) = 3', 'open'],
    ['open("/a", O_WRONLY|O_CREAT|O_TRUNC, 0666) = 3', 'write replaced'],
    ['open("/a", O_RDWR) = 3', 'open write'],
    ['openat(AT_FDCWD, "/a", O_RDONLY|O_CLOEXEC) = 3', 'open'],
    ['openat(AT_FDCWD, "/a", O_RDONLY|O_NONBLOCK|O_CLOEXEC|O_DIRECTORY) = 3', 'list'],
    ['openat(AT_FDCWD, "/a", O_RDONLY|O_CLOEXEC|O_PATH|O_DIRECTORY) = 3', 'stat'],
    ['openat(AT_FDCWD, "/a", O_RDONLY|O_NOFOLLOW|O_PATH) = 3', 'link'],
    ['openat2(AT_FDCWD, "/a", {flags=O_RDWR|O_CREAT, mode=0600, resolve=0}, 24) = 3', 'open write'],
    ['openat(AT_FDCWD, "/a", 0x80000) = 3', 'open'],
    ['openat(-100, "/a", 0x241, 0666) = 3', 'write replaced'],
    ['creat("/a", 0644) = 3', 'write replaced'],
    ['execve("/a", ["a", "b, c"], 0x7ffc /* 35 vars */) = 0', 'exec'],
    ['execveat(AT_FDCWD, "/a", ["a"], 0x7ffc /* 3 vars */, 0) = 0', 'exec'],
    ['access("/a", R_OK) = 0', 'stat'],
    ['stat("/a", {st_mode=S_IFREG|0644, st_size=5, ...}) = 0', 'stat'],
    ['lstat("/a", {st_mode=S_IFLNK|0777, st_size=5, ...}) = 0', 'link'],
    ['readlink("/a", "usr/a", 4095) = 5', 'link'],
    ['readlinkat(AT_FDCWD, "/a", "usr/a", 4095) = 5', 'link'],
    ['lstat("/a/", {st_mode=S_IFDIR|0755, st_size=5, ...}) = 0', 'stat'],
    ['newfstatat(AT_FDCWD, "/a", {st_mode=S_IFREG|0644, ...}, 0) = 0', 'stat'],
    ['newfstatat(AT_FDCWD, "/a", {st_mode=S_IFLNK|0777, ...}, AT_SYMLINK_NOFOLLOW) = 0', 'link'],
    ['newfstatat(AT_FDCWD, "/a", {st_mode=S_IFLNK|0777, ...}, 0x100) = 0', 'link'],
    [
      'statx(AT_FDCWD, "/a", AT_STATX_SYNC_AS_STAT|AT_SYMLINK_NOFOLLOW, STATX_MODE, {stx_mask=0x2}) = 0',
      'link',
    ],
    ['faccessat2(AT_FDCWD, "/a", X_OK, AT_EACCESS) = 0', 'stat'],
    ['chdir("/a") = 0', 'stat'],
    ['unlink("/a") = 0', 'write link'],
    ['mkdir("/a", 0777) = 0', 'write'],
    ['symlink("/target", "/a") = 0', 'write link'],
    ['symlinkat("/target", AT_FDCWD, "/a") = 0', 'write link'],
    ['utimensat(AT_FDCWD, "/a", NULL, 0) = 0', 'write'],
    ['inotify_add_watch(3, "/a", IN_MODIFY) = 1', 'stat'],
  ])('%s means %s', (line, words) => {
    expect(strace([line])).toEqual({ a: words });
    // With and without a PID, a time, and how long it took.
    expect(strace([`12 02:17:36.705174 ${line} <0.000004>`])).toEqual({ a: words });
  });

  it('with two names uses both', () => {
    expect(strace(['renameat2(AT_FDCWD, "/a", AT_FDCWD, "/b", RENAME_NOREPLACE) = 0'])).toEqual({
      a: 'write link',
      b: 'write link',
    });
    expect(strace(['link("/a", "/b") = 0'])).toEqual({ a: 'link', b: 'write link' });
  });

  it('that found nothing, or never returned, uses nothing', () => {
    expect(
      strace([
        'open("/a", O_RDONLY) = -1 ENOENT (No such file or directory)',
        'open("/b", O_RDONLY) = ? ERESTARTSYS (To be restarted)',
        '12 execve("/c", ["c"], 0x1 /* 0 vars */ <unfinished ...>',
        '12 +++ killed by SIGKILL +++',
        'execve("/d", ["d"], 0x1 /* 0 vars */) = -1 ENOENT (No such file or directory)',
        'exit_group(0) = ?',
      ]),
    ).toEqual({});
  });
});

describe('names', () => {
  it('are bytes', () => {
    expect(
      strace([
        String.raw`open("/sp ace\n\"q\303\251\\", O_RDONLY) = 3`,
        String.raw`open("\x2f\xff", O_RDONLY) = 3`,
        String.raw`open("/\0011\t", O_RDONLY) = 3`,
        'open("/a, O_WRONLY) = 3", O_RDONLY) = 3',
      ]),
    ).toEqual({
      'sp ace\n"q\xc3\xa9\\': 'open',
      '\xff': 'open',
      '\x011\t': 'open',
      'a, O_WRONLY) = 3': 'open',
    });
  });

  it('that were cut short, or are only an address, count as unreadable', () => {
    const trace = readTrace(
      'open("/a", O_RDONLY) = 3\nopen("/long"..., O_RDONLY) = 3\naccess(0x7ffe0, R_OK) = 0\n/\nopen("/b", 0) = 4\n'.replace(
        '/\n',
        '',
      ),
    );
    expect(usesOf(trace)).toEqual({ a: 'open', b: 'open' });
    expect(trace.unreadable).toMatchObject({ count: 2, samples: [{ line: 2 }, { line: 3 }] });
  });
});

describe('the working directory of a process', () => {
  it('is that of the image until it changes', () => {
    const lines = [
      'open("a", O_RDONLY) = 3',
      'chdir("sub") = 0',
      'open("b", O_RDONLY) = 3',
      'open("../c", O_RDONLY) = 3',
    ];
    expect(Object.keys(strace(lines))).toEqual(['./a', './sub', './sub/../c', './sub/b']);
    expect(Object.keys(strace(lines, { workingDir: b('/srv/app/') }))).toEqual([
      'srv/app/a',
      'srv/app/sub',
      'srv/app/sub/../c',
      'srv/app/sub/b',
    ]);
  });

  it('is the one that -y shows', () => {
    expect(
      Object.keys(
        strace([
          'openat(AT_FDCWD</srv>, "a", O_RDONLY) = 3</srv/a>',
          'open("b", O_RDONLY) = 4</srv/b>',
          'fchdir(3</etc>) = 0',
          'stat("c", {...}) = 0',
        ]),
      ),
    ).toEqual(['etc/c', 'srv/a', 'srv/b']);
  });

  it('is not needed for an open whose descriptor -y shows', () => {
    expect(Object.keys(strace(['open("b", O_RDONLY) = 4</srv/b>']))).toEqual(['srv/b']);
  });

  it('is also that of the lines before -y shows it', () => {
    expect(
      strace([
        '10 execve("./server", ["./server"], 0x1 /* 0 vars */) = 0',
        '10 openat(AT_FDCWD</app>, "/etc/ld.so.cache", O_RDONLY|O_CLOEXEC) = 3</etc/ld.so.cache>',
      ]),
    ).toEqual({ 'app/server': 'exec', 'etc/ld.so.cache': 'open' });
    expect(
      strace(['10 execve("./server", ["./server"], 0x1 /* 0 vars */) = 0'], { workingDir: b('/wd') }),
    ).toEqual({
      'wd/server': 'exec',
    });
    expect(
      strace(['10 execve("./server", ["./server"], 0x1 /* 0 vars */) = 0', '10 chdir("/elsewhere") = 0']),
    ).toEqual({ './server': 'exec', elsewhere: 'stat' });
  });

  it('is copied to children, which then change their own', () => {
    expect(
      Object.keys(
        strace([
          '10 chdir("/parent") = 0',
          '10 fork() = 11',
          '11 open("a", O_RDONLY) = 3',
          '11 chdir("/child") = 0',
          '11 open("b", O_RDONLY) = 3',
          '10 open("c", O_RDONLY) = 3',
        ]),
      ),
    ).toEqual(['child', 'child/b', 'parent', 'parent/a', 'parent/c']);
  });

  it('is shared with CLONE_FS', () => {
    for (const clone of [
      'clone(child_stack=0x7f, flags=CLONE_VM|CLONE_FS|CLONE_FILES|CLONE_THREAD) = 11',
      'clone3({flags=CLONE_VM|CLONE_FS|CLONE_FILES, exit_signal=0, stack=0x7f} => {parent_tid=[11]}, 88) = 11',
    ])
      expect(
        Object.keys(
          strace([
            `10 ${clone}`,
            '11 chdir("/d") = 0',
            '10 open("a", O_RDONLY) = 3',
            '10 unshare(CLONE_FS) = 0',
            '11 chdir("/e") = 0',
            '10 open("b", O_RDONLY) = 3',
          ]),
        ),
      ).toEqual(['d', 'd/a', 'd/b', 'e']);
  });

  it('is known for a child that runs before its parent gets its number', () => {
    expect(
      Object.keys(
        strace([
          '10 chdir("/d") = 0',
          '10 vfork( <unfinished ...>',
          '11 execve("./x", ["x"], 0x1 /* 0 vars */ <unfinished ...>',
          '10 <... vfork resumed>)        = 11',
          '11 <... execve resumed>)       = 0',
          '11 open("a", O_RDONLY) = 3',
        ]),
      ),
    ).toEqual(['d', 'd/a', 'd/x']);
  });

  it('is known for a child that its parent calls by another number (PID namespaces)', () => {
    for (const comment of ['', " /* 14816 in strace's PID NS */"])
      expect(
        Object.keys(
          strace([
            '14800 open("/x", O_RDONLY) = 3',
            '14800 fork() = 14813',
            '14813 chdir("/d") = 0',
            '14813 vfork( <unfinished ...>',
            '14815 execve("./a", ["a"], 0x1 /* 0 vars */) = 0',
            `14813 <... vfork resumed>)              = 2${comment.replace('14816', '14815')}`,
            `14813 fork() = 3${comment}`,
            '14816 open("b", O_RDONLY) = 3',
            '14816 +++ exited with 0 +++',
            '14813 open("c", O_RDONLY) = 3',
          ]),
        ),
      ).toEqual(['d', 'd/a', 'd/b', 'd/c', 'x']);
  });

  it('is that of the first process for a child whose fork was filtered away', () => {
    expect(Object.keys(strace(['10 chdir("/d") = 0', '11 open("a", O_RDONLY) = 3']))).toEqual(['d', 'd/a']);
  });

  it('is forgotten with the process, whose number may be used again', () => {
    expect(
      Object.keys(
        strace([
          '10 open("/x", O_RDONLY) = 3',
          '10 fork() = 11',
          '11 chdir("/d") = 0',
          '11 +++ exited with 0 +++',
          '10 fork() = 11',
          '11 open("a", O_RDONLY) = 3',
        ]),
      ),
    ).toEqual(['./a', 'd', 'x']);
  });

  it('is known on a terminal, where the first process has no number while it is alone', () => {
    expect(
      Object.keys(
        strace([
          'chdir("/d") = 0',
          'clone(child_stack=NULL, flags=CLONE_CHILD_CLEARTID|SIGCHLDstrace: Process 11 attached',
          ', child_tidptr=0x7fd) = 11',
          '[pid 11] chdir("/e" <unfinished ...>',
          '[pid 10] open("a", O_RDONLY) = 3',
          '[pid 11] <... chdir resumed> ) = 0',
          '[pid 10] +++ exited with 0 +++',
          'open("b", O_RDONLY) = 3',
        ]),
      ),
    ).toEqual(['d', 'd/a', 'e', 'e/b']);
  });
});

describe('the path of a descriptor', () => {
  it('is the path that was opened', () => {
    expect(
      Object.keys(
        strace([
          'openat(AT_FDCWD, "/d", O_RDONLY|O_DIRECTORY) = 3',
          'openat(3, "e", O_RDONLY|O_DIRECTORY) = 4',
          'newfstatat(4, "f", {...}, 0) = 0',
          'fcntl(4, F_DUPFD_CLOEXEC, 10) = 10',
          'dup2(3, 4) = 4',
          'openat(4, "g", O_RDONLY) = 5',
          'openat(10, "h", O_RDONLY) = 5',
          'fchdir(10) = 0',
          'open("i", O_RDONLY) = 5',
        ]),
      ),
    ).toEqual(['d', 'd/e', 'd/e/f', 'd/e/h', 'd/e/i', 'd/g']);
  });

  it('is inherited by children and copied by dup', () => {
    expect(
      Object.keys(
        strace([
          '10 openat(AT_FDCWD, "/d", O_RDONLY|O_DIRECTORY) = 3',
          '10 fork() = 11',
          '11 openat(3, "a", O_RDONLY) = 4',
          '11 openat(AT_FDCWD, "/e", O_RDONLY|O_DIRECTORY) = 3',
          '10 openat(3, "b", O_RDONLY) = 4',
          '11 openat(3, "c", O_RDONLY) = 4',
        ]),
      ),
    ).toEqual(['d', 'd/a', 'd/b', 'e', 'e/c']);
  });

  it('is the one that -y shows', () => {
    expect(
      strace([
        'openat(7</d>, "a", O_RDONLY) = 3</d/a>',
        'execveat(8</bin/x>, "", ["x"], 0x1 /* 0 vars */, AT_EMPTY_PATH) = 0',
        'getdents64(9</lib>, 0x55 /* 3 entries */, 32768) = 80',
        String.raw`openat(6</sp ace\74b\76>, "c", O_RDONLY) = 3</x>`,
        'openat(5</gone (deleted)>, "e", O_RDONLY) = 3</x>',
        'read(3<TCP:[127.0.0.1:1->127.0.0.1:2]>, "", 1) = 0',
        'dup2(1</dev/null<char 1:3>>, 4<pipe:[77]>) = 4</dev/null<char 1:3>>',
      ]),
    ).toEqual({
      'bin/x': 'exec',
      'd/a': 'open',
      lib: 'list',
      'sp ace<b>/c': 'open',
      'gone/e': 'open',
      x: 'open',
    });
  });

  it('is unknown for a descriptor that was never opened, so that the line counts as unreadable', () => {
    const trace = readTrace('open("/a", O_RDONLY) = 3\nopenat(9, "b", O_RDONLY) = 4\n');
    expect(usesOf(trace)).toEqual({ a: 'open' });
    expect(trace.unreadable).toMatchObject({ count: 1, samples: [{ line: 2 }] });
  });

  it('is that of a directory which getdents lists, also without O_DIRECTORY', () => {
    expect(strace(['open("/d", O_RDONLY) = 3', 'getdents(3, 0x55 /* 3 entries */, 32768) = 80'])).toEqual({
      d: 'open list',
    });
  });
});

describe('after a change of the root', () => {
  const lines = [
    '10 execve("/usr/sbin/chroot", ["chroot", "/img", "/bin/app"], 0x1 /* 0 vars */) = 0',
    '10 openat(AT_FDCWD, "/etc/host.conf", O_RDONLY) = 3',
    '10 chroot("/img") = 0',
    '10 chdir("/") = 0',
    '10 execve("/bin/app", ["/bin/app"], 0x1 /* 0 vars */) = 0',
    '10 openat(AT_FDCWD, "etc/app.conf", O_RDONLY) = 3',
    '10 openat(AT_FDCWD</img/srv>, "data", O_RDONLY) = 3</img/srv/data>',
  ];

  it('by chroot, names count from there', () => {
    expect(Object.keys(strace(lines))).toEqual([
      'bin/app',
      'etc/app.conf',
      'etc/host.conf',
      'img',
      'srv/data',
      'usr/sbin/chroot',
    ]);
  });

  it('paths from before are left out with --trace-root', () => {
    const trace = readTrace(`${lines.join('\n')}\n`, { roots: [b('/img')] });
    expect(Object.keys(usesOf(trace))).toEqual(['bin/app', 'etc/app.conf', 'srv/data']);
    expect(trace.outside).toBe(2);
  });

  it('by pivot_root, names have no --trace-root to remove', () => {
    const trace = readTrace(
      [
        '10 open("/var/lib/runtime/x", O_RDONLY) = 3',
        '10 pivot_root(".", ".") = 0',
        '10 execve("/bin/app", ["app"], 0x1 /* 0 vars */) = 0',
        '10 open("x", O_RDONLY) = 3',
        '',
      ].join('\n'),
      { roots: [b('/img')] },
    );
    expect(Object.keys(usesOf(trace))).toEqual(['bin/app', 'x']);
    expect(trace.outside).toBe(1);
  });
});

describe('system calls', () => {
  it('are counted by name, with failed ones', () => {
    const trace = readTrace(
      [
        '10 open("/a", O_RDONLY) = -1 ENOENT (No such file or directory)',
        '10 read(3,  <unfinished ...>',
        '11 futex(0x7f, FUTEX_WAIT, 0, NULL) = 0',
        '10 <... read resumed>"x", 1)     = 1',
        '10 open("/b", O_RDONLY <unfinished ...>',
        '10 <... open resumed>) = 3',
        '10 --- SIGCHLD {si_signo=SIGCHLD, si_code=CLD_EXITED} ---',
        '10 exit_group(0)       = ?',
        '10 +++ exited with 0 +++',
        '',
      ].join('\n'),
    );
    expect(Object.fromEntries(trace.syscalls)).toEqual({ open: 2, read: 1, futex: 1, exit_group: 1 });
    expect(trace.unreadable.count).toBe(0);
  });

  const start = ['execve("/a", ["a"], 0x1) = 0', 'close(3) = 0'];
  it.each([
    ['%file and %process', start, false],
    [
      '%file, %process, %desc and %memory',
      [...start, 'read(3, "", 1) = 0', 'mmap(NULL, 1) = 0x7f', 'brk(NULL) = 0x5'],
      false,
    ],
    [
      'no filter',
      [...start, 'mmap(NULL, 1) = 0x7f', 'arch_prctl(ARCH_SET_FS, 0x7f) = 0', 'set_tid_address(0x7f) = 9'],
      true,
    ],
  ] as const)('are complete, or not: %s', (_what, lines, complete) => {
    expect(readTrace(lines.join('\n')).hasAllSyscalls).toBe(complete);
  });

  it('the command is that of the first execution, if strace shows all of it', () => {
    const command = (line: string) => readTrace(`${line}\n`).command;
    expect(command('execve("/bin/a", ["a", "b c", "\\303\\251"], 0x1) = 0')).toEqual([
      'a',
      'b c',
      '\xc3\xa9',
    ]);
    expect(command('execve("/bin/a", ["a", "b"...], 0x1) = 0')).toBeNull();
    expect(command('execve("/bin/a", ["a", ...], 0x1) = 0')).toBeNull();
    const words = Array.from({ length: 30 }, (_, i) => `w${i}`);
    expect(command(`execve("/bin/a", ${JSON.stringify(words).replaceAll(',', ', ')}, 0x1) = 0`)).toEqual(
      words,
    );
  });
});
